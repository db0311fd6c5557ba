#!/bin/bash
# Where a journal is, its key signs the picture: one changed byte of the manifest is found.
. "$(dirname "$0")/lib.sh"
host box
serviola_on box
xray box now
prints "signed with the key of segment" serviola xray show "$T/now.xray"
mkdir "$T/parts"
tar --zstd -C "$T/parts" -xf "$T/now.xray"
sed -i '1s/"host":"/"host":"x/' "$T/parts/manifest.json"
(cd "$T/parts" && tar --zstd --format=ustar -cf "$T/forged.xray" manifest.json ./*.jsonl seal.json --transform 's,^\./,,')
status=0
serviola explain "$T/forged.xray" 2>"$T/said" || status=$?
[ $status = 3 ]
grep -q 'signature' "$T/said"
