#!/bin/bash
# An interface that appears later is hunted on too; one that goes away is missed aloud, and found again.
. "$(dirname "$0")/lib.sh"
house
sink_on out
serviola_on wall 'hunt: { mode: block }'

say "a new cable"
host late
cable late 10.4.0.2/24 wall 10.4.0.1/24
until_true 5 listens wall
is_not on late worm --messages 200 --patience 0.5
until_true 5 is_blocked wall 10.4.0.2

say "the cable of the pc is pulled out, and put in again"
ip -n wall link del pc
until_true 5 eval 'prints "\"pc\"" on wall serviola events --kind hunt.interface_lost --json'
cable pc 10.1.0.2/16 wall 10.1.0.1/16
until_true 5 listens wall
is_not on pc worm --messages 200 --patience 0.5
until_true 5 is_blocked wall 10.1.0.2

say "twin: the cable that stayed was never missed"
is_not prints '"out"' on wall serviola events --kind hunt.interface_lost --json
