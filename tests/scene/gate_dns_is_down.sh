#!/bin/bash
# The name server says nothing any more: nobody is refused for it, nobody waits long, what is deferred comes through
# once it is back; the loss is told once, and so is the return.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gate.lib.sh"
. "$(dirname "$0")/dns.lib.sh"
gate_house
records=('good.test. MX 10 mx.good.test.' 'mx.good.test. A 44.2.0.25')
for client in 2 3 4 5; do
    records+=("$(names_reverse "$far$client" "c$client.esp.test.")" "c$client.esp.test. $record $far$client")
done
names_on far "${records[@]}"
start sink mx sink --log "$T/mail" --port 2525
until_true 20 test -e "$T/mail"
gate_on 'identity: none, relay_test: no, greet_after: 0, checks: { greylist: off, rdns: refuse, confirmed: refuse }' \
    '  dns: { servers: ["'"$resolver"'"], try: 1s, tries: 2, total: 4s }'
gate_takes_mail

asks() # FROM SENDER [LINE...]: the replies up to RCPT's
{
    on far smtp --wait 20 --src "$1" "${far}1" 25 "EHLO client.esp.test" "MAIL FROM:<$2>" \
        "RCPT TO:<somebody@house.test>" "${@:3}" QUIT
}

sends() # FROM SENDER: to the end
{
    asks "$1" "$2" DATA "@mail 100"
}

took_at_most() # SECONDS ADDRESS: its last session, as the gate tells it
{
    on mx serviola events --kind gate.session_deferred --src "$2" --json >"$T/spans"
    tail -n 1 "$T/spans" | python3 -c 'import json, sys; sys.exit(json.load(sys.stdin)["span"] > float(sys.argv[1]))' $(($1 * ${SCENE_SLOW:-1}))
}

say "while names can be asked for, mail passes"
prints queued sends "${far}3" x@good.test

say "the name server falls silent: a stranger is asked to come again, within five seconds"
kill -STOP "$(pid_of names-far)"
prints "451 " asks "${far}4" x@new.test
until_true 5 took_at_most 5 "${far}4"
tells "could not be asked" "${far}4"

say "a dozen more, all of other domains: each is deferred, none refused"
for number in $(seq 12); do
    asks "$far$((2 + number % 4))" "x@d$number.test" >"$T/reply.$number" 2>&1 &
done
all_are_over()
{
    [ "$(grep -lE '^(221|EOF|SILENCE|REFUSED)' "$T"/reply.* | wc -l)" = 12 ]
}
until_true 60 all_are_over
[ "$(grep -l '^451 4' "$T"/reply.* | wc -l)" = 12 ] || fail "not every one was asked to come again"
is_not grep -E '^5[0-9][0-9] 5\.[1467]' "$T"/reply.*
until_true 10 event mx gate.dns_down
tells "nobody is refused for it" gate.dns_down
[ "$(events mx gate.session_refused)" = 0 ] || fail "somebody was refused for it"

say "now the gate answers at once"
prints "451 " asks "${far}5" x@late.test
until_true 5 took_at_most 2 "${far}5"

say "the name server is back: told within two seconds, and what was deferred comes through"
kill -CONT "$(pid_of names-far)"
until_true 3 event mx gate.dns_back
tells "name servers answer again" gate.dns_back
names_add far 'new.test. MX 10 mx.good.test.'
until_true 5 prints queued sends "${far}4" x@new.test
prints queued sends "${far}2" x@good.test
has_taken()
{
    [ "$(delivered)" = "$1" ]
}
until_true 5 has_taken 3
[ "$(events mx gate.dns_down)" = 1 ] || fail "the loss was told more than once"
[ "$(events mx gate.dns_back)" = 1 ] || fail "the return was told more than once"
