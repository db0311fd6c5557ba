#!/bin/bash
# A process waits for a frozen file system: the x-ray names the mount and who waits, and no disk is blamed.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/disk.lib.sh"
host box
disk_on 32 "$T/disk" writer

cat >"$T/write.py" <<'PYTHON'
import sys, time
with open(sys.argv[1], "ab", buffering=0) as log:
    while True:
        log.write(b"a line\n")
        time.sleep(0.01)
PYTHON
start writer box python3 "$T/write.py" "$disk/log"
until_true 5 test -s "$disk/log"
say "twin: it writes, and nothing is wrong"
xray box well
is_not shows well frozen_fs
is_not shows well stuck_disk

fsfreeze -f "$disk"
waits()
{
    grep -q '^State:.D' "/proc/$(pid_of writer)/status"
}
until_true 5 waits
before_us=${EPOCHREALTIME/./}
xray box frozen
[ $((${EPOCHREALTIME/./} - before_us)) -lt $((2000000 * ${SCENE_SLOW:-1})) ] || fail "it took more than 2 s"
shows frozen frozen_fs "$disk" "write.py (pid $(pid_of writer))" "$disk/log"
is_not shows frozen stuck_disk "$disk"

say "twin: it answers again"
fsfreeze -u "$disk"
is_not waits || until_true 5 is_not waits
xray box after
is_not shows after frozen_fs
