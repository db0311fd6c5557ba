#!/bin/bash
# firewall.sh [BUILD]: what a block costs, and what 100,000 of them cost other traffic through the gateway.
#   lan 10.200.0.2 --- gw 10.200.0.1 | 10.201.0.1 --- wan 10.201.0.2:25
set -eu
bench=${1:-${SERVIOLA_BUILD:-$(dirname "$0")/../../build}}/tests/bench/firewall
[ -x "$bench" ] || { echo "firewall.sh: $bench is not there; build it first (meson, tests/bench)" >&2; exit 3; }
p=svfw$$
work=$(mktemp -d)
server=
end() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    for n in lan gw wan; do ip netns del "$p-$n" 2>/dev/null || true; done
    rm -rf "$work"
}
trap end EXIT

"$bench"

for n in lan gw wan; do ip netns add "$p-$n"; ip -n "$p-$n" link set lo up; done
ip link add lan0 netns "$p-lan" type veth peer name lan1 netns "$p-gw"
ip link add wan1 netns "$p-gw" type veth peer name wan0 netns "$p-wan"
ip -n "$p-lan" addr add 10.200.0.2/24 dev lan0
ip -n "$p-gw" addr add 10.200.0.1/24 dev lan1
ip -n "$p-gw" addr add 10.201.0.1/24 dev wan1
ip -n "$p-wan" addr add 10.201.0.2/24 dev wan0
for l in "lan lan0" "gw lan1" "gw wan1" "wan wan0"; do
    # shellcheck disable=SC2086
    set -- $l
    ip -n "$p-$1" link set "$2" up
    ip netns exec "$p-$1" ethtool -K "$2" tso off gso off gro off >/dev/null 2>&1 || true # a packet each, as on a wire
done
ip -n "$p-lan" route add default via 10.200.0.1
ip -n "$p-wan" route add default via 10.201.0.1
ip netns exec "$p-gw" sysctl -qw net.ipv4.ip_forward=1

ip netns exec "$p-wan" python3 -c '
import socket
s = socket.socket(); s.setsockopt(1, 2, 1); s.bind(("10.201.0.2", 25)); s.listen(9)
print("up", flush=True)
b = bytearray(1 << 20)
while True:
    c, _ = s.accept()
    while c.recv_into(b): pass' >"$work/up" &
server=$!
until [ -s "$work/up" ]; do sleep 0.05; done

once() {
    ip netns exec "$p-lan" python3 -c '
import socket, time
s = socket.create_connection(("10.201.0.2", 25)); b = b"x" * 65536; n = 0
t = time.time()
while time.time() - t < 1: n += s.send(b)
print("%.3f" % (n * 8 / (time.time() - t) / 1e9))'
}

# Interleaved, so that other load on the machine meets both alike.
for _ in 1 2 3 4 5; do
    once >>"$work/without"
    ip netns exec "$p-gw" "$bench" fill 100000
    once >>"$work/with"
    ip netns exec "$p-gw" nft delete table inet serviola
done
without=$(sort -n "$work/without" | sed -n 3p)
with=$(sort -n "$work/with" | sed -n 3p)
echo "forwarding to port 25, Gbit/s: $without without, $with with 100,000 blocked: $(awk -v a="$with" -v b="$without" 'BEGIN { printf "%.0f %%", a / b * 100 }')"
