#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# How well messages are grouped into templates (grouping accuracy on the labelled LogHub sets, one setting for all), and how fast.
# usage: templates.sh     Needs the labelled sets and the meter in SERVIOLA_DATA; LogHub is free for research and is not part of this tree.
# Exit code 1 when the mean is below 0.88 or the speed below a million lines a second on one core.
set -euo pipefail

top=$(cd "$(dirname "$0")/../.." && pwd)
data=${SERVIOLA_DATA:-$top/../shared/data}
serviola=${SERVIOLA_BUILD:-$top/build}/serviola
meter=$data/../bench/log/bench_templates.py
if [ ! -d "$data/log/loghub" ] || [ ! -f "$meter" ]; then
    echo "skipped: no labelled logs in $data/log/loghub, or no $meter"
    exit 77
fi
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT

python3 "$meter" "$data/log/loghub" --cmd "'$serviola' log templates --ids -" | sed 's/ [0-9,]* lines\/s$//' | tee "$T/accuracy"

# The same messages again and again, for the speed: 960,000 lines of the eight sets.
python3 - "$data/log/loghub" >"$T/messages" <<'END'
import csv, glob, sys
lines = []
for path in sorted(glob.glob(sys.argv[1] + '/*/*_2k.log_structured.csv')):
    with open(path, newline='', encoding='utf8', errors='replace') as f:
        lines += [row['Content'].replace('\n', ' ') for row in csv.DictReader(f)]
for _ in range(60):
    print(*lines, sep='\n')
END
best=0
for _ in 1 2 3; do
    start=$(date +%s%N)
    "$serviola" log templates --ids - <"$T/messages" >/dev/null
    speed=$(($(wc -l <"$T/messages") * 1000000000 / ($(date +%s%N) - start)))
    [ "$speed" -le "$best" ] || best=$speed
done
echo "speed   $best lines/s, the best of 3, $(wc -l <"$T/messages") lines"
awk -v speed="$best" '/ MEAN / { exit !($4 >= 0.88 && speed >= 1000000) }' "$T/accuracy"
