#!/bin/bash
# accounts.sh [BUILD]: 20,000 accounts that the gate knows: its worst pause to keep them, and all pauses together.
set -eu
bench=${1:-${SERVIOLA_BUILD:-$(dirname "$0")/../../build}}/tests/bench/accounts
[ -x "$bench" ] || { echo "accounts.sh: $bench is not there; build it first (meson, tests/bench)" >&2; exit 3; }
"$bench" 20000
