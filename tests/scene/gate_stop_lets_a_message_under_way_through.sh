#!/bin/bash
# A stop in the middle of a message: the message still arrives, once, with the server's own answer; whoever only waits
# hears 421 at once, and every session stands in the journal with its end.
. "$(dirname "$0")/lib.sh"
house
start sink wall sink --log "$T/mail" --port 2525
until_true 20 test -e "$T/mail"
serviola_on wall "gate:
  folder: $T/wall.state/gate
  dns: { servers: [10.2.0.2], total: 100ms } # nobody answers there, and nobody is refused for it
  listeners:
    mx:
      listen: 10.2.0.1:25
      to: 127.0.0.1:2525
      identity: none
      relay_test: no
      greet_after: 0s
      checks: { rdns: off, confirmed: off, generic: off, callback: off, bogus_mx: off, greylist: off }"
until_true 5 event wall gate.listening

cat >"$T/client.py" <<'END'
import smtplib
import sys

idle = smtplib.SMTP("10.2.0.1", 25, timeout=20)
idle.ehlo("idle.example")
busy = smtplib.SMTP("10.2.0.1", 25, timeout=20)
busy.ehlo("busy.example")
busy.docmd("MAIL FROM:<a@busy.example>")
busy.docmd("RCPT TO:<b@example.net>")
print("data", busy.docmd("DATA")[0], flush=True)
sys.stdin.readline()
print("idle", idle.getreply()[0], flush=True)
busy.send(b"Subject: late\r\n\r\nbut whole\r\n.\r\n")
print("busy", busy.getreply()[0], flush=True)
END
mkfifo "$T/go"
start client out sh -c "python3 $T/client.py <$T/go"
exec 4>"$T/go"
until_true 10 grep -q 'data 354' "$T/client.out"

say "serviola is told to stop, and still stands when the client goes on"
kill -TERM "$(pid_of serviola-wall)"
echo go >&4
until_true 10 grep -q 'idle 421' "$T/client.out"
until_true 10 grep -q 'busy 250' "$T/client.out"
[ "$(delivered)" = 1 ]
began_us=${EPOCHREALTIME/./}
finish serviola-wall
[ $((${EPOCHREALTIME/./} - began_us)) -lt 5000000 ] || fail "it still waited for somebody"

say "both sessions are told"
[ "$(events wall gate.session_passed)" = 1 ]
[ "$(events wall gate.session_deferred)" = 1 ]
