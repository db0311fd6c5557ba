#!/bin/bash
# The log part dies by kill -9 again and again while faults are found in its lines: each is told, and told once.
. "$(dirname "$0")/lib.sh"
host box
configure box "
hunt: { mode: off }
watch: { mode: off }
log: { mode: keep, folder: $T/box.state/log, files: { all: { path: $T/logs/all.log } } }"
install -d -m 0755 "$T/logs"
: >"$T/logs/all.log"
start serviola-box box serviola run --no-console
until_true 10 event box log.started

# Each host's controller fails once; lines without a fault stand between them.
cat >"$T/write.py" <<'PYTHON'
import sys, time
with open(sys.argv[1], "a", buffering=1) as log:
    for n in range(120):
        now = time.strftime("%b %e %H:%M:%S")
        log.write("%s quiet app[7]: number %d\n" % (now, n))
        log.write("%s host%03d kernel: cciss: cmd 0000010037e04380 has CHECK CONDITION byte 2 = 0x3\n" % (now, n))
        time.sleep(0.05)
PYTHON
start writer box python3 "$T/write.py" "$T/logs/all.log"

started() # COUNT
{
    [ "$(events box log.started)" -ge "$1" ]
}
told() # COUNT
{
    [ "$(on box serviola events --kind log.found --json | grep -c '"rule":"hardware"' || true)" -ge "$1" ]
}
for n in 1 2 3 4; do
    until_true 15 told $((n * 20))
    kill -KILL "$(pgrep -f '^[^ ]*serviola -x log')"
    until_true 15 started $((n + 1))
done
until_true 30 told 120
say "all 120 were told; once each"
on box serviola events --kind log.found --json | grep '"rule":"hardware"' | grep -oE '"name":"host[0-9]*"' | sort | uniq -c | awk '$1 != 1 { print; bad = 1 } END { exit bad }'
say "twin: what comes again is told no second time, a new host's fault is"
sed 's/number/again number/' "$T/logs/all.log" | tail -n 4 >"$T/again"
cat "$T/again" >>"$T/logs/all.log"
printf '%s newhost kernel: cciss: cmd 0000010037e04380 has CHECK CONDITION byte 2 = 0x3\n' "$(date '+%b %e %H:%M:%S')" >>"$T/logs/all.log"
until_true 15 told 121
[ "$(on box serviola events --kind log.found --json | grep -c '"rule":"hardware"')" = 121 ]
finish serviola-box || true
