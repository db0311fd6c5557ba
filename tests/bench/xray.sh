#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What a picture of 1,000 processes and 10,000 loopback connections costs, beside ss -tanpe and the bare reading of /proc
# in the same run: a machine that is slow today is slow for all of them.
# usage: xray.sh [ROUNDS] [BUILD]    Needs root and the load maker in SERVIOLA_DATA/../bench/xray.
# Beside them, where clang and bpftool are there, the bare walk of the kernel: processes, descriptors, TCP, and no more.
# Three ways: iterators that are kept loaded, as the watch has them; loaded for each picture; without any.  Then 300
# connections a second that live 50 ms: how many of the ends that were seen have an owner and a partner.
# With BENCH_STRICT=1 the exit code is 1 when all of it costs more than 1.75 times the bare reading without iterators,
# or 1.06 times with them, when explaining takes 50 ms, or when fewer than 95 % of the ends are whole (50 % without iterators).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
rounds=${1:-5}
load=${SERVIOLA_DATA:-$here/../../../shared/data}/../bench/xray
[ -e "$load/load.c" ] || { echo "skipped: no load maker in $load"; exit 77; }
[ "$(id -u)" = 0 ] || { echo "skipped: it makes namespaces, which needs root"; exit 77; }
build=$(cd "${2:-${SERVIOLA_BUILD:-$here/../../build}}" && pwd)
[ -x "$build/tests/bench/bench_xray" ] || { echo "no $build/tests/bench/bench_xray: ninja -C $build"; exit 3; }

if [ -z "${XRAY_BENCH_INSIDE-}" ]; then
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    for name in load floor_proc; do
        cc -O2 -w -pthread -o "$work/$name" "$load/$name.c"
    done
    make -s -C "$load" O="$work/iter" iter 2>"$work/iter.why" || echo "no bare walk: $(tail -n 1 "$work/iter.why")"
    status=0
    XRAY_BENCH_INSIDE=$work unshare --net --mount --pid --fork --mount-proc --kill-child bash "$0" "$rounds" "$build" || status=$?
    exit $status
fi

work=$XRAY_BENCH_INSIDE
ip link set lo up
"$work/load" -p 1000 -c 10000 -f 50000 -t 100 -w "$work/w" >"$work/ready" &
loader=$!
until grep -q READY "$work/ready"; do
    kill -0 $loader || { echo "the load does not stand"; exit 3; }
    sleep 0.1
done
cat "$work/ready"

cpu() # COMMAND: user and system, in milliseconds
{
    local TIMEFORMAT='%U %S'

    { time "$@" >/dev/null 2>&1; } 2>&1 | awk '{ print int(($1 + $2) * 1000 + 0.5) }'
}
median() # NAME COMMAND
{
    local name=$1 i

    shift
    for ((i = 0; i < rounds; i++)); do
        cpu "$@"
    done | sort -n | awk -v name="$name" '{ at[NR] = $1 } END { printf "%-24s cpu %8.1f ms\n", name, at[int((NR + 1) / 2)] }'
}
{
    median "ss -tanpe" ss -tanpe
    median "bare reading of /proc" "$work/floor_proc"
    [ ! -x "$work/iter/floor_iter" ] || "$work/iter/floor_iter" -r "$rounds" | sed -n 's/.* cpu=//p' | sort -n |
        awk '{ at[NR] = $1 } END { printf "%-24s cpu %8.1f ms\n", "bare walk by iterators", at[int((NR + 1) / 2)] }'
    for way in kept load proc; do
        echo "-- $way"
        "$build/tests/bench/bench_xray" "$work/a.xray" "$rounds" $way 2>"$work/why"
        tail -n 1 "$work/why"
    done
} | tee "$work/rows"
kill $loader
wait $loader 2>/dev/null || true

"$work/load" -p 1000 -c 10000 -f 50000 -t 100 -k 300 -L 50 -w "$work/w2" >"$work/ready2" &
loader=$!
until grep -q READY "$work/ready2"; do
    kill -0 $loader || { echo "the load does not stand"; exit 3; }
    sleep 0.1
done
whole() # WAY: of the connected ends that are not of the standing load
{
    for ((i = 0; i < rounds; i++)); do
        "$build/tests/bench/bench_xray" "$work/b.xray" 1 "$1" >/dev/null 2>&1
        tar --zstd -C "$work" -xf "$work/b.xray" process.jsonl socket.jsonl
        python3 - "$work" <<'PYTHON'
import json, sys
load = {p["pid"] for p in map(json.loads, open(sys.argv[1] + "/process.jsonl")) if p["comm"].startswith("w0")}
ends = [s for s in map(json.loads, open(sys.argv[1] + "/socket.jsonl"))
        if s["kind"] == "tcp" and s["state"] == "ESTABLISHED" and s.get("pid") not in load]
print(len(ends), sum("pid" in s for s in ends), sum("pid" in s and "peer_pid" in s for s in ends))
PYTHON
    done | awk -v way="$1" '{ n += $1; owned += $2; whole += $3 }
        END { printf "short-lived ends, %s: %d seen, %.0f %% with owner, %.0f %% with owner and partner\n", way, n,
              100 * owned / n, 100 * whole / n }'
}
{ whole kept; whole proc; } | tee -a "$work/rows"
kill $loader
wait $loader 2>/dev/null || true
awk '/^bare reading/ { bare = $(NF - 1) } /^bare walk/ { walk = $(NF - 1) } /^--/ { way = $2 } $1 == "all" { all[way] = $3 } $1 == "take" { take[way] = $3 }
    $1 == "explain" && $3 > explain { explain = $3 } /^short-lived ends, kept/ { whole = $(NF - 5) }
    /^short-lived ends, proc/ { plain = $(NF - 5) }
    END { for (way in all) printf "%s: taking / bare reading %.2f, all of it %.2f\n", way, take[way] / bare, all[way] / bare
          if (walk > 0) printf "kept: taking / bare walk %.2f\n", take["kept"] / walk
          printf "explain %.1f ms (at most 50); all of it at most 1.06 kept, 1.75 proc; whole ends %d %% (at least 95), %d %% by /proc (50)\n",
                 explain, whole, plain
          exit !(bare > 0 && all["kept"] / bare <= 1.06 && all["proc"] / bare <= 1.75 && explain <= 50 && whole >= 95 && plain >= 50) }' \
    "$work/rows" || [ "${BENCH_STRICT-}" != 1 ]
