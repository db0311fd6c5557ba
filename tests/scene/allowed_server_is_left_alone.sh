#!/bin/bash
# The mail server of the house sends as much as it likes; a host that is allowed later is unblocked at once.
. "$(dirname "$0")/lib.sh"
house
sink_on out
serviola_on wall '
hunt: { mode: block, allow: [10.1.0.25, "fd01::2"] }'

on pc worm --from 10.1.0.25 --reuse --messages 500
on pc worm --to fd02::2 --messages 10
[ "$(delivered)" = 510 ]

say "twin: a host that is not on the list is blocked"
is_not on pc worm --from 10.1.0.2 --messages 200 --patience 0.3
until_true 5 is_blocked wall 10.1.0.2
[ "$(events wall act.blocked)" = 1 ]

say "it is put on the list by command: free at once, and it stays so"
on wall serviola allow 10.1.0.2
is_not is_blocked wall 10.1.0.2
on pc worm --from 10.1.0.2 --messages 10
until_true 5 event wall act.allowed
[ "$(events wall act.blocked)" = 1 ]

say "and taken off again"
on wall serviola allow 10.1.0.2 --remove
is_not on pc worm --from 10.1.0.2 --messages 200 --patience 0.3
until_true 5 is_blocked wall 10.1.0.2
