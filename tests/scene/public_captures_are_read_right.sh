#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Captures of public test suites, and made ones whose truth is known: each MAIL and RCPT is found, none is invented.
# Needs no namespace; the captures are too large for the tree.
set -euo pipefail

data=${SERVIOLA_DATA:-$(dirname "$0")/../../../shared/data}/pcap
serviola=${SERVIOLA:-${SERVIOLA_BUILD:-build-check}/serviola}
[ -d "$data/public" ] || {
    echo "skipped: no captures in $data"
    exit 77
}
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
bad=0 good=0

wrong() # CAPTURE REASON
{
    printf 'not ok - %s: %s\n' "$(basename "$1")" "$2"
    wrong_file=yes
}

read_capture() # CAPTURE: its rows without those that the lists do not speak of, sorted
{
    local status=0
    timeout 20 "$serviola" hunt -r "$1" --mails >"$T/all" 2>"$T/err" || status=$?
    [ $status -lt 4 ] || wrong "$1" "exit code $status: $(tail -n 1 "$T/err")"
    awk -F'\t' '$5 == "MAIL" || $5 == "RCPT" || $5 == "SNI"' "$T/all" | LC_ALL=C sort >"$T/rows"
}

count()
{
    wrong_file=no
    "$@"
    if [ $wrong_file = yes ]; then bad=$((bad + 1)); else good=$((good + 1)); fi
}

public() # CAPTURE: rows equal, but for server names
{
    read_capture "$1"
    awk -F'\t' -v OFS='\t' 'NR > 1 && ($7 == "MAIL" || $7 == "RCPT") { print $2, $3, $4, $5, $7, $9 }' "$1.expected.tsv" |
        LC_ALL=C sort >"$T/want"
    awk -F'\t' '$5 != "SNI"' "$T/rows" >"$T/got"
    diff "$T/want" "$T/got" >"$T/diff" || wrong "$1" "$(head -n 3 "$T/diff" | tr '\n' ' ')"
}

made() # CAPTURE: all that must be, nothing that must not, one of those that may
{
    local truth=${1%.*}.truth.tsv
    read_capture "$1"
    rows() { awk -F'\t' -v OFS='\t' -v kind="$1" '$1 == kind { print $2, $3, $4, $5, $6, $7 }' "$truth" | LC_ALL=C sort; }
    rows must | LC_ALL=C comm -23 - "$T/rows" >"$T/missing"
    [ ! -s "$T/missing" ] || wrong "$1" "missing $(head -n 1 "$T/missing")"
    rows mustnot | LC_ALL=C comm -12 - "$T/rows" >"$T/forbidden"
    [ ! -s "$T/forbidden" ] || wrong "$1" "invented $(head -n 1 "$T/forbidden")"
    while IFS= read -r secret; do
        ! grep -qF -- "$secret" "$T/all" || wrong "$1" "a secret is shown"
    done < <(awk -F'\t' '$1 == "mustnot" && $6 == "AUTH" { print $7 }' "$truth")
    awk -F'\t' -v OFS='\t' '$1 == "may" && /one-of/ { print $2, $3, $4, $5, $6, $7 }' "$truth" | LC_ALL=C sort >"$T/may"
    [ ! -s "$T/may" ] || [ -n "$(LC_ALL=C comm -12 "$T/may" "$T/rows")" ] || wrong "$1" "neither of two copies was read"
}

for capture in "$data"/public/*.pcap "$data"/public/*.pcapng; do
    [ ! -f "$capture" ] || count public "$capture"
done
for capture in "$data"/synthetic/*.pcap "$data"/synthetic/*.pcapng; do
    [ ! -f "$capture" ] || count made "$capture"
done
echo "$good captures read right, $bad wrong"
[ $bad -eq 0 ] && [ $good -gt 0 ]
