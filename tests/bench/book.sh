#!/bin/bash
# book.sh [BUILD]: the greylist with 10 million pairs: insert, look-up, memory, a round to the disk, a restart.
set -eu
bench=${1:-${SERVIOLA_BUILD:-$(dirname "$0")/../../build}}/tests/bench/book
[ -x "$bench" ] || { echo "book.sh: $bench is not there; build it first (meson, tests/bench)" >&2; exit 3; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$bench" "$work" 10
