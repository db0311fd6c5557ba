#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What a picture of 1,000 processes and 10,000 loopback connections costs, beside ss -tanpe and the bare reading of /proc
# in the same run: a machine that is slow today is slow for all of them.
# usage: xray.sh [ROUNDS] [BUILD]    Needs root and the load maker in SERVIOLA_DATA/../bench/xray.
# With BENCH_STRICT=1 the exit code is 1 when all of it costs more than 1.75 times the bare reading, or explaining 50 ms.
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
    "$build/tests/bench/bench_xray" "$work/a.xray" "$rounds"
} | tee "$work/rows"
kill $loader
wait $loader 2>/dev/null || true
awk '/^bare/ { bare = $(NF - 1) } $1 == "all" { all = $3 } $1 == "explain" { explain = $3 }
    END { printf "all / bare reading %.2f (at most 1.75), explain %.1f ms (at most 50)\n", all / bare, explain
          exit !(bare > 0 && all / bare <= 1.75 && explain <= 50) }' "$work/rows" || [ "${BENCH_STRICT-}" != 1 ]
