#!/bin/bash
# The second story on `log timeline`: the last line before, the silence, the boot, what the controller says, in this order, each
# line with its proof; and of the configured store, with what serviola itself did between the lines.
. "$(dirname "$0")/lib.sh"
host box
export TZ=UTC
cat >"$T/write.py" <<'PYTHON'
import os, random, sys, time
from calendar import timegm

random.seed(46)
FROM, TO = timegm((2007, 12, 5, 17, 0, 0)), timegm((2007, 12, 6, 14, 0, 0))
DOWN, UP = timegm((2007, 12, 5, 18, 28, 0)), timegm((2007, 12, 6, 12, 29, 20))
BOOT = (
    "syslogd 1.4.1: restart.",
    "kernel: Linux version 2.6.18-8.el5 (mockbuild@builder) #1 SMP",
    "kernel: WARNING: NR_CPUS limit of 1 reached.  Processor ignored.",
    "kernel: HP CISS Driver (v 3.6.14-RH1)",
    "kernel: cciss: cmd 0000010037e04380 has CHECK CONDITION sense key = 0x3",
    "kernel: Buffer I/O error on device cciss/c0d0p3, logical block 1289",
)
for host, gap in (("vlnx1", 20), ("mx1", 60), ("db1", 90)):
    lines, t = [], FROM
    while t < TO:
        if host != "vlnx1" or not DOWN <= t < UP:
            lines.append((t, "app[7]: request %d was answered" % random.randint(1, 99999)))
        t += random.randint(1, gap)
    if host == "vlnx1":
        lines = [l for l in lines if not UP <= l[0] < UP + 30] + [(UP + i, text) for i, text in enumerate(BOOT)]
        lines += [(FROM + 60, "kernel: cciss: cmd 1 has been found"), (DOWN - 1, "crond[91]: (root) CMD (the last one)")]
    path = "%s/%s.log" % (sys.argv[1], host)
    with open(path, "w") as f:
        for at, text in sorted(lines):
            f.write("%s %s %s\n" % (time.strftime("%b %e %H:%M:%S", time.gmtime(at)), host, text))
    os.utime(path, (TO, TO))
PYTHON
mkdir "$T/var"
python3 "$T/write.py" "$T/var"
store=$T/box.state/log
configure box "
hunt: { mode: off }
watch: { mode: off }
log: { mode: keep, folder: $store, tcp: \"127.0.0.1:5514\" }"
on box serviola log import "$T/var" >/dev/null
chown -R serviola-log: "$store"

say "the last line, the silence, the boot, the new errors: in this order"
on box serviola log timeline --from 2007-12-05T18:20:00Z --to 2007-12-06T12:40:00Z >"$T/all"
on box serviola log timeline --from 2007-12-05T18:20:00Z --to 2007-12-06T12:40:00Z --host vlnx1 >"$T/own"
at() # FILE WORDS: the number of the one line that has them
{
    [ "$(grep -cF -- "$2" "$1")" = 1 ] || fail "not once in $1: $2"
    grep -nF -- "$2" "$1" | cut -d: -f1
}
for file in all own; do
    before=0
    for words in 'CMD (the last one)' 'syslogd 1.4.1: restart' 'Linux version 2.6.18' 'NR_CPUS limit of 1' 'HP CISS Driver' \
        'has CHECK CONDITION' 'Buffer I/O error'; do
        this=$(at "$T/$file" "$words")
        [ "$this" -gt "$before" ] || fail "not in its place in $file: $words"
        before=$this
    done
done
last=$(at "$T/own" 'CMD (the last one)')
[ "$(at "$T/own" 'syslogd 1.4.1: restart')" = $((last + 1)) ]
sed -n "$last"p "$T/own" | grep -q '^2007-12-05T18:27:59'
sed -n $((last + 1))p "$T/own" | grep -q '^2007-12-06T12:29:20'
is_not grep -q 'has been found' "$T/all"
[ "$(awk 'length($1) && $1 < last { bad++ } { last = $1 } END { print bad + 0 }' "$T/all")" = 0 ]

say "others spoke while it was silent: the silence is its own"
silent=$(awk '$1 > "2007-12-05T18:28" && $1 < "2007-12-06T12:29:20"' "$T/all")
prints ' mx1 ' echo "$silent"
prints ' db1 ' echo "$silent"
is_not prints ' vlnx1 ' echo "$silent"

say "each line's proof leads to it: its store, its segment, its block"
proven()
{
    local words=$1 proof seq segment block file

    proof=$(grep -F -- "$words" "$T/all" | grep -oE '\[[0-9a-f]{8}:[0-9]+ [0-9]+/[0-9]+\]')
    read -r seq segment block < <(tr -c '0-9a-f\n' ' ' <<<"$proof" | awk '{ print $2, $3, $4 }')
    file=$store/$(printf %010d "$segment").zst
    [ "$(tail -c +$((block + 1)) "$file" | zstdcat | grep -acF -- "$words")" = 1 ]
    [ "$(on box serviola log search --json "$words" | grep -o '"seq":[0-9]*' | cut -d: -f2)" = "$seq" ]
}
proven 'CMD (the last one)'
proven 'has CHECK CONDITION'
on box serviola log verify "$store" >/dev/null

say "serviola's own events stand between the lines"
start serviola-box box serviola run --no-console
until_true 10 event box log.started
send() # TEXT
{
    on box python3 - "$1" <<'PYTHON'
import datetime, socket, sys
now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
socket.create_connection(("127.0.0.1", 5514)).sendall(("<13>1 %s web1 app 7 - - %s\n" % (now, sys.argv[1])).encode())
PYTHON
    until_true 10 on box serviola log search --count "$1"
}
began=$(date -u +%Y-%m-%dT%H:%M:%SZ)
send 'before the address'
on box serviola allow 10.9.9.9
send 'behind the address'
in_order()
{
    on box serviola log timeline --from "$began" >"$1"
    local before behind own

    before=$(at "$1" 'before the address')
    own=$(at "$1" 10.9.9.9)
    behind=$(at "$1" 'behind the address')
    [ "$before" -lt "$own" ] || fail "$(cat "$1")"
    [ "$own" -lt "$behind" ] || fail "$(cat "$1")"
    sed -n "$own"p "$1" | grep -qE '^[0-9T:.-]+Z  serviola  '
}
in_order "$T/live"
on box serviola log timeline --from "$began" --json >"$T/json"
python3 - "$T/json" <<'PYTHON'
import json, sys
rows = [json.loads(line) for line in open(sys.argv[1], encoding="utf8")]
assert [r["at"] for r in rows] == sorted(r["at"] for r in rows), rows
assert any(r.get("kind") for r in rows) and sum("segment" in r for r in rows) == 2, rows
PYTHON

say "also from the disk, when nobody runs; twins: a store by itself has no events, and a time before them shows none"
finish serviola-box || true
in_order "$T/still"
on box serviola log timeline --from "$began" --store "$store" >"$T/alone"
[ "$(wc -l <"$T/alone")" = 2 ]
is_not grep -q '  serviola  ' "$T/all"
