#!/bin/bash
# A balancer passes TLS through to port 465 as it is, with its PROXY header in front: the header is read in the clear and
# not a byte more, the handshake follows, and the stated client is who is judged.  Without the header nobody comes in from
# there, and from elsewhere the header is no TLS.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gate.lib.sh"
gate_house
mx_sink_on --users
certificate
configure mx "hunt: { mode: off }
gate:
  folder: $T/mx.state/gate
  certificate: $T/cert.pem
  key: $T/key.pem
  dns: { servers: [\"44.1.0.2:53\"], try: 100ms, tries: 1, total: 300ms }
  listeners:
    smtps: { listen: [\"44.1.0.1:465\", \"[2a00:44:1::1]:465\"], to: \"127.0.0.1:2525\", kind: submission, tls: end,
             implicit_tls: yes, relay_test: no, greet_after: 0, balancers: [44.1.0.5, \"2a00:44:1::2\"] }"
gate_again
until_true 15 prints "220 " on far smtp --tls --src 44.1.0.2 --wait 5 44.1.0.1 465 QUIT

secret=$(printf '\0ana\0secret-word' | base64)
mail=("EHLO pc.test" "AUTH PLAIN $secret" "MAIL FROM:<ana@example.com>" "RCPT TO:<x@elsewhere.test>" DATA "@mail 100" QUIT)
v2='\r\n\r\n\x00\r\nQUIT\n'

say "version 1 and 2, IPv4 and IPv6, with a TLV; header and handshake in one piece or not"
on far smtp --tls --src 44.1.0.5 --before 'PROXY TCP4 44.9.9.9 44.1.0.1 4711 465\r\n' 44.1.0.1 465 "${mail[@]}"
grep -q '^44.9.9.9 4711 ' "$T/mail" || fail "$(cat "$T/mail")"
on far smtp --tls --src 44.1.0.5 --before "$v2"'\x21\x11\x00\x10\x2c\x09\x09\x08\x2c\x01\x00\x01\x12\x68\x01\xd1\x04\x00\x01\x00' 44.1.0.1 465 "${mail[@]}"
grep -q '^44.9.9.8 4712 ' "$T/mail" || fail "$(cat "$T/mail")"
on far smtp --tls --src 2a00:44:1::2 --before 'PROXY TCP6 2a00:99::9 2a00:44:1::1 4713 465\r\n' 2a00:44:1::1 465 "${mail[@]}"
grep -q '^2a00:99::9 4713 ' "$T/mail" || fail "$(cat "$T/mail")"

say "a balancer that sends its header byte by byte, and openssl behind it"
cat >"$T/balancer" <<'END'
import select, socket, time
front = socket.create_server(("127.0.0.1", 4650))
print("ready", flush=True)
while True:
    near, _ = front.accept()
    far = socket.create_connection(("44.1.0.1", 465), 5, source_address=("44.1.0.5", 0))
    for byte in b"PROXY TCP4 44.9.9.7 44.1.0.1 4714 465\r\n":
        far.sendall(bytes([byte]))
        time.sleep(0.002)
    open_ends = [near, far]
    while len(open_ends) == 2:
        for end in select.select(open_ends, [], [])[0]:
            data = end.recv(65536)
            if data:
                (far if end is near else near).sendall(data)
            else:
                open_ends.remove(end)
    near.close()
    far.close()
END
start balancer far python3 "$T/balancer"
until_true 5 grep -q ready "$T/balancer.out"
speaks() # ADDR:PORT [OPTION...]
{
    echo QUIT | on far timeout 10 openssl s_client -connect "$1" "${@:2}" -crlf -quiet -ign_eof
}
until_true 15 prints "221 " speaks 127.0.0.1:4650
until_true 5 prints 44.9.9.7 on mx serviola events --kind gate.session_ended --json

if command -v haproxy >/dev/null || [ -x /usr/sbin/haproxy ]; then
    say "HAProxy itself"
    printf '%s\n' 'defaults' ' mode tcp' ' timeout connect 5s' ' timeout client 20s' ' timeout server 20s' \
        'listen smtps' ' bind 44.1.0.4:4651' ' server gate 44.1.0.1:465 send-proxy-v2 source 44.1.0.5' >"$T/haproxy.conf"
    start haproxy far haproxy -db -f "$T/haproxy.conf"
    until_true 15 prints "221 " speaks 44.1.0.4:4651 -bind 44.1.0.3:0
    until_true 5 event mx gate.session_ended --src 44.1.0.3
fi

say "from the balancer nothing comes in without the header"
on far smtp --tls --src 44.1.0.5 --wait 5 44.1.0.1 465 QUIT >"$T/talk" 2>&1 || true
is_not grep -q '^220' "$T/talk"
until_true 5 event mx gate.proxy_wrong --src 44.1.0.5

say "from elsewhere the header is no TLS, and counts for nothing"
on far smtp --tls --src 44.1.0.3 --wait 5 --before 'PROXY TCP4 44.9.9.6 44.1.0.1 4715 465\r\n' 44.1.0.1 465 QUIT >"$T/talk" 2>&1 || true
is_not grep -q '^220' "$T/talk"
until_true 5 event mx gate.tls_failed --src 44.1.0.3

say "a stated address that is our own is a loop"
on far smtp --tls --src 44.1.0.5 --before 'PROXY TCP4 127.0.1.50 44.1.0.1 4711 465\r\n' 44.1.0.1 465 @reply >"$T/talk" || true
grep -q '^554 5.4.6' "$T/talk" || fail "$(cat "$T/talk")"

say "a header that never ends is hung up on in time"
on far smtp --src 44.1.0.5 --wait 9 --before 'PROXY TCP4 44.9.9.9' 44.1.0.1 465 @reply >"$T/talk" || true
grep -q EOF "$T/talk" || fail "$(cat "$T/talk")"
is_not grep -q 44.9.9.6 "$T/mail"
