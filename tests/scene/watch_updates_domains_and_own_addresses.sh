#!/bin/bash
# Security updates that wait are counted as apt itself counts them, from the lists that are there; when they are installed,
# none waits.  A DNS list is asked for each public address that this host has at that time, and for no other.  When a
# domain ends its registry says, at the end of a chain of hosts; one that can't be asked is told as that, and what it said
# last stays.
#   us 10.1.0.1 44.1.0.7 --- mx 10.1.0.2
# shellcheck source=tests/scene/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/scene/web.lib.sh
. "$SCENES/web.lib.sh"
# shellcheck source=tests/scene/dns.lib.sh
. "$SCENES/dns.lib.sh"
[ -x /usr/bin/apt-get ] || skip "this is no Debian"
command -v nginx >/dev/null || skip "nginx is not installed"
host us mx
cable us 10.1.0.1/24 mx 10.1.0.2/24
address us 44.1.0.7/32 mx

# --- what apt knows: three packages, one with a security fix, one with another update, one as it should be
arch=$(dpkg --print-architecture)
mkdir -p "$T/apt" "$T/lists/partial" "$T/dpkg/updates" "$T/dpkg/info"
cat >"$T/apt/sources.list" <<END
deb [trusted=yes] http://deb.test/debian bookworm main
deb [trusted=yes] http://deb.test/debian-security bookworm-security main
END
archive() # FOLDER SUITE LABEL ARCHIVE PACKAGE VERSION
{
    local list="$T/lists/deb.test_$1_dists_$2"

    printf 'Origin: Debian\nLabel: %s\nSuite: %s\nVersion: 12\nCodename: bookworm\nDate: Sat, 17 May 2025 08:50:51 UTC\n' "$3" "$4" >"${list}_Release"
    printf 'Package: %s\nVersion: %s\nArchitecture: %s\nFilename: pool/x.deb\nSize: 1\nMD5sum: 00000000000000000000000000000000\n\n' \
        "$5" "$6" "$arch" >"${list}_main_binary-${arch}_Packages"
}
archive debian bookworm Debian oldstable bash 5.2.15-2+b13
archive debian-security bookworm-security Debian-Security oldstable-security openssl 3.0.17-1
installed() # VERSION of openssl
{
    local one

    for one in "openssl $1" "bash 5.2.15-2+b8" "who 1"; do
        printf 'Package: %s\nStatus: install ok installed\nArchitecture: %s\nVersion: %s\nDescription: x\n\n' "${one% *}" "$arch" "${one#* }"
    done >"$T/dpkg/status.new"
    mv "$T/dpkg/status.new" "$T/dpkg/status"
}
installed 3.0.15-1
mount --bind "$T/apt" /etc/apt
mount --bind "$T/lists" /var/lib/apt/lists
mount --bind "$T/dpkg" /var/lib/dpkg

# --- what DNS lists know: an address that we do not have yet, in both families; and a private one that nobody asks for
v6=$(python3 -c 'import ipaddress; print(ipaddress.ip_address("2a00:44::1").reverse_pointer[:-8])')
names_on mx '1.0.1.10.bl.test. A 127.0.0.4' '1.0.1.44.bl.test. A 127.0.0.4' "${v6}bl.test. A 127.0.0.2" \
    'rdap.test. A 10.1.0.2' 'registry.test. A 10.1.0.2'
echo nameserver 10.1.0.2 >"$T/resolv.conf"
mount --bind "$T/resolv.conf" /etc/resolv.conf

# --- what registries know: rdap.test leads to registry.test, and that to itself
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/CN=rdap.test" \
    -addext "subjectAltName=DNS:rdap.test,DNS:registry.test" -keyout "$T/web.key" -out "$T/web.pem" 2>/dev/null
