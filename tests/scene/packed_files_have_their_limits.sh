#!/bin/bash
# Among rotated files: a gzip bomb, one that is cut, one with something behind its end, one of two members, one that is no log.
# Each trouble is named with its file, the limit holds in memory too, and all other lines are there.
. "$(dirname "$0")/lib.sh"
host box
mkdir "$T/var"
lines() # FROM TO
{
    seq -f 'Dec  5 18:28:00 web1 app[7]: number %.0f' "$1" "$2"
}
lines 1 1000 | gzip >"$T/var/good.log.2.gz"
(lines 1001 1500 | gzip; lines 1501 2000 | gzip) >"$T/var/good.log.1.gz" # two members
lines 2001 2500 >"$T/var/good.log"
lines 1 20000 | gzip | head -c 20000 >"$T/var/cut.log.1.gz"
(lines 3001 3100 | gzip; printf 'what does not belong here') >"$T/var/tail.log.1.gz"
head -c 100000 /dev/urandom >"$T/var/noise.log.1.gz"
python3 - "$T/var" <<'PYTHON'
import gzip, sys
with gzip.open(sys.argv[1] + "/bomb.log.1.gz", "wb", 9) as f: # 300 MB in 300 KB, lines; and one that never ends
    for _ in range(300):
        f.write(b"Dec  5 18:28:00 web1 app[7]: bomb\n" * (1000000 // 34))
with gzip.open(sys.argv[1] + "/endless.log.1.gz", "wb", 9) as f:
    for _ in range(300):
        f.write(b"x" * 1000000)
PYTHON
install -d "$T/store"
code=0
/usr/bin/env time -f '%M' -o "$T/memory" ip netns exec box serviola log import --store "$T/store" --most 20000000 "$T/var" >"$T/told" 2>"$T/trouble" || code=$?

say "each is named, with what is wrong with it"
cat "$T/trouble"
[ $code = 1 ]
grep -q 'bomb.log.1.gz: it unpacks to more than 20000000 bytes' "$T/trouble"
grep -q 'endless.log.1.gz: it unpacks to more than 20000000 bytes' "$T/trouble"
grep -q 'cut.log.1.gz: behind byte [0-9]*: ' "$T/trouble"
grep -q 'noise.log.1.gz: this is no text' "$T/trouble"
is_not grep -q 'good.log' "$T/trouble"

say "all lines of the others are there, in their order; of the cut one those before the cut"
serviola log show --raw --store "$T/store" >"$T/all"
for file in good tail cut; do
    grep -E "^ *[0-9]+  $T/var/$file" "$T/told" >"$T/$file.told"
done
[ "$(awk '{ n += $1 } END { print n }' "$T/good.told")" = 2500 ]
[ "$(awk '{ n += $1 } END { print n }' "$T/tail.told")" -ge 100 ]
[ "$(awk '{ n += $1 } END { print n }' "$T/cut.told")" -ge 5000 ]
[ "$(awk '{ n += $1 } END { print n }' "$T/told")" -ge "$(wc -l <"$T/all")" ]
good() # in the order in which they were kept
{
    serviola log search --oldest-first --store "$T/store" --json number | grep -F "$T/var/good.log" | grep -oE 'number [0-9]+' | cut -d' ' -f2
}
seq 1 2500 | cmp - <(good)

say "twin: without the bombs it is fine, and in memory it is the same"
read -r with_bombs < <(tail -n 1 "$T/memory")
say "$with_bombs KiB at most"
rm "$T"/var/{bomb,endless,cut,noise,tail}.*
/usr/bin/env time -f '%M' -o "$T/memory" ip netns exec box serviola log import --store "$T/other" "$T/var" >/dev/null
[ "$with_bombs" -le $((150 * 1024)) ]

say "the analysis says where a file is cut, too"
lines 1 20000 | gzip | head -c 20000 >"$T/cut.gz"
serviola log analyse "$T/cut.gz" >"$T/read" 2>"$T/trouble" || true
grep -q truncated "$T/trouble" "$T/read"

say "so do the templates, and of a whole packed file they are the plain one's"
templates()
{
    serviola log templates "$1"
}
lines 1 2000 >"$T/plain.log"
for pack in gzip zstd xz; do
    $pack -c "$T/plain.log" >"$T/plain.packed"
    cmp <(templates "$T/plain.log") <(templates "$T/plain.packed")
done
if templates "$T/cut.gz" >"$T/read" 2>"$T/trouble"; then fail "a cut file passes for whole"; fi
grep -q truncated "$T/trouble"
grep -q . "$T/read"
