#!/bin/bash
# Syslog over TLS: a client with a certificate of ours is taken, and its name is kept; one without, of a stranger, expired
# or revoked is refused, and it is told why.
. "$(dirname "$0")/lib.sh"
host box
cd "$T"
quiet()
{
    "$@" >"$T/openssl.out" 2>&1 || fail "$(cat "$T/openssl.out")"
}
for who in ours stranger; do
    quiet openssl req -x509 -newkey rsa:2048 -nodes -keyout "$who.key" -out "$who.pem" -days 2 -subj "/CN=$who authority"
done
certificate() # NAME AUTHORITY [ARGUMENT...]
{
    quiet openssl req -newkey rsa:2048 -nodes -keyout "$1.key" -out "$1.req" -subj "/CN=$1"
    quiet openssl x509 -req -in "$1.req" -CA "$2.pem" -CAkey "$2.key" -CAcreateserial -days 2 -out "$1.pem" "${@:3}"
}
certificate server ours
certificate web1 ours
certificate thief stranger
certificate stolen ours
quiet openssl req -newkey rsa:2048 -nodes -keyout old.key -out old.req -subj /CN=old
: >index
echo 01 >number
cat >authority <<'END'
[ca]
default_ca = ours
[ours]
database = index
serial = number
new_certs_dir = .
default_md = sha256
policy = any
[any]
commonName = supplied
END
ours()
{
    quiet openssl ca -batch -config authority -cert ours.pem -keyfile ours.key "$@"
}
ours -in old.req -out old.pem -startdate 20200101000000Z -enddate 20200102000000Z
ours -revoke stolen.pem
ours -gencrl -crldays 2 -out revoked.pem
start receiver box serviola log receive --store "$T/store" --tls 127.0.0.1:6514 --certificate "$T/server.pem" --key "$T/server.key" --clients "$T/ours.pem" \
    --revoked "$T/revoked.pem"
until_true 10 grep -q log.started "$T/receiver.err"

send() # TEXT [ARGUMENT...]: one octet-counted message
{
    local text="<13>1 - web1 app 7 - - $1"

    printf '%d %s' ${#text} "$text" | timeout 5 ip netns exec box openssl s_client -quiet -connect 127.0.0.1:6514 "${@:2}" >/dev/null 2>&1 || true
}

send "with a certificate" -cert web1.pem -key web1.key
send "without one"
send "of a stranger" -cert thief.pem -key thief.key
send "expired" -cert old.pem -key old.key
send "revoked" -cert stolen.pem -key stolen.key
printf '<13>plain text on the TLS port\n' | timeout 5 ip netns exec box bash -c 'cat >/dev/tcp/127.0.0.1/6514'

refused() # COUNT
{
    [ "$(grep -c log.client_refused "$T/receiver.err")" -ge "$1" ]
}
until_true 10 refused 5
grep -q 'log.client_refused 127.0.0.1 .*certificate has expired' "$T/receiver.err"
grep -q 'log.client_refused 127.0.0.1 .*certificate revoked' "$T/receiver.err"
until_true 10 prints "with a certificate" serviola log show --store "$T/store"
[ "$(serviola log show --store "$T/store" --count)" = 1 ]
prints ",web1  " serviola log show --store "$T/store"

say "twin: the next one with a certificate is taken as before"
send "once more" -cert web1.pem -key web1.key
until_true 10 prints "once more" serviola log show --store "$T/store"
finish receiver
