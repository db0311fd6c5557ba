#!/bin/bash
# A packet that anybody could have written blocks nobody: only a proven connection counts.
. "$(dirname "$0")/lib.sh"
house
host victim
cable victim 10.3.0.2/24 wall 10.3.0.1/24
sink_on out
serviola_on wall 'hunt: { mode: block, tables: { half_open_wait: 1s, idle: 1s } }'

say "somebody on the pc forges mail commands in the victim's name"
for what in data guess data guess; do
    on pc forge $what --from 10.3.0.2
    on pc forge $what --from 10.1.0.77
done
until_true 5 event wall hunt.unconfirmed

say "nobody is blocked; the victim's mail connection still works"
[ "$(events wall act.blocked)" = 0 ]
is_not is_blocked wall 10.3.0.2
is_not is_blocked wall 10.1.0.77
on victim worm --variant greet_only --messages 1

say "twin: who really speaks is blocked"
is_not on pc worm --messages 200 --patience 0.3
until_true 5 is_blocked wall 10.1.0.2
is_not is_blocked wall 10.3.0.2
