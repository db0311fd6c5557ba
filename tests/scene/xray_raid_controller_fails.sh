#!/bin/bash
# The lines that the second story's controller wrote are one group with its times; a driver that only greets is no failure.
. "$(dirname "$0")/lib.sh"
host box
[ -w /dev/kmsg ] || skip "the kernel's log can't be written"
mark=dfb4$(printf %04x "$RANDOM") # the kernel keeps what earlier runs wrote

xray box before
is_not shows before failing_disk "$mark"
echo "<6>smartpqi 0000:03:00.0: $mark found a controller" >/dev/kmsg
for _ in 1 2 3 4 5 6; do
    echo "<4>cciss: cmd $mark has CHECK CONDITION byte 2 = 0x3" >/dev/kmsg
done
xray box now
shows now failing_disk cciss "$mark" "written by a program" "sense key 3"
is_not shows now failing_disk smartpqi "$mark"
serviola xray diff "$T/before.xray" "$T/now.xray" >"$T/changes" || [ $? = 1 ]
