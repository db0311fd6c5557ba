#!/bin/bash
# More new blocks a minute than allowed: the cap holds, and is said aloud instead of locking out a house.
. "$(dirname "$0")/lib.sh"
house
hosts=$(printf '10.1.7.%s,' $(seq 1 20))
printf 'addr add 10.1.7.%s/16 dev wall\n' $(seq 1 20) | ip -n pc -batch -
sink_on out
serviola_on wall '
hunt: { mode: block }
block: { per_minute: 5 }'
is_not on pc worm --from "${hosts%,}" --messages 3 --patience 0.5
until_true 5 event wall act.cap_reached
[ "$(on wall serviola blocks --json | grep -c '"10\.1\.7\.')" = 5 ]
[ "$(events wall act.blocked)" = 5 ]
finish serviola-wall || true

say "twin: with room for all, all are blocked and nothing is said"
rm -r "$T/wall.state"
on wall nft flush ruleset
serviola_on wall '
hunt: { mode: block }
block: { per_minute: 50 }'
is_not on pc worm --from "${hosts%,}" --messages 50 --patience 0.5
until_true 5 eval '[ "$(on wall serviola blocks --json | grep -c 10.1.7.)" = 20 ]'
[ "$(events wall act.cap_reached)" = 0 ]
finish serviola-wall || true

say "no more than so many at once; that is said too, and nobody who stands is lost"
rm -r "$T/wall.state"
on wall nft flush ruleset
serviola_on wall '
hunt: { mode: block }
block: { total: 5 }'
is_not on pc worm --from "${hosts%,}" --messages 3 --patience 0.5
until_true 5 event wall act.cap_reached
[ "$(on wall serviola blocks --json | grep -c '"10\.1\.7\.')" = 5 ]
[ "$(events wall act.blocked)" = 5 ]
