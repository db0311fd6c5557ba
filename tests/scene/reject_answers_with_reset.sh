#!/bin/bash
# With `how: reject` a blocked host is told at once; with drop it hears nothing.
. "$(dirname "$0")/lib.sh"
house
sink_on out
serviola_on wall '
hunt: { mode: block }
block: { how: reject }'
on wall serviola block 10.1.0.3 --for 1h
ends()
{
    on pc worm --from "$1" --variant greet_only --messages 1 --patience "$2" || true
}
prints refused ends 10.1.0.3 2
say "a running connection is cut the same way"
on pc worm --from 10.1.0.2 --reuse --messages 1000 --patience 3 >"$T/end" || true
grep -qE 'reset|refused' "$T/end" || fail "it ended with: $(cat "$T/end")"
finish serviola-wall || true

say "twin: with drop there is no answer"
serviola_on wall '
hunt: { mode: block }
block: { how: drop }'
on wall serviola block 10.1.0.4 --for 1h
prints silence ends 10.1.0.4 0.5
