#!/bin/bash
# Down, renamed, removed: who reads that an interface was lost reads what happened to it.
. "$(dirname "$0")/lib.sh"
house
sink_on out
serviola_on wall 'hunt: { mode: block }'
lost() # WHY
{
    prints "$1" on wall serviola events --kind hunt.interface_lost --json
}

ip -n wall link set pc down
until_true 5 lost 'it went down'
is_not lost 'it was r'
ip -n wall link set pc name lan
ip -n wall link set lan up
until_true 5 lost 'it was renamed to lan'
until_true 5 prints '"name":"lan"' on wall serviola events --kind hunt.started --json
is_not on pc worm --messages 200 --patience 0.3
until_true 5 is_blocked wall 10.1.0.2

say "twin: what was not removed is not said to be"
is_not lost 'it was removed'
ip -n wall link del lan
until_true 5 lost 'it was removed'
