#!/bin/bash
# A block ends when its time is over: in the kernel, in the list, with an event.
. "$(dirname "$0")/lib.sh"
house
sink_on out
serviola_on wall 'hunt: { mode: block }'
on wall serviola block 10.1.0.3 --for 3s --why short
on wall serviola block 10.1.0.4 --for 1h --why long
is_blocked wall 10.1.0.3
is_not on pc worm --from 10.1.0.3 --variant greet_only --messages 1 --patience 0.3

free()
{
    ! is_blocked wall 10.1.0.3
}
until_true 8 free
until_true 2 event wall act.block_expired --src 10.1.0.3
is_not prints 10.1.0.3 on wall nft list set inet serviola block4
on pc worm --from 10.1.0.3 --variant greet_only --messages 1

say "twin: the longer one stands"
is_blocked wall 10.1.0.4
[ "$(events wall act.block_expired)" = 1 ]
