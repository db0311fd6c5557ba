#!/bin/bash
# What was passed is copied unread, where the configuration says so; TLS that the server ends goes through, and the
# greylist then judges the client alone, before the server hears of it; a server that knows XCLIENT alone hears the
# client's address, name and HELO.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gate.lib.sh"
gate_house
certificate
POSTFIX_SERVICES='127.0.0.1:2526 inet n - n - - smtpd
  -o smtpd_upstream_proxy_protocol= -o smtpd_authorized_xclient_hosts=127.0.0.0/8'
postfix_on 'smtpd_tls_security_level = may' 'smtpd_tls_received_header = yes' "smtpd_tls_cert_file = $T/cert.pem" "smtpd_tls_key_file = $T/key.pem"
quiet='rdns: off, confirmed: off, generic: off, callback: off, bogus_mx: off, dnsbl: off, helo: off'
configure mx "hunt: { mode: off }
gate:
  folder: $T/mx.state/gate
  dns: { servers: [\"44.1.0.2:53\"], try: 100ms, tries: 1, total: 300ms }
  greylist: { delay: 1s, window: 1h }
  listeners:
    copied: { listen: [\"44.1.0.1:25\", \"[2a00:44:1::1]:25\"], to: 127.0.0.1:2525, blind: yes, greet_after: 0, checks: { greylist: off, $quiet } }
    passed: { listen: [\"44.1.0.1:26\"], to: 127.0.0.1:2525, tls: pass, greet_after: 0, checks: { greylist: all, $quiet } }
    named: { listen: [\"44.1.0.1:27\", \"[2a00:44:1::1]:27\"], to: 127.0.0.1:2526, identity: xclient, greet_after: 0, checks: { greylist: off, $quiet } }"
gate_again
for port in 25 26 27; do
    until_true 15 prints "220 " on far smtp --src 44.1.0.2 --wait 5 44.1.0.1 $port QUIT
done
body=("MAIL FROM:<a@far.test>" "RCPT TO:<b@example.com>" DATA "@mail 300000")

say "copied unread behind the verdict, two messages in a session, IPv4 and IPv6"
on far smtp 44.1.0.1 25 "EHLO copied.test" "${body[@]}" "${body[@]}" QUIT >/dev/null
on far smtp 2a00:44:1::1 25 "EHLO copied.test" "${body[@]}" QUIT >/dev/null
until_true 10 eval '[ "$(mails)" = 3 ]'
until_true 5 prints '"bytes":60' on mx serviola events --kind gate.session_passed --json

say "TLS that the server ends: a new client is asked to come again before the server hears of it, and then does"
on far smtp --src 44.1.0.4 44.1.0.1 26 "EHLO passed.test" STARTTLS QUIT >"$T/talk" || true
grep -q '^451 4.7.1 greylisted' "$T/talk" || fail "$(cat "$T/talk")"
tells "greylisted, please come again" 44.1.0.4
until_true 10 prints "220 2.0.0" on far smtp --src 44.1.0.4 44.1.0.1 26 "EHLO passed.test" STARTTLS
on far smtp --src 44.1.0.4 44.1.0.1 26 "EHLO passed.test" @starttls "EHLO passed.test" "${body[@]}" QUIT >/dev/null
until_true 10 eval '[ "$(mails)" = 4 ]'
grep -lr 'using TLSv1.3' "$T/boxes" >/dev/null || fail "$(grep -rh -A3 "^Received" "$T/boxes")"
until_true 5 prints "the server ends TLS: not read" on mx serviola events --kind gate.session_passed --json

say "XCLIENT: the server knows who it was, and what it said"
on far smtp --src 44.1.0.3 44.1.0.1 27 "EHLO named.test" "${body[@]}" QUIT >/dev/null
on far smtp --src 2a00:44:1::2 2a00:44:1::1 27 "EHLO named6.test" "${body[@]}" QUIT >/dev/null
until_true 10 eval '[ "$(mails)" = 6 ]'
grep -rhE '^Received: from named.test \(.*\[44.1.0.3\]' "$T/boxes" >/dev/null || fail "$(grep -rh '^Received' "$T/boxes")"
tells "from <a@far.test> to <b@example.com>" 44.1.0.3
grep -rhE '^Received: from named6.test \(.*\[IPv6:2a00:44:1::2\]' "$T/boxes" >/dev/null || fail "$(grep -rh '^Received' "$T/boxes")"
