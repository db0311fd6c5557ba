#!/bin/bash
# A PROXY header counts from a listed balancer alone, and there it must stand; whoever else sends one is no SMTP client.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gate.lib.sh"
gate_house
mx_sink_on
said=44.9.9. tcp=TCP4 version2='\x21\x11\x00\x0c' ends='\x2c\x09\x09\x08\x2c\x01\x00\x01' local=127.0.1.50 wrong_family=2a00::1
[ -z "${six-}" ] || {
    zeros='\0\0\0\0\0\0\0\0' local=::1 wrong_family=44.9.9.9
    said=2a00:99:: tcp=TCP6 version2='\x21\x21\x00\x24' ends='\x2a\0\0\x99\0\0'$zeros'\0\x08\x2a\0\0\x44\0\1'$zeros'\0\1'
}
gate_on "greet_after: 0, balancers: [\"${far}5\"], checks: { $quiet }"
gate_takes_mail
mail=("EHLO far.test" "MAIL FROM:<a@far.test>" "RCPT TO:<b@example.com>" DATA "@mail 100" QUIT)

say "from a balancer: the stated address counts, also when it comes byte by byte"
on far smtp --src "${far}5" "${far}1" 25 @early "@raw PROXY $tcp ${said}9 ${far}1 4711 25\r\n" @reply "${mail[@]}"
grep -q "^${said}9 4711 " "$T/mail"
on far smtp --src "${far}5" "${far}1" 25 @early '@raw \r\n\r\n\x00\r\nQUIT\n'"$version2" '@sleep 0.2' "@raw $ends\x12\x68\x00\x19" @reply "${mail[@]}"
grep -q "^${said}8 4712 " "$T/mail"
tells "from <a@far.test> to <b@example.com>" "${said}8"

say "a balancer without a header, or with a wrong one, is hung up on"
for wrong in 'EHLO x\r\n' "PROXY $tcp ${said}9 ${far}1 04711 25\r\n" "PROXY $tcp ${said}9 ${far}1 4711 25\n" \
    "PROXY  $tcp ${said}9 ${far}1 4711 25\r\n" "PROXY $tcp $wrong_family ${far}1 4711 25\r\n"; do
    on far smtp --src "${far}5" --wait 3 "${far}1" 25 @early "@raw $wrong" @reply >"$T/talk" || true
    grep -q EOF "$T/talk" || fail "$wrong: $(cat "$T/talk")"
done
until_true 5 prints 5 events mx gate.proxy_wrong
tells "no PROXY header" "${far}5"

say "a stated address that is our own is a loop"
on far smtp --src "${far}5" "${far}1" 25 @early "@raw PROXY $tcp $local ${far}1 4711 25\r\n" @reply >"$T/talk" || true
grep -q '^554 5.4.6' "$T/talk" || fail "$(cat "$T/talk")"
tells "a loop" "$local"

say "from anybody else the header is refused, and counts for nothing"
on far smtp --src "${far}3" "${far}1" 25 "PROXY $tcp ${said}9 ${far}1 4711 25" >"$T/talk" || true
grep -q '^521 ' "$T/talk" || fail "$(cat "$T/talk")"
on far smtp --src "${far}5" "${far}1" 25 @early "@raw PROXY $tcp ${said}7 ${far}1 4711 25\r\n" @reply "PROXY $tcp ${said}6 ${far}1 4711 25" >"$T/talk" || true
grep -q '^521 ' "$T/talk" || fail "a second header: $(cat "$T/talk")"
is_not grep -qE "${said}[67]" "$T/mail"
tells "this is SMTP: no SMTP" "${far}3"
