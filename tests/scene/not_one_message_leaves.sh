#!/bin/bash
# In hold mode a host that nobody knows waits for the verdict: not one message of a worm leaves.
. "$(dirname "$0")/lib.sh"
house
sink_on out
serviola_on wall 'hunt: { mode: hold, allow: [10.1.0.25] }'

say "worms of every kind speak, also one that sends all in one burst"
for variant in lower blind pipelined upper split; do
    case $variant in
    lower) from=10.1.0.2 ;;
    blind) from=10.1.0.3 ;;
    *) from=10.1.0.4 ;;
    esac
    is_not on pc worm --from $from --variant $variant --messages 20 --patience 0.4
done
for from in 10.1.0.2 10.1.0.3 10.1.0.4; do
    until_true 5 is_blocked wall $from
done
[ "$(delivered)" = 0 ] || fail "$(delivered) messages left"
until_true 5 event wall hunt.held

say "twin: the mail server of the house is not held"
on pc worm --from 10.1.0.25 --messages 20
[ "$(delivered 10.1.0.25)" = 20 ]
