#!/bin/bash
# A real Postfix takes the notice under TLS, although nobody vouches for its certificate, and delivers it; while it does not run
# the notice waits, and Postfix's own queue number stands in the journal as evidence.
. "$(dirname "$0")/lib.sh"
. "$SCENES/gate.lib.sh"
. "$SCENES/notice.lib.sh"
host mx
certificate
noticed mx "
    mail: { by: mail, to: admin@example.com, from: serviola@example.com, server: 'smtp://127.0.0.1:2525' }
  retry: 200ms
  retry_most: 500ms"
runs mx

say "Postfix does not run"
finish drudge KILL || true
until_true 5 event mx notify.stuck

say "it is started"
postfix_on 'smtpd_upstream_proxy_protocol =' 'smtpd_tls_security_level = may' "smtpd_tls_cert_file = $T/cert.pem" \
    "smtpd_tls_key_file = $T/key.pem" 'smtpd_tls_received_header = yes'
scene_after()
{
    on mx postfix -c "$T/postfix" stop >/dev/null 2>&1 || true
}
delivered_once()
{
    [ "$(mails)" -ge 1 ]
}
until_true 15 delivered_once
mail=$(find "$T/boxes" -path '*/new/*' -type f | head -n 1)
grep -q '^Subject: \[.*\] alarm: the watch found: drudge is gone' "$mail"
grep -q 'using TLS' "$mail"
grep -q '^Return-Path: <serviola@example.com>' "$mail"
prints 'Ok: queued as' on mx serviola events --kind notify.sent
until_true 5 event mx notify.back
