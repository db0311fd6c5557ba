#!/bin/bash
# A log whose writer lives and says nothing any more is told with since when; one that was rotated away is not.
. "$(dirname "$0")/lib.sh"
host box
cat >"$T/write.py" <<'PYTHON'
import sys, time
log = open(sys.argv[1], "a", buffering=1)
for i in range(int(sys.argv[2])):
    log.write("a line of some length, number %d\n" % i)
    time.sleep(0.02)
time.sleep(120)
PYTHON
mkdir "$T/log"
start quiet box python3 "$T/write.py" "$T/log/quiet.log" 60
start first box python3 "$T/write.py" "$T/log/rotated.log" 30
lines() # FILE COUNT
{
    [ "$(wc -l <"$T/log/$1")" -ge "$2" ]
}
until_true 10 lines rotated.log 30
mv "$T/log/rotated.log" "$T/log/rotated.log.1"
start second box python3 "$T/write.py" "$T/log/rotated.log" 4000
until_true 10 lines quiet.log 60
tells()
{
    xray box now
    shows now log_silence "$T/log/quiet.log: nothing since" "write.py (pid $(pid_of quiet)) lives"
}
until_true 40 tells
is_not shows now log_silence rotated.log
