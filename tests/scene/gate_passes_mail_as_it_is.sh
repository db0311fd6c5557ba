#!/bin/bash
# Mail of a good client reaches the server byte for byte, with the client's address; the journal knows both ends.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gate.lib.sh"
gate_house
mx_sink_on
gate_on 'greet_after: 0, checks: { greylist: off, rdns: off, generic: off, callback: off, bogus_mx: off }'
gate_takes_mail

say "the gate greets with the server's own name, and offers what can be kept"
prints "220 mail.example.com" on far smtp 44.1.0.1 25 QUIT
prints "250 " on far smtp 44.1.0.1 25 "EHLO far.test" QUIT

say "a message goes through whole"
printf 'Subject: hi\r\n\r\n..dots\r\n%01000d\r\n' 7 >"$T/body"
on far smtp --src '44.1.0.2#40313' 44.1.0.1 25 "EHLO far.test" "MAIL FROM:<a@far.test>" "RCPT TO:<b@example.com>" DATA \
    "@raw $(python3 -c 'import sys; print(repr(open(sys.argv[1],"rb").read())[2:-1])' "$T/body")" . QUIT >"$T/talk"
until_true 5 grep -q " $(sha256sum <"$T/body" | cut -d' ' -f1)$" "$T/mail"
grep -q '^44.1.0.2 40313 <a@far.test> <b@example.com>' "$T/mail"

say "and over IPv6"
on far smtp --src 2a00:44:1::2 2a00:44:1::1 25 "EHLO far.test" "MAIL FROM:<a@far.test>" "RCPT TO:<b@example.com>" DATA "@mail 10000" QUIT
until_true 5 grep -q '^2a00:44:1::2 ' "$T/mail"

say "the journal has both ends' addresses and ports, and serviola why tells it"
until_true 5 event mx gate.session_passed --src 44.1.0.2
prints '"sport":40313' on mx serviola events --kind gate.session_passed --json
prints 'a@far.test' on mx serviola why 44.1.0.2

say "twin: what the server refuses is refused in its own words"
prints "554 5.7.1 relay access denied" on far smtp 44.1.0.1 25 "EHLO far.test" "MAIL FROM:<a@far.test>" "RCPT TO:<b@elsewhere.test>" QUIT
