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

say "nobody is blocked for longer than the kernel can count, whoever asks"
prints "at most 366d" on wall serviola block 10.1.0.3 --for 900d
prints "366 days at most" on wall ask "$T/wall.state/control" 10.1.0.3 $((900 * 86400))
is_not is_blocked wall 10.1.0.3
prints "is blocked already" on wall serviola block 10.1.0.4 --json
