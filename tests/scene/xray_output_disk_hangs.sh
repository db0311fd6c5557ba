#!/bin/bash
# The disk for the picture's file hangs: the command says so within seconds, and goes elsewhere when it may choose.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/disk.lib.sh"
host box
disk_on 32
fsfreeze -f "$disk"
before_us=${EPOCHREALTIME/./}
status=0
on box serviola xray -o "$disk/a.xray" 2>"$T/said" || status=$?
took_ms=$(((${EPOCHREALTIME/./} - before_us) / 1000))
[ $status = 3 ]
[ $took_ms -lt 9000 ] || fail "it waited $took_ms ms"
grep -q 'does not answer' "$T/said"

say "alone it explains, and keeps the picture in memory"
mkdir -p /var/lib/serviola
mount --bind "$disk" /var/lib/serviola
mount -t tmpfs run /run/serviola 2>/dev/null || { mkdir -p /run/serviola && mount -t tmpfs run /run/serviola; }
on box serviola xray >"$T/told" 2>&1 || [ $? = 1 ]
grep -q 'kept: /run/serviola/xray/' "$T/told"
umount /var/lib/serviola
