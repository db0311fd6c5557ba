#!/bin/bash
# Security updates that wait are counted as apt itself counts them, from the lists that are there; when they are installed,
# none waits.  A DNS list is asked for each public address that this host has at that time, and for no other.
#   us 10.1.0.1 44.1.0.7 --- mx 10.1.0.2
# shellcheck source=tests/scene/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/scene/web.lib.sh
. "$SCENES/web.lib.sh"
# shellcheck source=tests/scene/dns.lib.sh
. "$SCENES/dns.lib.sh"
[ -x /usr/bin/apt-get ] || skip "this is no Debian"
is_unknown() # NAME
{
    [ -z "$(on us serviola watch --json "$1" | sed -n 's/.*"is":\([-0-9.]*\).*/\1/p')" ]
}
host us mx
cable us 10.1.0.1/24 mx 10.1.0.2/24
address us 44.1.0.7/32 mx
v6=$(python3 -c 'import ipaddress; print(ipaddress.ip_address("2a00:44::1").reverse_pointer[:-8])')
names_on mx '1.0.1.10.bl.test. A 127.0.0.4' '1.0.1.44.bl.test. A 127.0.0.4' "${v6}bl.test. A 127.0.0.2"
echo nameserver 10.1.0.2 >"$T/resolv.conf"
mount --bind "$T/resolv.conf" /etc/resolv.conf

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

configure us "
hunt: { mode: off }
watch:
  read_disks: no
  updates: 1s
  services: { our list: { probe: dnslist, to: bl.test, ask: own, every: 10s, misses: 1 } }
  triggers:
    fix it: { when: updates.security > 0, grade: warn, calm: 0 }
    too old: { when: updates.age > 14d, grade: warn, calm: 0 }"
start serviola-us us serviola run --no-console
until_true 20 answers us
until_true 20 value_is updates.security 1
until_true 10 value_is updates.all 2
until_true 10 event us watch.noticed
are watch.noticed 'fix it' || fail "the lists are of today"

say "it is installed: none waits, and that is told; the lists grow old: that is told"
installed 3.0.17-1
touch -d '20 days ago' "$T/lists"
until_true 20 value_is updates.security 0
until_true 10 event us watch.recovered
until_true 10 are watch.noticed 'fix it too old'
value_is updates.all 1

say "without lists nothing is claimed"
rm "$T"/lists/*Packages
until_true 20 is_unknown updates.security
prints 'until apt-get update' cat "$T/serviola-us.err"

say "an address of ours that is on a list is told as soon as it is ours; a private one is nobody's business"
are watch.service_seen 'our list' || fail "it was not asked well"
is_not event us watch.service_lost
why() # WORDS: the last loss
{
    on us serviola events --kind watch.service_lost --json | tail -n 1 | grep -F -- "$1"
}
address us 44.1.0.1/32 mx
until_true 10 why '44.1.0.1 is on the list (127.0.0.4)"'
ip -n us addr del 44.1.0.1/32 dev mx
until_true 15 event us watch.service_back
address us 2a00:44::1/128 mx
until_true 10 why '2a00:44::1 is on the list (127.0.0.2)"'
