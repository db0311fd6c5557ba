#!/bin/bash
# Syslog over TLS: a client with a certificate of ours is taken, and its name is kept; one without, or of a stranger, is refused, and told.
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
certificate() # NAME AUTHORITY
{
    quiet openssl req -newkey rsa:2048 -nodes -keyout "$1.key" -out "$1.req" -subj "/CN=$1"
    quiet openssl x509 -req -in "$1.req" -CA "$2.pem" -CAkey "$2.key" -CAcreateserial -days 2 -out "$1.pem"
}
certificate server ours
certificate web1 ours
certificate thief stranger
start receiver box serviola log receive --store "$T/store" --tls 127.0.0.1:6514 --certificate "$T/server.pem" --key "$T/server.key" --clients "$T/ours.pem"
until_true 10 grep -q log.started "$T/receiver.err"

send() # TEXT [ARGUMENT...]: one octet-counted message
{
    local text="<13>1 - web1 app 7 - - $1"

    printf '%d %s' ${#text} "$text" | timeout 5 ip netns exec box openssl s_client -quiet -connect 127.0.0.1:6514 "${@:2}" >/dev/null 2>&1 || true
}

send "with a certificate" -cert web1.pem -key web1.key
send "without one"
send "of a stranger" -cert thief.pem -key thief.key
printf '<13>plain text on the TLS port\n' | timeout 5 ip netns exec box bash -c 'cat >/dev/tcp/127.0.0.1/6514'

refused() # COUNT
{
    [ "$(grep -c log.client_refused "$T/receiver.err")" -ge "$1" ]
}
until_true 10 refused 3
until_true 10 prints "with a certificate" serviola log show --store "$T/store"
[ "$(serviola log show --store "$T/store" --count)" = 1 ]
prints ",web1  " serviola log show --store "$T/store"

say "twin: the next one with a certificate is taken as before"
send "once more" -cert web1.pem -key web1.key
until_true 10 prints "once more" serviola log show --store "$T/store"
finish receiver
