#!/bin/bash
# A PROXY header counts from a listed balancer alone, and there it must stand; whoever else sends one is no SMTP client.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gate.lib.sh"
gate_house
mx_sink_on
quiet='greylist: off, rdns: off, confirmed: off, generic: off, callback: off, bogus_mx: off, dnsbl: off, helo: off'
gate_on "greet_after: 0, balancers: [44.1.0.5, \"2a00:44:1::2\"], checks: { $quiet }"
gate_takes_mail
mail=("EHLO far.test" "MAIL FROM:<a@far.test>" "RCPT TO:<b@example.com>" DATA "@mail 100" QUIT)

say "from a balancer: the stated address counts, also when it comes byte by byte"
on far smtp --src 44.1.0.5 44.1.0.1 25 @early "@raw PROXY TCP4 44.9.9.9 44.1.0.1 4711 25\r\n" @reply "${mail[@]}"
grep -q '^44.9.9.9 4711 ' "$T/mail"
on far smtp --src 44.1.0.5 44.1.0.1 25 @early '@raw \r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c' '@sleep 0.2' '@raw \x2c\x09\x09\x08\x2c\x01\x00\x01\x12\x68\x00\x19' @reply "${mail[@]}"
grep -q '^44.9.9.8 4712 ' "$T/mail"
on far smtp --src 2a00:44:1::2 2a00:44:1::1 25 @early "@raw PROXY TCP6 2a00:99::9 2a00:44:1::1 4713 25\r\n" @reply "${mail[@]}"
grep -q '^2a00:99::9 4713 ' "$T/mail"

say "a balancer without a header, or with a wrong one, is hung up on"
for wrong in 'EHLO x\r\n' 'PROXY TCP4 44.9.9.9 44.1.0.1 04711 25\r\n' 'PROXY TCP4 44.9.9.9 44.1.0.1 4711 25\n' \
    'PROXY  TCP4 44.9.9.9 44.1.0.1 4711 25\r\n' 'PROXY TCP4 2a00::1 44.1.0.1 4711 25\r\n'; do
    on far smtp --src 44.1.0.5 --wait 3 44.1.0.1 25 @early "@raw $wrong" @reply >"$T/talk" || true
    grep -q EOF "$T/talk" || fail "$wrong: $(cat "$T/talk")"
done
until_true 5 prints 5 events mx gate.proxy_wrong

say "a stated address that is our own is a loop"
on far smtp --src 44.1.0.5 44.1.0.1 25 @early "@raw PROXY TCP4 127.0.1.50 44.1.0.1 4711 25\r\n" @reply >"$T/talk" || true
grep -q '^554 5.4.6' "$T/talk" || fail "$(cat "$T/talk")"

say "from anybody else the header is refused, and counts for nothing"
on far smtp --src 44.1.0.3 44.1.0.1 25 "PROXY TCP4 44.9.9.9 44.1.0.1 4711 25" >"$T/talk" || true
grep -q '^521 ' "$T/talk" || fail "$(cat "$T/talk")"
on far smtp --src 44.1.0.5 44.1.0.1 25 @early "@raw PROXY TCP4 44.9.9.7 44.1.0.1 4711 25\r\n" @reply "PROXY TCP4 44.9.9.6 44.1.0.1 4711 25" >"$T/talk" || true
grep -q '^521 ' "$T/talk" || fail "a second header: $(cat "$T/talk")"
is_not grep -qE '44.9.9.[67]' "$T/mail"
