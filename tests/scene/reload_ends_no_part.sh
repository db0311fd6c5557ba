#!/bin/bash
# A new configuration is taken over by the parts that run: none of them ends for it, however often it happens.
. "$(dirname "$0")/lib.sh"
house
sink_on out
serviola_on wall 'hunt: { mode: hold }'
before=$(serviola_processes)

loaded() # so many times
{
    [ "$(events wall conf.loaded)" = "$1" ]
}

for n in $(seq 1 8); do
    kill -HUP "$(pid_of serviola-wall)"
    until_true 5 loaded "$n"
done
[ "$(serviola_processes)" = "$before" ] || fail "other processes run than before"
[ "$(events wall role.died)" = 0 ]

say "it still holds"
is_not on pc worm --messages 3 --patience 0.5
until_true 5 is_blocked wall 10.1.0.2
[ "$(delivered)" = 0 ]

say "twin: what can't change under a running valve is left as it was, and said"
sed -i 's/mode: hold/mode: hold, valve: { fails_open: no }/' "$T/wall.conf"
kill -HUP "$(pid_of serviola-wall)"
until_true 5 loaded 9
prints "hunt.valve changes with the next start" on wall serviola events --kind conf.loaded
[ "$(events wall role.died)" = 0 ]
