#!/bin/bash
# A real Exim behind the gate knows each client by PROXY; while it takes the gate itself for a friend, the gate stays
# shut and says what to change; no hidden message reaches it; and what it delivers to 127.0.1.50 does not go round.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gate.lib.sh"
. "$(dirname "$0")/dns.lib.sh"
. "$(dirname "$0")/mta.lib.sh"
mta=${mta:-exim} # gate_opensmtpd_is_protected.sh plays it again with another one
gate_house
names_on far 'evil.test. MX 10 mx.evil.test.' 'mx.evil.test. A 127.0.1.50'

server_on() # [knows_proxy]
{
    case $mta$1 in
    exim) exim_on ;;
    exim*) exim_on 'hosts_proxy = 127.0.0.1' ;;
    opensmtpd) opensmtpd_on ;;
    opensmtpd*) opensmtpd_on proxy-v2 ;;
    esac
}

say "it takes the gate for a friend: the listener stays shut, and the event says what to change"
server_on ""
gate_on "greet_after: 0, identity: none, checks: { $quiet }"
until_true 15 event mx gate.server_trusts
tells "in Exim hosts_proxy, in OpenSMTPD proxy-v2" gate.server_trusts
prints REFUSED on far smtp --wait 2 44.1.0.1 25
finish serviola-mx || true
mta_off

say "with PROXY it knows who it is, over IPv4 and IPv6, and relays for none of them"
server_on knows_proxy
gate_on "greet_after: 0, checks: { $quiet }"
gate_takes_mail
on far smtp --src 44.1.0.3 44.1.0.1 25 "EHLO far.test" "MAIL FROM:<a@far.test>" "RCPT TO:<b@example.com>" DATA "@mail 20000" QUIT
on far smtp --src 2a00:44:1::2 2a00:44:1::1 25 "EHLO far.test" "MAIL FROM:<a@far.test>" "RCPT TO:<b@example.com>" DATA "@mail 100" QUIT
until_true 10 in_box 44.1.0.3
until_true 10 in_box 2a00:44:1::2
on far smtp 44.1.0.1 25 "EHLO far.test" "MAIL FROM:<a@far.test>" "RCPT TO:<b@elsewhere.test>" QUIT >"$T/talk" || true
sed -n 4p "$T/talk" | grep -q '^550 ' || fail "$(cat "$T/talk")"

say "twelve sequences that end a message for somebody: none brings a second one"
on far smuggle good@far.test 44.1.0.1 25 >"$T/talk"
[ "$(grep -c ' 550 5.6.0' "$T/talk")" = 12 ] || fail "$(cat "$T/talk")"
say "made right instead: one each, never the hidden one"
finish serviola-mx
gate_on "greet_after: 0, line_ends: normalise, checks: { $quiet }" '  outbound_guard: no'
gate_takes_mail
on far smuggle made-right@far.test 44.1.0.1 25 >"$T/talk"
[ "$(grep -c ' 250 ' "$T/talk")" = 12 ] || fail "$(cat "$T/talk")"
arrived()
{
    [ "$(grep -cE '^\s*for b@example.com|^\s*for <b@example.com>' "$T/boxes/mail")" = "$1" ]
}
until_true 20 arrived 14
is_not grep -qE '^From evil|envelope-from <?evil' "$T/boxes/mail"

say "its own mail for a domain whose server is at 127.0.1.50: the gate sees a loop, refuses it, and it ends there"
local_header='\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00'
on mx smtp 127.0.0.1 2525 @early "@raw $local_header" @reply "EHLO mail.example.com" "MAIL FROM:<b@example.com>" \
    "RCPT TO:<x@evil.test>" DATA "@mail 100" QUIT
until_true 20 event mx gate.loop_found
[ "$mta" = opensmtpd ] || until_true 20 in_box 5.4.6 # the bounce says so; OpenSMTPD tries again much later
loops=$(events mx gate.loop_found)
say "$loops connections to ourselves"
[ "$loops" -le 2 ] || fail "it went round $loops times"
[ "$(events mx gate.called_back)" = 0 ]
prints "a loop" on mx serviola why 127.0.0.1
