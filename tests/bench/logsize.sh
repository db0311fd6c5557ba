#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# How small logs become: files of real syslog, kept and packed again in columns, with index, filter and seal; beside them zstd on
# the same text.  Then whether each line is still there, and what searching through everything costs.
# usage: logsize.sh [FILE...]     Otherwise the LogHub sets of syslog in SERVIOLA_DATA (Linux, OpenSSH, and Thunderbird where it
# is); they are free for research and are not part of this tree.  With the corpus maker in SERVIOLA_DATA/../bench/log, 60 MB of it too.
# Exit code 1 when the sets together become less than 17 times smaller, a line is lost, or a search takes twice the time.
set -euo pipefail

top=$(cd "$(dirname "$0")/../.." && pwd)
data=${SERVIOLA_DATA:-$top/../shared/data}
build=${SERVIOLA_BUILD:-$top/build}
serviola=$build/serviola
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
missed=0

if [ $# -eq 0 ]; then
    for name in Linux OpenSSH Thunderbird; do
        [ -f "$data/log/loghub/$name/${name}_2k.log" ] && set -- "$@" "$data/log/loghub/$name/${name}_2k.log"
    done
fi
if [ $# -eq 0 ]; then
    echo "skipped: no logs in $data/log/loghub"
    exit 77
fi

size() # FILES: their bytes
{
    cat "$@" | wc -c
}

whole_lines() # FILE: with a newline behind the last one too
{
    awk 1 "$1"
}

best_of() # COMMAND: the least CPU seconds of five
{
    local TIMEFORMAT='%U %S'

    for _ in 1 2 3 4 5; do
        { time "$@" >/dev/null 2>&1 || true; } 2>&1
    done | awk '{ cpu = $1 + $2; if (NR == 1 || cpu < least) least = cpu } END { print least }'
}

keep() # NAME FILE: kept in two stores, packed again without and with columns
{
    "$serviola" log import --store "$T/$1.plain" "$2" >/dev/null
    cp -r "$T/$1.plain" "$T/$1.columns"
    "$build/tests/bench/packagain" plain "$T/$1.plain" >"$T/took"
    took=$("$build/tests/bench/packagain" columns "$T/$1.columns")
    "$serviola" log verify "$T/$1.columns" >/dev/null || missed=1
    "$serviola" log show --raw --store "$T/$1.columns" | cmp - "$2" || {
        echo "$1: not the same lines"
        missed=1
    }
}

row() # NAME FILE: how many times smaller
{
    awk -v name="$1" -v text="$(size "$2")" -v three="$(zstd -3 -c "$2" | wc -c)" -v nineteen="$(zstd -19 -c "$2" | wc -c)" \
        -v plain="$(size "$T/$1.plain"/*.zst)" -v columns="$(size "$T/$1.columns"/*.zst)" -v took="$took" -v lines="$(wc -l <"$2")" 'BEGIN {
        printf "%-12s %9.2f MB  in columns %5.1f times smaller  (without %5.1f; zstd -3 %5.1f, -19 %5.1f)  packing %4.1f s of CPU a million lines\n",
            name, text / 1e6, text / columns, text / plain, text / three, text / nineteen, took / lines * 1e6
        exit name == "together" && text / columns < 17 }' || missed=1
}

for file in "$@"; do
    name=$(basename "$file" | sed 's/_.*//')
    whole_lines "$file" >"$T/$name"
    keep "$name" "$T/$name"
    row "$name" "$T/$name"
done
for file in "$@"; do
    whole_lines "$file"
done >"$T/together"
keep together "$T/together"
row together "$T/together"

[ -f "$data/../bench/log/mkcorpus.c" ] || exit $missed
cc -O2 -o "$T/mkcorpus" "$data/../bench/log/mkcorpus.c" -lm 2>/dev/null
"$T/mkcorpus" --mb 60 --seed 1 --format trad --out "$T/corpus" --truth "$T/truth" >/dev/null 2>&1
keep corpus "$T/corpus"
row corpus "$T/corpus"
for form in plain columns; do
    echo "$(best_of "$serviola" log search --store "$T/corpus.$form" --count --regex 'c[0-9]d[0-9].*CHECK.C|has CHECK') $(
        best_of "$serviola" log search --store "$T/corpus.$form" --count -w CHECK)"
done | awk '{ all[NR] = $1; rare[NR] = $2 } END {
    printf "searching    an expression %.3f s of CPU in columns, %.3f without: %.2f times; a rare word %.3f and %.3f\n",
        all[2], all[1], all[2] / all[1], rare[2], rare[1]
    exit all[2] > 2 * all[1] }' || missed=1
exit $missed
