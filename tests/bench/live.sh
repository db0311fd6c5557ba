#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# From MAIL FROM on the wire to DROP in the kernel, and what got through before: ours beside the story's scripts.
# usage: live.sh [-n TRIALS] [BUILD]    BUILD holds serviola and serviola-hand (default: SERVIOLA_BUILD, or build).
# Runs the harness in SERVIOLA_DATA/../bench/hunt/live; without it this is skipped.  Needs root; a few minutes.
# With BENCH_STRICT=1 the exit code is 1 when the median is over 0.3 ms or one over 2 ms.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
trials=20
while getopts n: option; do
    case $option in
    n) trials=$OPTARG ;;
    *) exit 2 ;;
    esac
done
shift $((OPTIND - 1))
live=${SERVIOLA_DATA:-$here/../../../shared/data}/../bench/hunt/live/live.py
[ -e "$live" ] || { echo "skipped: no harness at $live"; exit 77; }
[ "$(id -u)" = 0 ] || { echo "skipped: it makes namespaces, which needs root"; exit 77; }
build=$(cd "${1:-${SERVIOLA_BUILD:-$here/../../build}}" && pwd)

work=$(mktemp -d)
prefix=live$$
clean()
{
    rm -rf "$work"
    for n in lan gw wan; do ip netns del "$prefix-$n" 2>/dev/null || :; done
}
trap clean EXIT
trap 'exit 130' INT TERM
chmod 755 "$work"

conf()
{
    cat >"$work/serviola.conf" <<YAML
serviola: { control: $work/state/control }
journal: { folder: $work/state/journal }
hunt: { mode: $1, interfaces: [lan1], inside: [172.20.0.0/16, "fd00:20::/64"] }
block: { per_minute: 10000 }
YAML
}

run() # SYSTEM VARIANT TRIALS [NAME]: the harness' row, with another name in it
{
    python3 "$live" --system "$1" --prefix "$prefix" --variant "$2" --trials "$3" --start-s 2.5 \
        --hunt-cmd "rm -rf $work/state; mkdir -m 755 $work/state; exec $build/serviola run --no-console -c $work/serviola.conf" \
        2>"$work/err" | tail -n 1 | sed "s/^$1	/${4:-$1}	/" | tee -a "$work/rows" || { cat "$work/err" >&2; exit 3; }
}

echo "system	variant	trials	caught	block_ms_median	block_ms_max	msgs_median	msgs_max	elements	for_first_host	note"
conf block
run hunt lower "$trials"
! command -v gawk >/dev/null || run seed lower $((trials / 4 > 3 ? trials / 4 : 3))
for variant in upper split4 one_byte pipelined blind ipv6 p587 p2525 preaccept; do
    run hunt "$variant" 3
done
run hunt hosts200 1
conf hold
for variant in lower pipelined blind; do
    run hunt "$variant" 5 hold
done

awk -F '\t' '
    $1 == "hunt" && $2 == "lower" { ours = $5 }
    $1 == "seed" && $2 == "lower" && $5 != "never" { theirs = $5 }
    END { if (ours > 0 && theirs > 0) printf "ratio\tlower\tthe story takes %.0f times as long\n", theirs / ours }' "$work/rows"
if [ "${BENCH_STRICT-0}" = 1 ]; then
    awk -F '\t' '$1 == "hunt" && $2 == "lower" && ($5 > 0.3 || $6 > 2) { print "over the limit: " $0; bad = 1 }
        END { exit bad }' "$work/rows"
fi
