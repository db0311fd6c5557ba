#!/bin/bash
# lists.sh [BUILD]: lists of a million prefixes: memory, the pause of a reload, a look-up.
set -eu
bench=${1:-${SERVIOLA_BUILD:-$(dirname "$0")/../../build}}/tests/bench/lists
[ -x "$bench" ] || { echo "lists.sh: $bench is not there; build it first (meson, tests/bench)" >&2; exit 3; }
"$bench" 1000
