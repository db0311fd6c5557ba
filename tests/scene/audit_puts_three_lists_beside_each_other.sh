#!/bin/bash
# What listens, what is declared and what another host sees stand beside each other, port by port; and a twin that differs in
# one package, one listener and one mount has exactly three drifts.
#
#   box 10.1.0.2 --- 10.1.0.1 away
. "$(dirname "$0")/lib.sh"
[ -s /var/lib/dpkg/status ] || skip "dpkg knows no packages here"
host box away
cable box 10.1.0.2/24 away 10.1.0.1/24
configure box 'audit:
  services:
    mail: { tcp: [25, 587] }
    web: { tcp: 443 }
    books: { tcp: 5432, from: 192.0.2.0/24 }'

cat >"$T/listen.py" <<'PYTHON'
import signal, socket, sys
held = [socket.create_server((a, int(p))) for a, _, p in (w.partition(":") for w in sys.argv[1:])]
print("listens", flush=True)
signal.pause()
PYTHON
listen() # NAME ADDRESS:PORT...
{
    start "$1" box python3 "$T/listen.py" "${@:2}"
    until_true 10 grep -q listens "$T/$1.out"
}
listen house 0.0.0.0:25 127.0.0.1:443 127.0.0.1:3306 0.0.0.0:5432 0.0.0.0:8080 0.0.0.0:9090
on box nft -f - <<'NFT'
table ip scene {
    chain in { type filter hook input priority 0; iifname != "lo" tcp dport 9090 drop; }
    chain pre { type nat hook prerouting priority dstnat; tcp dport 2222 redirect to :25; }
}
NFT

# The list of packages is a copy that may change.
cp /var/lib/dpkg/status "$T/status"
mount --bind "$T/status" /var/lib/dpkg/status
on box serviola audit -o "$T/twin.xray"

audit() # NAME ARGUMENT...: what it tells in $T/NAME.json; 1 is a finding
{
    local status=0

    on box serviola audit --json "${@:2}" >"$T/$1.json" || status=$?
    [ $status -le 1 ]
}
row() # NAME PORT: inside, declared, outside, verdict
{
    python3 -c 'import json, sys
for row in map(json.loads, open(sys.argv[1])):
    if row.get("port") == int(sys.argv[2]):
        print(row["inside"], row["declared"] or "no", row["outside"], row["verdict"])' "$T/$1.json" "$2"
}
is_row() # NAME PORT WORDS
{
    [ "$(row "$1" "$2")" = "$3" ] || fail "port $2 is: $(row "$1" "$2")"
}

say "another host looks, and all three lists stand beside each other"
on away serviola audit look 10.1.0.2 --ports 22,25,443,587,2222,3306,5432,8080,9090 >"$T/seen"
audit all "$T/twin.xray" --from-outside "$T/seen"
is_row all 25 "reachable anybody open fine"
is_row all 443 "loopback anybody shut declared_unreached"
is_row all 587 "nobody anybody shut declared_missing"
is_row all 2222 "nobody no open open_without_listener"
is_row all 3306 "loopback no shut inner"
is_row all 5432 "reachable 192.0.2.0/24 open open_to_others"
is_row all 8080 "reachable no open undeclared_open"
is_row all 9090 "reachable no shut bind_to_loopback"
[ -z "$(row all 22)" ] || fail "a port that nobody knows has a row"

on box serviola audit "$T/twin.xray" --from-outside "$T/seen" >"$T/words" || [ $? = 1 ]
grep -q '^8080/tcp *listen.py, all addresses *no *open *undeclared_open$' "$T/words"

say "with nobody outside asked, a port that only the host itself reaches is no finding"
audit alone "$T/twin.xray"
is_row alone 3306 "loopback no unknown inner"
is_row alone 8080 "reachable no unknown undeclared"
is_not grep -q '"finding":"inner"\|port 3306' "$T/alone.json"

say "a twin that is the same has no drift"
drifts() # NAME: their texts
{
    python3 -c 'import json, sys
for f in map(json.loads, open(sys.argv[1])):
    if f.get("finding", "").startswith("drift"):
        print(f["text"])' "$T/$1.json"
}
audit same --against "$T/twin.xray"
[ -z "$(drifts same)" ] || fail "drifted: $(drifts same)"

say "one package, one listener, one mount: three drifts"
package=$(sed -n '/^Package: /{s///p;q}' "$T/status")
sed '0,/^Version: .*/s//Version: 0~other/' "$T/status" >"$T/changed"
cat "$T/changed" >"$T/status"
listen more 10.1.0.2:4711
mkdir "$T/room"
mount -t tmpfs -o nosuid room "$T/room"
audit other --against "$T/twin.xray"
drifts other >"$T/drifts"
[ "$(wc -l <"$T/drifts")" = 3 ] || fail "drifted: $(cat "$T/drifts")"
grep -q "^the package $package:.* is 0~other here, and .* there$" "$T/drifts"
grep -q '^tcp port 4711, for others: listen.py listens only here$' "$T/drifts"
grep -q "^$T/room is mounted (tmpfs rw nosuid) only here$" "$T/drifts"
