#!/bin/bash
# A blocked host that keeps knocking fills no log: its lines are limited one by one, its packets are all counted.
. "$(dirname "$0")/lib.sh"
house
sink_on out
serviola_on wall '
hunt: { mode: block }
block: { log_per_minute: 10 }'
on wall serviola block 10.1.0.3 --for 1h
on wall serviola block 10.1.0.4 --for 1h

say "5,000 knocks"
on pc forge flood --from 10.1.0.3/32 --count 5000

dropped() # ADDR
{
    on wall serviola blocks --json | grep -F "\"$1\"" | grep -oE '"packets":[0-9]+' | cut -d: -f2
}
until_true 5 eval '[ "$(dropped 10.1.0.3)" -ge 5000 ]'

say "the kernel writes lines for it at ten a minute (it does not write those of namespaces; the limit is read from the rule)"
prints 'limit rate 10/minute' on wall nft list table inet serviola
limited=$(on wall nft list set inet serviola logged4)
prints 10.1.0.3 echo "$limited"

say "twin: who does not knock has no line and no count"
is_not prints 10.1.0.4 echo "$limited"
[ "$(dropped 10.1.0.4)" = 0 ]
finish serviola-wall || true

say "twin: with 0 nothing is logged"
rm -r "$T/wall.state"
on wall nft flush ruleset
serviola_on wall '
hunt: { mode: block }
block: { log_per_minute: 0 }'
on wall serviola block 10.1.0.3 --for 1h
is_not prints 'log prefix' on wall nft list table inet serviola
