#!/bin/bash
# Writers hang on a frozen file system: the watch that comes with serviola says so within two seconds, and the picture names it.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/disk.lib.sh"
host box
disk_on 32 "$T/disk" writers serviola-box

cat >"$T/write.py" <<'PYTHON'
import os, sys, time
for n in range(10):
    if os.fork() == 0:
        break
with open(sys.argv[1] + str(n), "ab", buffering=0) as log:
    while True:
        log.write(b"a line\n")
        time.sleep(0.01)
PYTHON
configure box "
hunt: { mode: off }
watch: { read_disks: no }"
serviola_again box
start writers box python3 "$T/write.py" "$disk/log"
until_true 5 test -s "$disk/log9"
until_true 5 event box watch.started

disk_alarm()
{
    on box serviola events --kind watch.triggered --json | grep -q '"name":"disk hangs"'
}
is_not disk_alarm

fsfreeze -f "$disk"
frozen_us=${EPOCHREALTIME/./}
until_true 4 disk_alarm
say "said after $(((${EPOCHREALTIME/./} - frozen_us) / 1000)) ms"
named()
{
    on box serviola events --kind xray. --json | grep '"name":"frozen_fs"' | grep -q "$disk"
}
until_true 5 named
say "explained after $(((${EPOCHREALTIME/./} - frozen_us) / 1000)) ms"
prints ' D ' on box serviola top

say "the disk answers again"
fsfreeze -u "$disk"
until_true 12 event box watch.recovered
status=0
on box serviola watch try 'dstate.stuck > 4' --since 1h >"$T/tried" || status=$?
[ $status = 1 ]
