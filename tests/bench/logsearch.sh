#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# How long a search takes in what is kept: a rare word, a text, an expression; ripgrep in the same run on the text as it is.
# usage: logsearch.sh [MEGABYTES]     2000 is what the README tells of.  Needs the corpus maker in SERVIOLA_DATA/../bench/log;
# without it, lines of our own, which hold more that repeats.  Needs three times as many bytes in TMPDIR.
# Exit code 1 when a search finds something else than grep does, or a figure of the README is missed.
set -euo pipefail

top=$(cd "$(dirname "$0")/../.." && pwd)
tools=${SERVIOLA_DATA:-$top/../shared/data}/../bench/log
build=${SERVIOLA_BUILD:-$top/build}
serviola=$build/serviola
mb=${1:-2000}
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
missed=0

if [ -f "$tools/mkcorpus.c" ]; then
    cc -O2 -o "$T/mkcorpus" "$tools/mkcorpus.c" -lm 2>/dev/null
    "$T/mkcorpus" --mb "$mb" --seed 1 --format trad --out "$T/text" --truth "$T/truth" >/dev/null 2>&1
else
    awk -v bytes=$((mb * 1000000)) 'BEGIN {
        srand(1)
        for (at = 0; at < bytes; n++) {
            line = sprintf("Dec  5 %02d:%02d:%02d web%d %s[%d]: %s %x from 10.%d.%d.%d took %d ms", n / 40000 % 24, n / 700 % 60,
                n / 12 % 60, rand() * 24, rand() < 0.5 ? "httpd" : "postfix/smtpd", rand() * 30000,
                rand() < 0.00001 ? "cciss: cmd has CHECK CONDITION" : rand() < 0.5 ? "request" : "connect",
                rand() * 2 ^ 31, rand() * 256, rand() * 256, rand() * 256, rand() * 5000)
            print line
            at += length(line) + 1
        } }' >"$T/text"
fi
"$serviola" log import --store "$T/store" "$T/text" >/dev/null
echo "$(wc -l <"$T/text") lines, $(stat -c %s "$T/text") bytes of text, $(cat "$T"/store/*.zst | wc -c) stored; $(nproc) processors, load $(cut -d' ' -f1 /proc/loadavg)"

# WHAT MOST-CPU MOST-WALL RIPGREP-OPTIONS -- SEARCH-OPTIONS: the best of three runs of each
compare()
{
    local what=$1 most_cpu=$2 most_wall=$3 rg=() found best theirs

    shift 3
    while [ "$1" != -- ]; do
        rg+=("$1")
        shift
    done
    shift
    best=$(best_of "$serviola" log search --store "$T/store" --count "$@")
    found=$(cat "$T/answer")
    [ "$found" = "$(LC_ALL=C grep -ac "${rg[@]}" "$T/text" || true)" ] || {
        echo "$what: $found lines were found, not as many as by grep"
        missed=1
    }
    theirs=-
    if command -v rg >/dev/null; then
        theirs=$(best_of rg -a --count "${rg[@]/-E/-e}" "$T/text")
    fi
    awk -v what="$what" -v found="$found" -v best="$best" -v theirs="$theirs" -v most_cpu="$most_cpu" -v most_wall="$most_wall" -v floor="$floor" 'BEGIN {
        split(best, b)
        split(theirs, t)
        printf "%-34s %8d lines  CPU %6.3f s  wall %6.3f s", what, found, b[1], b[2]
        if (t[1] != "-")
            printf "   ripgrep on the text: %6.3f, %6.3f", t[1], t[2]
        if (floor + 0 > 0)
            printf "   %.2f times unpacking", b[1] / floor
        printf "\n"
        exit (most_cpu > 0 && b[1] > most_cpu) || (most_wall > 0 && b[2] > most_wall)
    }' || missed=1
}

best_of() # COMMAND: "CPU WALL" of the fastest of three
{
    local TIMEFORMAT='%U %S %R'

    for _ in 1 2 3; do
        { time "$@" >"$T/answer" 2>/dev/null || true; } 2>&1
    done | awk '{ cpu = $1 + $2; if (NR == 1 || cpu < least) least = cpu; if (NR == 1 || $3 < wall) wall = $3 } END { print least, wall }'
}

# What no search through everything can do without: each block unpacked once.
floor=$(for _ in 1 2 3; do "$build/tests/bench/unpack" "$T"/store/*.zst; done | sort -n | head -n 1)
echo "to unpack the store takes $floor s of one processor"

compare "a word that is nowhere" 0.03 0 -w zxcvq -- -w zxcvq
compare "a rare word" 0 0 -w CHECK -- -w CHECK
compare "a text, no word" 0 0 -F 'cmd dfb4' -- 'cmd dfb4'
compare "an expression" 0 1.0 -E 'c[0-9]d[0-9].*CHECK.C|has CHECK' -- --regex 'c[0-9]d[0-9].*CHECK.C|has CHECK'
verified=$(best_of "$serviola" log verify "$T/store")
awk -v took="$verified" -v stored="$(cat "$T"/store/*.zst | wc -c)" 'BEGIN {
    split(took, t)
    printf "%-34s %8.0f MB  CPU %6.3f s  wall %6.3f s   %.2f GB of what is stored a second\n", "verify", stored / 1e6, t[1], t[2], stored / t[2] / 1e9
    exit stored / t[2] < 400e6
}' || missed=1
exit $missed
