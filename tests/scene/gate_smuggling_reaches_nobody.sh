#!/bin/bash
# A server that takes LF for a line end would see two messages in one; behind the gate it never sees more than one.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gate.lib.sh"
gate_house
mx_sink_on
gate_on "greet_after: 0, checks: { $quiet }"
gate_takes_mail

say "twin: without the gate the server takes the hidden message"
on mx python3 - <<'PY'
import socket
s = socket.create_connection(("127.0.0.1", 2525))
s.sendall(b"PROXY TCP4 44.1.0.2 44.1.0.1 4000 25\r\n")
for line in b"EHLO x", b"MAIL FROM:<good@far.test>", b"RCPT TO:<b@example.com>", b"DATA":
    s.recv(4096)
    s.sendall(line + b"\r\n")
s.recv(4096)
s.sendall(b"text\n.\nMAIL FROM:<evil@far.test>\r\nRCPT TO:<b@example.com>\r\nDATA\r\nhidden\r\n.\r\n")
import time
while b"evil" not in open(__import__("os").environ["T"] + "/mail", "rb").read():
    time.sleep(0.02)
PY
: >"$T/mail"

say "twelve sequences: each is refused, and nothing arrives"
on far smuggle good@far.test "${far}1" 25 >"$T/talk"
[ "$(grep -c ' 550 5.6.0' "$T/talk")" = 12 ] || fail "$(cat "$T/talk")"
[ ! -s "$T/mail" ] || fail "the server has: $(cat "$T/mail")"
until_true 5 prints 12 events mx gate.smuggling
tells "could have hidden another message, and was refused" last

say "made right instead: one message a session, never the hidden one"
finish serviola-mx
gate_on "greet_after: 0, line_ends: normalise, checks: { $quiet }"
gate_takes_mail
on far smuggle good@far.test "${far}1" 25 >"$T/talk"
[ "$(grep -c ' 250 ' "$T/talk")" = 12 ] || fail "$(cat "$T/talk")"
is_not grep -q evil "$T/mail"
[ "$(grep -c good "$T/mail")" = 12 ] || fail "$(cat "$T/mail")"

say "twin: clean lines pass"
on far smtp "${far}1" 25 "EHLO far.test" "MAIL FROM:<clean@far.test>" "RCPT TO:<b@example.com>" DATA "@raw one\r\n..two\r\n.\r\n" @reply QUIT
until_true 5 grep -q 'clean@far.test' "$T/mail"
