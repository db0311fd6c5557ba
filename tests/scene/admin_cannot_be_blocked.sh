#!/bin/bash
# Nobody can be locked out who must not be: administrators, our own addresses, the gateway.
. "$(dirname "$0")/lib.sh"
house
sink_on out
serviola_on wall '
hunt: { mode: block }
block: { admin: [10.1.0.3] }'

say "a worm on the administrator's machine: reported, not blocked"
on pc worm --from 10.1.0.3 --messages 3
until_true 5 event wall act.block_refused --src 10.1.0.3
is_not is_blocked wall 10.1.0.3

say "not by hand either, and it is said why"
for who in 10.1.0.3 10.1.0.1 10.2.0.1 10.2.0.2 fd01::1 127.0.0.1 224.0.0.1 0.0.0.0; do
    is_not on wall serviola block $who --why "by mistake"
    is_not is_blocked wall $who
done
prints admin on wall serviola block 10.1.0.3

say "twin: another host is blocked for the same"
is_not on pc worm --from 10.1.0.4 --messages 200 --patience 0.3
until_true 5 is_blocked wall 10.1.0.4
