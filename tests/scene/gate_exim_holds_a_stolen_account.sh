#!/bin/bash
# Somebody sends with ana's password through an Exim behind the gate: what she has in the queue is frozen by command,
# ben's is not; it is thawed, or removed, by command, too.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gate.lib.sh"
. "$(dirname "$0")/mta.lib.sh"
gate_house
certificate
exim_on 'hosts_proxy = 127.0.0.1' # what it has for elsewhere.test stays: the gate's front door is shut to it
configure mx "hunt: { mode: off }
gate:
  folder: $T/mx.state/gate
  certificate: $T/cert.pem
  key: $T/key.pem
  dns: { servers: [\"44.1.0.2:53\"], try: 100ms, tries: 1, total: 300ms }
  accounts: { response: refuse }
  listeners:
    mx: { listen: \"44.1.0.1:25\", to: \"127.0.0.1:2525\" }
    users: { listen: [\"44.1.0.1:587\", \"[2a00:44:1::1]:587\"], to: \"127.0.0.1:2525\", kind: submission, tls: end, relay_test: no, greet_after: 0 }"
gate_again
until_true 60 prints "220 " on far smtp --src 44.1.0.2 --wait 5 44.1.0.1 587 QUIT

sends() # USER [TO]
{
    on far smtp "${2:-44.1.0.1}" 587 "EHLO pc.test" @starttls "EHLO pc.test" "AUTH PLAIN $(printf '\0%s\0secret-word' "$1" | base64)" \
        "MAIL FROM:<$1@example.com>" "RCPT TO:<x@elsewhere.test>" DATA "@mail 500" QUIT >"$T/talk"
}
mails_of() { on mx serviola mail list "$1" --server exim --json | grep -c '"id"' || true; }
held_of() { on mx serviola mail list "$1" --server exim --json | grep -c '"held":true' || true; }
queued() # USER N
{
    [ "$(mails_of "$1")" = "$2" ]
}

say "ana's and ben's mail waits in the queue"
sends ana
sends ana 2a00:44:1::1
sends ben
until_true 10 queued ana 2
until_true 10 queued ben 1
until_true 5 prints '"user":"ana"' on mx serviola events --kind gate.session_passed --json

say "hers is held, by exim -Mf, and no more of it comes in"
on mx serviola mail hold ana --server exim
[ "$(held_of ana)" = 2 ] || fail "$(on mx exim -bp)"
[ "$(held_of ben)" = 0 ] || fail "$(on mx exim -bp)"
[ "$(on mx exim -bp | grep -c 'frozen')" = 2 ] || fail "$(on mx exim -bp)"
on far smtp 44.1.0.1 587 "EHLO pc.test" @starttls "EHLO pc.test" "AUTH PLAIN $(printf '\0ana\0secret-word' | base64)" "MAIL FROM:<ana@example.com>" \
    "RCPT TO:<x@elsewhere.test>" QUIT >"$T/talk" || true
grep -q "^554 5.7.1 this account's mail is stopped" "$T/talk" || fail "$(cat "$T/talk")"

say "she is let through again, and her mail is thawed"
on mx serviola mail release ana --server exim
[ "$(held_of ana)" = 0 ] || fail "$(on mx exim -bp)"
queued ana 2 || fail "$(on mx exim -bp)"
until_true 5 sends ana

say "or it is removed, and ben's is not"
on mx serviola mail hold ana --server exim
on mx serviola mail purge ana --server exim
queued ana 0 || fail "$(on mx exim -bp)"
queued ben 1 || fail "$(on mx exim -bp)"
