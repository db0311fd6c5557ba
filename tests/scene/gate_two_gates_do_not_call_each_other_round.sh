#!/bin/bash
# Two gates without reverse names, each in front of its own server: mail from one's host to the other makes each call the
# other back once at most, however often it comes; where they share a token, one of them knows the call for what it is.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gate.lib.sh"
. "$(dirname "$0")/dns.lib.sh"
gate_house
for number in 3 4 5; do # each address may be called once: one is easier to count
    ip -n far addr del "44.1.0.$number/24" dev mx
    ip -n far addr del "2a00:44:1::$number/64" dev mx
done
host names
cable names 44.3.0.53/24 mx 44.3.0.1/24
cable names 44.4.0.53/24 far 44.4.0.2/24
names_on names 'far.test. MX 10 mx.far.test.' "mx.far.test. $record ${far}2"

gates_on() # TOKEN of mx, TOKEN of far
{
    local place resolver=44.3.0.53:53

    for place in mx far; do
        [ $place = mx ] || resolver=44.4.0.53:53
        start "sink-$place" $place proxied_sink --log "$T/mail-$place" --port 2525
        until_true 5 test -e "$T/mail-$place"
        configure $place "$(gate_yaml "greet_after: 0, checks: { greylist: off, rdns: note }" "  token: \"$1\"
  callback: { connect: 2s, greeting: 3s, total: 5s }
  dns: { servers: [\"$resolver\"], try: 500ms, tries: 2, total: 2s }" | sed "s|$T/mx.state|$T/$place.state|")"
        shift
        start serviola-$place $place serviola run --no-console
        until_true 15 answers $place
        until_true 30 event $place gate.listening
    done
}

gates_off()
{
    local place

    for place in mx far; do
        finish serviola-$place || true
        finish sink-$place || true
        rm -rf "$T/$place.state"
    done
}

sends() # HOST FROM TO: as the mail server of one's host does
{
    on "$1" smtp --src "$2" "$3" 25 "EHLO mx.far.test" "MAIL FROM:<a@far.test>" "RCPT TO:<b@example.com>" DATA "@mail 100" QUIT
}

calls() # what each has called
{
    echo "$(events mx gate.called_back) $(events far gate.called_back)"
}

both_quiet() # no session is open any more, on either side
{
    [ "$(on mx ss -Hnt state established '( sport = :25 or dport = :25 )' | grep -c .)" = 0 ]
}

say "one token: one call, known at the other end, and ended there as a loop"
gates_on one-secret one-secret
until_true 20 sends far "${far}2" "${far}1"
until_true 5 event far gate.loop_found
prints "token" on far serviola events --kind gate.loop_found
prints "a loop" on far serviola why "${far}1"
[ "$(calls)" = "1 0" ] || fail "calls: $(calls)"

say "twenty more, in both directions: no further call to a host that was called"
for _ in $(seq 10); do
    sends far "${far}2" "${far}1" >/dev/null
    sends mx "${far}1" "${far}2" >/dev/null
done
until_true 10 both_quiet
[ "$(calls)" = "1 1" ] || fail "calls: $(calls)"
[ "$(events far gate.loop_found)" = 1 ]
gates_off

say "two tokens: each calls the other once, and that is all"
gates_on one-secret another-secret
until_true 20 sends far "${far}2" "${far}1"
until_true 20 sends mx "${far}1" "${far}2"
for _ in $(seq 10); do
    sends far "${far}2" "${far}1" >/dev/null
    sends mx "${far}1" "${far}2" >/dev/null
done
until_true 10 both_quiet
[ "$(calls)" = "1 1" ] || fail "calls: $(calls)"
