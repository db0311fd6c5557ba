#!/bin/bash
# Whoever tries passwords at the submission port is refused for a while, or dropped by the kernel; a whole network that
# tries many accounts is, too.  A user who mistypes, a telephone with an old password, and whoever logged in before from
# among the guessers come in.  No password ever stands in the journal.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gate.lib.sh"
gate_house
for number in 5 6 7 8 9 10 11 12 13; do
    address far "44.77.0.$number/32" mx
done
ip -n mx route add 44.77.0.0/24 via 44.1.0.2
mx_sink_on --users
gate() # RESPONSE
{
    configure mx "hunt: { mode: off }
gate:
  folder: $T/mx.state/gate
  dns: { servers: [\"44.1.0.2:53\"], try: 100ms, tries: 1, total: 300ms }
  accounts: { guessing: { response: $1, wrong: 4 } }
  listeners:
    users: { listen: [\"44.1.0.1:587\", \"[2a00:44:1::1]:587\"], to: \"127.0.0.1:2525\", kind: submission, tls: strip,
             relay_test: no, greet_after: 0 }"
}
gate refuse
gate_again
until_true 15 prints "220 " on far smtp --src 44.1.0.2 --wait 5 44.1.0.1 587 QUIT

plain() { printf '\0%s\0%s' "$1" "$2" | base64; }
tries() # SOURCE USER PASSWORD...
{
    local server=44.1.0.1 lines=() password
    [[ $1 != *:* ]] || server=2a00:44:1::1
    for password in "${@:3}"; do
        lines+=("AUTH PLAIN $(plain "$2" "$password")")
    done
    on far smtp --src "$1" --wait 5 $server 587 "EHLO pc.test" "${lines[@]}" QUIT >"$T/talk" 2>&1 || true
}
comes_in() # SOURCE
{
    tries "$1" ana secret-word
    grep -q '^235 ' "$T/talk"
}

say "four wrong ones, and it is told, and may not come again for a while; its neighbour may"
tries 44.1.0.3 ana guess-1-wrong guess-2-wrong guess-3-wrong guess-4-wrong
grep -q '^421 4.7.0 too many wrong passwords' "$T/talk" || fail "$(cat "$T/talk")"
until_true 5 event mx gate.password_guessing --src 44.1.0.3
prints "may not log in until" on mx serviola why 44.1.0.3
tries 44.1.0.3 ana secret-word
grep -q '^421 4.7.0 too many wrong passwords' "$T/talk" || fail "$(cat "$T/talk")"
comes_in 44.1.0.4 || fail "$(cat "$T/talk")"

say "on IPv6, and with AUTH LOGIN, the same"
tries 2a00:44:1::2 ben guess-1-wrong guess-2-wrong guess-3-wrong guess-4-wrong
grep -q '^421 4.7.0' "$T/talk" || fail "$(cat "$T/talk")"
for i in 1 2 3 4; do
    on far smtp --src 44.1.0.2 --wait 5 44.1.0.1 587 "EHLO pc.test" "AUTH LOGIN" "$(printf ana | base64)" "$(printf 'guess-%s-wrong' $i | base64)" QUIT >"$T/talk" 2>&1 || true
done
until_true 5 event mx gate.password_guessing --src 44.1.0.2

say "twins: a telephone with an old password, and who mistypes and then remembers"
for i in 1 2 3 4 5 6 7 8; do
    tries 44.1.0.4 ana old-wrong
done
grep -q '^535' "$T/talk" || fail "$(cat "$T/talk")"
comes_in 44.1.0.4 || fail "$(cat "$T/talk")"
for i in 1 2 3; do
    tries 44.1.0.4 ana "near-$i-a-wrong" "near-$i-b-wrong" "near-$i-c-wrong" secret-word
    grep -q '^235 ' "$T/talk" || fail "$(cat "$T/talk")"
done

say "a network that tries many accounts, each of its addresses a few: all of it is refused but who logged in before"
comes_in 44.77.0.13 || fail "$(cat "$T/talk")"
for number in 5 6 7 8 9 10; do
    tries 44.77.0.$number "user$number" guess-1-wrong guess-2-wrong
done
until_true 5 prints '44.77.0.0/24' on mx serviola events --kind gate.password_guessing --json
tries 44.77.0.12 ana secret-word
grep -q '^421 4.7.0' "$T/talk" || fail "$(cat "$T/talk")"
comes_in 44.77.0.13 || fail "$(cat "$T/talk")"

say "with block the kernel drops it"
gate block
kill -HUP "$(pid_of serviola-mx)"
until_true 5 grep -q "configuration is in force" "$T/serviola-mx.err"
tries 44.1.0.5 eva guess-5-wrong guess-6-wrong guess-7-wrong guess-8-wrong
until_true 5 event mx gate.password_guesser --src 44.1.0.5
until_true 5 is_blocked mx 44.1.0.5
comes_in 44.1.0.4 || fail "$(cat "$T/talk")"

say "no password ever stands in the journal"
on mx serviola events --json >"$T/all"
is_not grep -qE "guess-[0-9]|secret-word|old-wrong|near-[0-9]|$(plain ana guess-1-wrong)|$(printf guess-1-wrong | base64)" "$T/all"
