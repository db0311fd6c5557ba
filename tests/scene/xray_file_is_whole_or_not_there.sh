#!/bin/bash
# The picture's file: never through a link, never over another file, never half; one changed byte is found.
. "$(dirname "$0")/lib.sh"
host box
out()
{
    on box serviola xray -o "$@"
}
mkdir "$T/real"
ln -s "$T/real" "$T/way"
ln -s "$T/target" "$T/link"
mkfifo "$T/pipe"
echo old >"$T/old"

say "links, pipes, folders and files that are there"
is_not out "$T/way/a.xray"
is_not out "$T/link" --force
is_not out "$T/pipe" --force
is_not out "$T/real" --force
is_not out "$T/old"
[ ! -e "$T/target" ]
[ -z "$(ls "$T/real")" ]
[ "$(cat "$T/old")" = old ]

say "a full disk: the old file stays, and it is said"
mkdir "$T/small"
mount -t tmpfs -o size=64k small "$T/small"
echo old >"$T/small/a.xray"
head -c 1M /dev/zero >"$T/small/fill" 2>/dev/null || true
status=0
out "$T/small/a.xray" --force 2>"$T/said" || status=$?
[ $status = 3 ]
grep -q 'No space left' "$T/said"
[ "$(cat "$T/small/a.xray")" = old ]
[ ! -e "$T/small/a.xray.part" ]

say "what a writer that died left does not stand in the way"
: >"$T/a.xray.part"
out "$T/a.xray"
[ ! -e "$T/a.xray.part" ]
[ "$(stat -c %a "$T/a.xray")" = 600 ]
serviola explain "$T/a.xray" >/dev/null || [ $? = 1 ]
tar --zstd -xOf "$T/a.xray" manifest.json | python3 -c '
import json, sys
manifest = json.load(sys.stdin)
assert manifest["command"][0] == "xray" and len(manifest["parts"]) > 10'

say "one changed byte names its member"
mkdir "$T/parts"
tar --zstd -C "$T/parts" -xf "$T/a.xray"
sed -i '1s/"taken_by":"serviola/"taken_by":"servi0la/' "$T/parts/host.jsonl"
tar --zstd -C "$T/parts" --format=ustar -cf "$T/b.xray" manifest.json host.jsonl
status=0
serviola explain "$T/b.xray" 2>"$T/said" || status=$?
[ $status = 3 ]
grep -q host.jsonl "$T/said"
