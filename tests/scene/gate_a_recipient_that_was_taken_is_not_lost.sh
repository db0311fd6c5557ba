#!/bin/bash
# The mail server goes away between two recipients and is back a moment later: the message is not taken for the second
# one alone, since the first was told 250, too.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gate.lib.sh"
gate_house
mx_sink_on
gate_on "greet_after: 0, checks: { $quiet }"
gate_takes_mail

start client far smtp --wait 20 44.1.0.1 25 "EHLO far.test" "MAIL FROM:<a@far.test>" "RCPT TO:<one@example.com>" "@sleep 3" \
    "RCPT TO:<two@example.com>" DATA RSET "MAIL FROM:<again@far.test>" "RCPT TO:<one@example.com>" "RCPT TO:<two@example.com>" DATA "@mail 500" QUIT
until_true 5 grep -q '^250 2.1.5' "$T/client.out"
finish sink || true
mx_sink_on
wait "$(pid_of client)" || true
cat "$T/client.out"
[ "$(grep -c '^451 4.3.2' "$T/client.out")" = 2 ] || fail "the second recipient and DATA are to be deferred"
[ "$(delivered)" = 1 ] || fail "$(cat "$T/mail")"
grep -q 'again@far.test> <one@example.com> <two@example.com>' "$T/mail" || fail "$(cat "$T/mail")"
