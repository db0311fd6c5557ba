#!/bin/bash
# Refused clients hear their reply a byte at a time, in two places; the next one is refused at once, and good ones
# notice nothing.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gate.lib.sh"
gate_house
mx_sink_on
printf '44.1.0.3\n44.1.0.4\n44.1.0.5\n' >"$T/bad"
chmod 755 "$T"
gate_on 'greet_after: 0, checks: { greylist: off, rdns: off, generic: off, callback: off, bogus_mx: off }' \
    "  limits: { tarpit: 2, tarpit_byte: 200ms }
  lists: { bad: { file: $T/bad } }"
until_true 10 event mx gate.lists_loaded
gate_takes_mail --src 44.1.0.2

refused() { on far smtp --src "$1" --wait 30 44.1.0.1 25 @end; }

say "two are stuck, each reply a byte every 200 ms"
start first far smtp --src 44.1.0.3 --wait 60 44.1.0.1 25 @end
start second far smtp --src 44.1.0.4 --wait 60 44.1.0.1 25 @end
stuck() { [ "$(on mx ss -Hnt state established sport = :25 | grep -c '44.1.0.[34]')" = 2 ]; }
until_true 10 stuck

say "a third finds no place and is refused at once; a good client's mail passes meanwhile"
refused 44.1.0.5 >/dev/null || true
stuck || fail "the third waited as long as the first two"
on far smtp --src 44.1.0.2 44.1.0.1 25 "EHLO far.test" "MAIL FROM:<a@far.test>" "RCPT TO:<b@example.com>" DATA "@mail 100" QUIT >"$T/talk"
prints "queued" cat "$T/talk"
stuck || fail "the first two were let go"

say "in the end the first two were told, too"
wait "$(pid_of first)" "$(pid_of second)" || true
prints "554 " cat "$T/first.out"
prints "554 " cat "$T/second.out"
until_true 5 eval '[ "$(events mx gate.session_refused)" -ge 3 ]'
