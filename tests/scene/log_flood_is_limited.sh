#!/bin/bash
# A blocked host that keeps knocking fills no log: its lines are limited, its packets are counted.
. "$(dirname "$0")/lib.sh"
house
sink_on out
serviola_on wall '
hunt: { mode: block }
block: { log_per_minute: 10 }'
on wall serviola block 10.1.0.3 --for 1h

say "5,000 knocks"
on pc forge flood --from 10.1.0.3/32 --count 5000

dropped()
{
    on wall serviola blocks --json | grep -F '"10.1.0.3"' | grep -oE '"packets":[0-9]+' | cut -d: -f2
}
until_true 5 eval '[ "$(dropped)" -ge 5000 ]'
