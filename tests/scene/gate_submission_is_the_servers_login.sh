#!/bin/bash
# Users log in at the server through the gate, on 587 and under TLS from the first byte on 465: the gate learns who they
# are and never what they know; wrong passwords end the session, a second login does not hide the first, and what a
# stolen account sends is stopped while others send on.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gate.lib.sh"
command -v swaks >/dev/null || skip "swaks is not installed"
gate_house
for number in 1 2 3 4 5; do
    address far "44.$((50 + number)).0.2/32" mx
    ip -n mx route add "44.$((50 + number)).0.0/24" via 44.1.0.2
done
mx_sink_on --users
certificate
submission='to: "127.0.0.1:2525", kind: submission, tls: end, relay_test: no, greet_after: 0'
configure mx "hunt: { mode: off }
gate:
  folder: $T/mx.state/gate
  certificate: $T/cert.pem
  key: $T/key.pem
  dns: { servers: [\"44.1.0.2:53\"], try: 100ms, tries: 1, total: 300ms }
  limits: { errors: 4 }
  accounts: { response: refuse, messages: 10 }
  listeners:
    users: { listen: [\"44.1.0.1:587\", \"[2a00:44:1::1]:587\"], $submission }
    smtps: { listen: [\"44.1.0.1:465\"], $submission, implicit_tls: yes }"
gate_again
until_true 15 prints "220 " on far smtp --src 44.1.0.2 --wait 5 44.1.0.1 587 QUIT

plain() { printf '\0%s\0%s' "$1" "$2" | base64; }
mail() { printf '%s\n' "MAIL FROM:<$1@example.com>" "RCPT TO:<x@elsewhere.test>" DATA "@mail 500"; }
log_in() { printf '%s\n' "EHLO pc.test" @starttls "EHLO pc.test" "AUTH PLAIN $(plain "$1" "$2")"; }
all_of() { mapfile -t lines < <("$@"); }

say "no login before TLS, and none by hand"
prints "503 5.5.1 AUTH is not offered here" on far smtp 44.1.0.1 587 "EHLO pc.test" "AUTH PLAIN $(plain ana secret-word)" QUIT || true

say "PLAIN and LOGIN, in one line or several; on 587 and 465, on IPv4 and IPv6"
all_of log_in ana secret-word
mapfile -t letter < <(mail ana)
on far smtp 44.1.0.1 587 "${lines[@]}" "${letter[@]}" QUIT
on far smtp 2a00:44:1::1 587 "${lines[@]}" "${letter[@]}" QUIT
on far smtp --tls 44.1.0.1 465 "EHLO pc.test" "AUTH LOGIN" "$(printf ben | base64)" "$(printf secret-word | base64)" "${letter[@]}" QUIT
on far smtp --tls 44.1.0.1 465 "EHLO pc.test" "AUTH PLAIN" "$(plain eva secret-word)" "${letter[@]}" QUIT
[ "$(delivered)" = 4 ] || fail "$(cat "$T/mail")"
for user in ana ben eva; do
    until_true 5 prints "\"user\":\"$user\"" on mx serviola events --kind gate.session_passed --json
done

say "swaks does as users do"
on far swaks --server 44.1.0.1:587 -tls --auth PLAIN --auth-user zoe --auth-password secret-word --from zoe@example.com --to x@elsewhere.test >"$T/swaks" 2>&1 || fail "$(cat "$T/swaks")"
on far swaks --server 44.1.0.1:465 --tls-on-connect --auth LOGIN --auth-user zoe --auth-password secret-word --from zoe@example.com --to x@elsewhere.test >"$T/swaks" 2>&1 || fail "$(cat "$T/swaks")"
[ "$(delivered)" = 6 ] || fail "$(cat "$T/mail")"

say "wrong passwords: four, and the session is over; the server's own words until then"
all_of log_in ana wrong
on far smtp 44.1.0.1 587 "${lines[@]}" "${lines[3]}" "${lines[3]}" "${lines[3]}" @end >"$T/talk" || true
[ "$(grep -c '^535 5.7.8' "$T/talk")" = 4 ] || fail "$(cat "$T/talk")"
grep -q '^421 4.7.0' "$T/talk" || fail "$(cat "$T/talk")"
until_true 5 prints "refuses the login" on mx serviola events --kind gate.session_refused --json

say "a second login is not asked for, and a secret with a line end of another kind is given up"
all_of log_in ana secret-word
on far smtp 44.1.0.1 587 "${lines[@]}" "AUTH PLAIN $(plain ben wrong)" QUIT >"$T/talk" || true
grep -q '^503 5.5.1 you are logged in already' "$T/talk" || fail "$(cat "$T/talk")"
on far smtp --tls 44.1.0.1 465 "EHLO pc.test" "AUTH LOGIN" '@raw YQ==\rMAIL FROM:<>\r\n' @reply QUIT >"$T/talk" || true
is_not grep -q '^235' "$T/talk"

say "no password ever stands in the journal"
on mx serviola events --json >"$T/all"
is_not grep -qE "secret-word|$(plain ana secret-word)|$(printf secret-word | base64)" "$T/all"

say "somebody has ana's password and sends from five networks: she is stopped there within seconds, ben is not"
all_of log_in ana secret-word
for number in 1 2 3 4 5; do
    for _ in 1 2 3 4 5 6; do
        on far smtp --stop --src "44.$((50 + number)).0.2" 44.1.0.1 587 "${lines[@]}" "${letter[@]}" QUIT >"$T/talk.$number" || true
    done
done
until_true 5 event mx gate.account_abused
grep -hq "account" "$T"/talk.[45] || fail "$(cat "$T"/talk.[45])"
tells "the account is stopped" 44.55.0.2
tells "The mail of the account ana is stopped until" ana
all_of log_in ben secret-word
mapfile -t letter < <(mail ben)
on far smtp --src 44.1.0.2 44.1.0.1 587 "${lines[@]}" "${letter[@]}" QUIT
