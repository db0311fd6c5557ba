#!/bin/bash
# The first story, literally: a spam's sender domain has its MX at 127.0.1.50.  With the gate in front of Postfix the
# spam is refused; and where a bounce goes out all the same, it meets a shut door, once, without a callback.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gate.lib.sh"
. "$(dirname "$0")/dns.lib.sh"
gate_house
self=127.0.1.50
[ -z "${six-}" ] || self=::1
names_on far 'evil.test. MX 10 mx.evil.test.' "mx.evil.test. $record $self" 'good.test. MX 10 mail.good.test.' \
    "mail.good.test. $record ${far}5" "$(names_reverse "${far}2" client.good.test.)" "client.good.test. $record ${far}2"
postfix_on
gate_on 'greet_after: 0, checks: { greylist: off }'
gate_takes_mail
mail() # SENDER
{
    on far smtp --src "${far}2" "${far}1" 25 "EHLO client.good.test" "MAIL FROM:<$1>" "RCPT TO:<user@example.com>" DATA "@mail 500" QUIT
}

say "the spam from evil.test is refused, with the reason; the server never hears of it"
mail spam@evil.test >"$T/talk" || true
grep -q "^550 5.1.8 .*$self" "$T/talk" || fail "$(cat "$T/talk")"
until_true 5 event mx gate.bogus_mx
prints "$self" on mx serviola why "${far}2"

say "twin: mail from good.test arrives"
mail friend@good.test
until_true 10 prints 1 mails

say "a bounce to $self finds the door shut before it comes to the gate"
prints REFUSED on mx smtp "$self" 25
[ "$(events mx gate.loop_found)" = 0 ]

finish serviola-mx
gate_on 'greet_after: 0, checks: { greylist: off }' '  outbound_guard: no'
gate_takes_mail
say "without that guard, a client with the address $self is refused at once, and nobody is called back"
on mx smtp --src "$self" "$self" 25 "EHLO mx.evil.test" >"$T/talk" || true
grep -q '^554 5.4.6' "$T/talk" || fail "$(cat "$T/talk")"
on mx smtp "$self" 25 "EHLO mx.evil.test" >"$T/talk" || true # unbound: newer kernels take 127.0.0.1 for it
grep -q '^554 5.4.6' "$T/talk" || fail "$(cat "$T/talk")"
on mx smtp --src "${far}1" "${far}1" 25 "EHLO mx.evil.test" >"$T/talk" || true # our own address, from outside
grep -q '^554 5.4.6' "$T/talk" || fail "$(cat "$T/talk")"
nearby=$(ip -n mx -6 -o addr show dev far scope link | awk '{ sub("/.*", "", $4); print $4 "%far" }')
for other in 0.0.0.0 ::ffff:127.0.1.50 "$nearby"; do # this host by other names
    on mx smtp "$other" 25 "EHLO mx.evil.test" >"$T/talk" || true
    grep -q '^554 5.4.6' "$T/talk" || fail "$other: $(cat "$T/talk")"
done
until_true 5 prints 6 events mx gate.loop_found
[ "$(events mx gate.called_back)" = 0 ]

say "serviola why says it in words"
prints "a loop" on mx serviola why "$self"
tells "a loop" "${far}1"
tells "a loop" gate.loop_found

say "and mail goes on"
mail friend@good.test
until_true 10 prints 2 mails
