#!/bin/bash
# With several readers a worm is found and blocked as with one; what is counted for a host is counted in one place; a reload
# reaches all of them, and they end together.
. "$(dirname "$0")/lib.sh"
house
sink_on out
serviola_on wall 'hunt: { mode: block, allow: 10.1.0.25, limits: { any_mail: no, connections: 6 }, tables: { threads: 3 } }'
[ "$(events wall hunt.started)" = 2 ] || fail "each interface is reported once"

say "the sixth connection is allowed, the seventh is not: whoever reads it"
on pc worm --messages 6
[ "$(events wall hunt.rate_crossed)" = 0 ]
is_not on pc worm --messages 6 --patience 0.5
until_true 5 is_blocked wall 10.1.0.2
[ "$(events wall hunt.rate_crossed)" = 1 ]
until_true 5 event wall hunt.evidence_kept

say "after a reload any mail is one too many"
configure wall 'hunt: { mode: block, allow: 10.1.0.25, tables: { threads: 3 } }'
kill -HUP "$(pid_of serviola-wall)"
until_true 5 eval '[ "$(events wall conf.loaded)" -ge 1 ]'
for n in 3 4; do
    is_not on pc worm --from "10.1.0.$n" --messages 50 --patience 0.5
    until_true 5 is_blocked wall "10.1.0.$n"
done

say "twin: an allowed server is left alone by all of them"
on pc worm --from 10.1.0.25 --messages 20
is_not is_blocked wall 10.1.0.25
finish serviola-wall
