#!/bin/bash
# STARTTLS ends at the gate: what was said in plain text before is forgotten, what stands behind it is refused, and the
# certificate is another one after a reload.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gate.lib.sh"
gate_house
mx_sink_on
certificate
gate_on "greet_after: 0, tls: end, checks: { $quiet }" "  certificate: $T/cert.pem
  key: $T/key.pem"
gate_takes_mail

start stalls far smtp --wait 60 44.1.0.1 25 "EHLO far.test" STARTTLS @end

say "a message under TLS"
on far smtp 44.1.0.1 25 "EHLO far.test" @starttls "EHLO far.test" "MAIL FROM:<tls@far.test>" "RCPT TO:<b@example.com>" DATA "@mail 20000" QUIT
until_true 5 grep -q 'tls@far.test' "$T/mail"
until_true 5 prints TLSv1.3 on mx serviola events --kind gate.session_details --json

say "commands behind STARTTLS, in the same segment: refused, forgotten, told"
on far smtp 44.1.0.1 25 "EHLO far.test" '@raw STARTTLS\r\nMAIL FROM:<evil@far.test>\r\nRCPT TO:<b@example.com>\r\nDATA\r\nx\r\n.\r\n' @reply @end >"$T/talk" || true
grep -q '^554 5.5.1' "$T/talk" || fail "$(cat "$T/talk")"
is_not grep -q '^220 2.0.0' "$T/talk"
until_true 5 event mx gate.starttls_injected
tells "in plain text behind STARTTLS, they were forgotten" gate.starttls_injected

say "what was said before the handshake is forgotten"
on far smtp 44.1.0.1 25 "EHLO far.test" "MAIL FROM:<evil@far.test>" @starttls "RCPT TO:<b@example.com>" >"$T/talk" || true
tail -n 1 "$T/talk" | grep -q '^503' || fail "$(cat "$T/talk")"
on far smtp 44.1.0.1 25 "EHLO far.test" @starttls "MAIL FROM:<evil@far.test>" >"$T/talk" || true
tail -n 1 "$T/talk" | grep -q '^503' || fail "EHLO survived: $(cat "$T/talk")"
on far smtp 44.1.0.1 25 "EHLO far.test" @starttls "EHLO far.test" STARTTLS >"$T/talk" || true
tail -n 1 "$T/talk" | grep -q '^503' || fail "$(cat "$T/talk")"
is_not grep -q evil "$T/mail"

say "another certificate after a reload, and no session is lost for it"
start open far smtp 44.1.0.1 25 "EHLO far.test" @starttls "EHLO far.test" "@sleep 2" "MAIL FROM:<open@far.test>" "RCPT TO:<b@example.com>" DATA "@mail 100" QUIT
until_true 5 grep -q 'go ahead' "$T/open.out"
shown() { on far bash -c "echo QUIT | openssl s_client -starttls smtp -connect 44.1.0.1:25 2>/dev/null | openssl x509 -noout -fingerprint"; }
first=$(shown)
certificate
kill -HUP "$(pid_of serviola-mx)"
changed() { [ "$(shown)" != "$first" ]; }
until_true 10 changed
wait "$(pid_of open)" || fail "$(cat "$T/open.out")"

say "a client that begins TLS without asking, or never goes on with it, is ended"
on far smtp --wait 5 44.1.0.1 25 '@raw \x16\x03\x01\x00\x05hello\r\n' @reply >"$T/talk" || true
grep -qE '^521|^500' "$T/talk" || fail "$(cat "$T/talk")"

say "and who asks for TLS and then says nothing"
until_true 30 grep -q EOF "$T/stalls.out"
until_true 5 prints "no TLS handshake in time" on mx serviola events --kind gate.session_ended --json
tells "no TLS handshake in time" gate.session_ended
