#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What the watch costs each second: on a quiet host, and with 1,000 processes and 10,000 connections, with and without sockets.
# usage: watch.sh [SECONDS]     Needs root and the load maker in SERVIOLA_DATA/../bench/xray/build; everything is made in
# namespaces of its own.  CPU is that of the watch and of the processes that it asks, as the kernel counts it.
set -euo pipefail

top=$(cd "$(dirname "$0")/../.." && pwd)
data=${SERVIOLA_DATA:-$top/../shared/data}
build=$(cd "${SERVIOLA_BUILD:-$top/build}" && pwd)
load=$data/../bench/xray/build/load
seconds=${1:-15}
if [ "$(id -u)" != 0 ] || [ ! -x "$load" ]; then
    echo "skipped: not root, or no $load"
    exit 77
fi
if [ -z "${BENCH_INSIDE-}" ]; then
    # The kernel walks its whole table of connections for each list of them, and makes it as large as the memory is: here
    # it has what a server of 4 GB has.
    # shellcheck disable=SC2016 # that shell expands it
    BENCH_INSIDE=1 exec unshare --net sh -c 'sysctl -qw net.ipv4.tcp_child_ehash_entries=32768 || true
        exec unshare --net --mount --pid --fork --mount-proc --kill-child=TERM bash "$0" "$@"' "$0" "$@"
fi
T=$(mktemp -d)
mount -t tmpfs -o mode=0755 bench "$T"
trap 'kill $(jobs -p) 2>/dev/null || true; umount -l "$T"; rmdir "$T"' EXIT
ip link set lo up
export SERVIOLA_CONF=$T/conf PATH=$build:$PATH

# Nanoseconds on a CPU of the watch and its children so far.
used()
{
    local watch=$1 pid total=0 ns

    for pid in "$watch" $(pgrep -P "$watch"); do
        read -r ns _ <"/proc/$pid/schedstat"
        total=$((total + ns))
    done
    echo $total
}

measure() # NAME SOCKETS
{
    local house watch before begun value

    cat >"$T/conf" <<CONF
serviola: { control: $T/control }
journal: { folder: $T/journal }
hunt: { mode: off }
watch: { recorder: { sockets: $2 } }
CONF
    serviola run --no-console >"$T/out" 2>&1 &
    house=$!
    until serviola watch watch.cpu >/dev/null 2>&1; do sleep 0.1; done
    sleep 3
    watch=$(pgrep -x serviola-watch)
    before=$(used "$watch")
    begun=${EPOCHREALTIME/./}
    sleep "$seconds"
    value=$(($(used "$watch") - before))
    awk -v n="$1" -v ns=$value -v us=$((${EPOCHREALTIME/./} - begun)) -v rss="$(awk '/VmRSS/ { print $2 }' "/proc/$watch/status")" \
        'BEGIN { printf "%-34s %6.2f ms CPU a second (%.2f %% of a core), %d MiB resident\n", n, ns / us, ns / us / 10, rss / 1024 }'
    serviola watch watch.recorder
    kill $house
    wait $house || true
}

measure "quiet" yes
"$load" -p 1000 -c 10000 -f 50000 -t $((3 * seconds + 60)) -w "$T/load" >"$T/load.out" &
until grep -q READY "$T/load.out"; do sleep 0.1; done
cat "$T/load.out"
measure "1,000 processes" no
measure "the same, with 10,000 connections" yes
