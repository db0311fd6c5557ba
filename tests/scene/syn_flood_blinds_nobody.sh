#!/bin/bash
# A flood of SYNs from random sources does not push out the flow that speaks.
. "$(dirname "$0")/lib.sh"
house
sink_on out
serviola_on wall 'hunt: { mode: block }'

# The wall need not look for the hosts that are not there.
ip -n wall route add blackhole 10.1.128.0/17

say "200,000 SYNs from random hosts; while they come, a worm speaks"
start flood pc forge flood --from 10.1.128.0/17 --count 200000
is_not on pc worm --from 10.1.0.3 --messages 200 --patience 0.5
until_true 5 is_blocked wall 10.1.0.3
kill -0 "$(pid_of flood)" 2>/dev/null || say "(the flood was over before)"
finish flood KILL || true

say "and nobody else is"
[ "$(events wall act.blocked)" = 1 ]
answers wall
