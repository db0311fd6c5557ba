#!/bin/bash
# A thousand messages are one finding, and one line that says how many they were.
. "$(dirname "$0")/lib.sh"
house
sink_on out
serviola_on wall 'hunt: { mode: observe }'
on pc worm --messages 1000 --reuse
until_true 5 event wall hunt.source_summed
[ "$(events wall hunt.mail_seen)" = 1 ]
[ "$(events wall hunt.source_summed)" = 1 ]
prints '"count":1000' on wall serviola events --kind hunt.source_summed --json
prints '"recipients":1000' on wall serviola events --kind hunt.source_summed --json

say "twin: one message needs no summing up"
on pc worm --from 10.1.0.3 --messages 1
until_true 5 event wall hunt.mail_seen --src 10.1.0.3
is_not event wall hunt.source_summed --src 10.1.0.3