mkdir -p "$T/rdap/domain" "$T/rdap/tmp"
ends() # DOMAIN DAYS [STATUS]
{
    printf '{"objectClassName":"domain","ldhName":"%s","status":["%s"],"entities":[{"events":[{"eventAction":"expiration",
        "eventDate":"1999-01-01T00:00:00Z"}]}],"events":[{"eventAction":"expiration","eventDate":"%s"}]}' "${1^^}" "${3-active}" \
        "$(date -u -d "now + $2 days + 1 hour" +%Y-%m-%dT%H:%M:%SZ)" >"$T/rdap/new"
    mv "$T/rdap/new" "$T/rdap/domain/$1"
}
ends fine.test 300
ends short.test 10
ends ended.test -3 'redemption period'
ends other.test 300
cp "$T/rdap/domain/other.test" "$T/rdap/domain/wrong.test"
printf '{"ldhName":"never.test","events":[]}' >"$T/rdap/domain/never.test"
cat >"$T/rdap/nginx.conf" <<CONF
daemon off;
worker_processes 1;
user root;
pid $T/rdap/pid;
events { worker_connections 64; }
http {
    access_log $T/rdap/access.log;
    client_body_temp_path $T/rdap/tmp/a; proxy_temp_path $T/rdap/tmp/b; fastcgi_temp_path $T/rdap/tmp/c;
    uwsgi_temp_path $T/rdap/tmp/d; scgi_temp_path $T/rdap/tmp/e;
    server {
        listen 443 ssl;
        server_name rdap.test;
        ssl_certificate $T/web.pem;
        ssl_certificate_key $T/web.key;
        location = /domain/round.test { return 302 https://rdap.test/domain/round.test; }
        location = /domain/plain.test { return 302 http://registry.test/domain/fine.test; }
        location / { return 302 https://registry.test/moved\$uri; }
    }
    server {
        listen 443 ssl;
        server_name registry.test;
        ssl_certificate $T/web.pem;
        ssl_certificate_key $T/web.key;
        root $T/rdap;
        default_type application/rdap+json;
        location /moved/ { rewrite ^/moved/(.*)\$ /\$1 permanent; }
    }
}
CONF
start rdap mx nginx -p "$T/rdap" -c "$T/rdap/nginx.conf" -e "$T/rdap/error.log"
until_true 10 on mx bash -c 'exec 3<>/dev/tcp/10.1.0.2/443'

domains=
for name in fine short ended wrong never round plain gone; do
    domains+="
    $name.test: { rdap: 'https://rdap.test/domain/', every: 1s, trust: $T/web.pem }"
done
configure us "
hunt: { mode: off }
watch:
  read_disks: no
  updates: 1s
  services: { our list: { probe: dnslist, to: bl.test, ask: own, every: 10s, misses: 1 } }
  domains:$domains
  triggers:
    fix it: { when: updates.security > 0, grade: warn, calm: 0 }
    too old: { when: updates.age > 14d, grade: warn, calm: 0 }
    ends: { when: domain.*.days < 30, grade: warn, calm: 0 }"
start serviola-us us serviola run --no-console
until_true 20 answers us

is() # NAME: its value, a whole number
{
    on us serviola watch --json "$1" | sed -n 's/.*"is":\([-0-9]*\).*/\1/p' | head -n 1
}
is_now() # NAME NUMBER
{
    [ "$(is "$1")" = "$2" ]
}
why() # KIND NAME WORDS: one of these events
{
    on us serviola events --kind "$1" --json | grep -F -- "$2\"" | grep -F -- "$3"
}
unknown() # DOMAIN WORDS
{
    why watch.domain_unknown "$1" "$2"
}

say "what waits, what ends, and what is on a list"
until_true 20 is_now updates.security 1
until_true 20 is_now updates.all 2
until_true 20 is_now domain.fine.test.days 300
until_true 20 is_now domain.short.test.days 10
until_true 20 are watch.noticed 'ends fix it'
until_true 20 are watch.service_seen 'our list'
until_true 20 why watch.domain_ended ended.test '"until":"20'
is_not event us watch.service_lost

say "who can't be asked is told as that; nothing is said of when those end"
until_true 30 unknown gone.test 'status 404'
until_true 30 unknown wrong.test 'another domain'
until_true 30 unknown never.test 'does not say'
until_true 30 unknown round.test 'leads elsewhere'
until_true 30 unknown plain.test 'leads elsewhere'
for name in gone wrong never round plain; do
    [ -z "$(is "domain.$name.test.days")" ] || fail "$name.test"
done
is_not unknown fine.test ''

say "installed, the lists old, the registry down, a listed address ours: each is told, and what was known of domains stays"
installed 3.0.17-1
touch -d '20 days ago' "$T/lists"
finish rdap || true
address us 44.1.0.1/32 mx
until_true 20 is_now updates.security 0
is_now updates.all 1
until_true 10 event us watch.recovered
until_true 20 are watch.noticed 'ends fix it too old'
until_true 20 why watch.service_lost 'our list' '44.1.0.1 is on the list (127.0.0.4)'
until_true 30 unknown fine.test '"until":"20'
is_now domain.fine.test.days 300
[ "$(is domain.fine.test.unasked)" -ge 1 ]

say "without lists nothing is claimed; the registry is back, with news; one listed address goes, another one comes"
rm "$T"/lists/*Packages
ends fine.test 600
start rdap mx nginx -p "$T/rdap" -c "$T/rdap/nginx.conf" -e "$T/rdap/error.log"
ip -n us addr del 44.1.0.1/32 dev mx
until_true 20 is_now domain.fine.test.days 600
is_now domain.fine.test.unasked 0
until_true 20 event us watch.service_back
address us 2a00:44::1/128 mx
until_true 20 why watch.service_lost 'our list' '2a00:44::1 is on the list (127.0.0.2)'
until_true 20 is_now updates.security ''
prints 'until apt-get update' cat "$T/serviola-us.err"
