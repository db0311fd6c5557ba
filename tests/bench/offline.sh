#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# How fast a capture file is read, on one thread, and whether every command in it is found: beside libpcap's bare loop.
# usage: offline.sh [MEGABYTES]     Needs the generator and harness in SERVIOLA_DATA/../bench/hunt; the capture is made in TMPDIR.
set -euo pipefail

top=$(cd "$(dirname "$0")/../.." && pwd)
tools=${SERVIOLA_DATA:-$top/../shared/data}/../bench/hunt
serviola=${SERVIOLA_BUILD:-$top/build}/serviola
[ -f "$tools/mkbig.py" ] || {
    echo "skipped: no generator in $tools"
    exit 77
}
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
python3 "$tools/mkbig.py" --out "$T/big.pcap" --truth "$T/truth.tsv" --mb "${1:-1000}" --seed 1
"$serviola" hunt -r "$T/big.pcap" --mails | cut -f1-6 | LC_ALL=C sort >"$T/got"
tail -n +2 "$T/truth.tsv" | cut -f1-6 | LC_ALL=C sort >"$T/want"
echo "rows $(wc -l <"$T/want") missing $(LC_ALL=C comm -23 "$T/want" "$T/got" | wc -l) invented $(LC_ALL=C comm -13 "$T/want" "$T/got" | wc -l)"
only=hunt
[ ! -e /usr/include/pcap.h ] || only=libpcap_bpf_count,hunt
python3 "$tools/offline.py" --pcap "$T/big.pcap" --truth "$T/truth.tsv" --reps 3 --helpers "$T/helpers" --only "$only" \
    --hunt "$serviola hunt -r {f} --mails | grep -aP '\tMAIL\t'"
cmp -s "$T/want" "$T/got"
