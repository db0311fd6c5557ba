#!/bin/bash
# A block is lifted by command: mail flows within a second, and the journal knows who did it.
. "$(dirname "$0")/lib.sh"
house
sink_on out
serviola_on wall 'hunt: { mode: block }'
on wall serviola block 10.1.0.3 --for 1h --why "asked by phone"
is_blocked wall 10.1.0.3
is_not on pc worm --from 10.1.0.3 --variant greet_only --messages 1 --patience 0.3

on wall serviola unblock 10.1.0.3 --why "it was the printer"
until_true 1 on pc worm --from 10.1.0.3 --variant greet_only --messages 1 --patience 0.3
is_not is_blocked wall 10.1.0.3
until_true 5 event wall act.unblocked --src 10.1.0.3
prints root on wall serviola events --kind act.unblocked
prints "asked by phone" on wall serviola why 10.1.0.3

say "twin: a host that was not blocked has nothing to lift"
is_not on wall serviola unblock 10.1.0.4
[ "$(events wall act.unblocked)" = 1 ]
