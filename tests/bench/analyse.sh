#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What `serviola log analyse` finds of what was planted, and what it finds that nobody planted: over generated corpora with their truth.
# usage: analyse.sh [SEED...]     Needs the generator in SERVIOLA_DATA/../bench/log and, for the rules, /etc/logcheck.
# MB=29 says how large a corpus is.  Exit code 1 when anything planted is missed or anything else is alarmed.
set -euo pipefail

top=$(cd "$(dirname "$0")/../.." && pwd)
data=${SERVIOLA_DATA:-$top/../shared/data}
build=${SERVIOLA_BUILD:-$top/build}
serviola=$build/serviola
maker=$data/../bench/log/mkcorpus.c
if [ ! -f "$maker" ]; then
    echo "skipped: no generator $maker"
    exit 77
fi
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
cc -O2 -w -o "$T/mkcorpus" "$maker" -lm
[ $# -gt 0 ] || set -- 1 2 3 4 5

for seed in "$@"; do
    "$T/mkcorpus" --mb "${MB:-100}" --seed "$seed" --format trad --out "$T/$seed.log" --truth "$T/$seed.json" 2>/dev/null
    start=$(date +%s%N)
    "$serviola" log analyse --year 2007 --json "$T/$seed.log" >"$T/$seed.found" || [ $? -eq 1 ]
    awk -v seed="$seed" -v bytes="$(stat -c %s "$T/$seed.log")" -v lines="$(wc -l <"$T/$seed.log")" \
        -v ns=$(($(date +%s%N) - start)) 'BEGIN { printf "seed %s  %.0f MB/s, %.0f lines/s\n", seed, bytes * 1000 / ns, lines * 1e9 / ns }'
done
status=0
python3 "$top/tests/bench/analyse.py" "$T" "$@" || status=1

if [ -d /etc/logcheck/ignore.d.server ] && [ -x "$build/tests/bench/logrules" ]; then
    mkdir -p "$T/rules/ignore.d.server"
    cat /etc/logcheck/ignore.d.server/* /etc/logcheck/ignore.d.paranoid/* | grep -v '^#' | grep -v '^$' | awk 'NR % 3 == 0' |
        head -500 >"$T/rules/ignore.d.server/rules"
    "$build/tests/bench/logrules" "$T/rules" 1 "$T/$1.log"
fi
exit $status
