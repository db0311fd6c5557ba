#!/bin/bash
# However the command is written, it is a mail command: any case, without brackets, in pieces, in one burst.
# alone, since it counts what slips through
. "$(dirname "$0")/lib.sh"
house
sink_on out
serviola_on wall '
hunt: { mode: block }
block: { per_minute: 1000 }'

last=0
for variant in lower upper mixed split one_byte no_brackets pipelined blind; do
    last=$((last + 1))
    address pc "10.1.5.$last"/16 wall
    start "worm-$variant" pc worm --from "10.1.5.$last" --variant $variant --messages 200 --patience 0.5
done
for variant in submission other; do
    last=$((last + 1))
    address pc "10.1.5.$last"/16 wall
    start "worm-$variant" pc worm --from "10.1.5.$last" --port "$([ $variant = other ] && echo 2525 || echo 587)" --messages 200 --patience 0.5
done
for n in $(seq 1 $last); do
    until_true 5 is_blocked wall "10.1.5.$n"
done
say "all $last are blocked"
few $((5 * last))

say "twin: a host that says hello and goodbye is not"
on pc worm --from 10.1.0.3 --variant greet_only --messages 1
is_not is_blocked wall 10.1.0.3
