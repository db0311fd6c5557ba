#!/bin/bash
# A mail server with one interface: what its neighbours send to it is no finding, and nobody is to be blocked.
. "$(dirname "$0")/lib.sh"
host lone neighbour
cable lone 10.5.0.2/24 neighbour 10.5.0.1/24
sink_on lone
serviola_on lone 'hunt: { mode: block }'
on neighbour worm --to 10.5.0.2 --messages 3
until_true 5 event lone hunt.inbound_seen
[ "$(events lone hunt.mail_seen)" = 0 ]
[ "$(events lone act.block_refused)" = 0 ]

say "twin: on the wall, what passes it is"
house
sink_on out
serviola_on wall 'hunt: { mode: block }'
is_not on pc worm --messages 200 --patience 0.3
until_true 5 is_blocked wall 10.1.0.2
