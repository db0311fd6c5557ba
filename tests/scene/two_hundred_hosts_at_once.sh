#!/bin/bash
# Two hundred hosts catch the worm in the same second: each is blocked, each once.
# alone, since it counts what slips through
. "$(dirname "$0")/lib.sh"
house
hosts=$(printf '10.1.7.%s,' $(seq 1 200))
printf 'addr add 10.1.7.%s/16 dev wall\n' $(seq 1 200) | ip -n pc -batch -
address pc 10.1.8.1/16 wall
sink_on out
serviola_on wall '
hunt: { mode: block }
block: { per_minute: 10000 }'

say "all speak at once"
is_not on pc worm --from "${hosts%,}" --messages 100 --gap-ms 20 --patience 1

blocked()
{
    on wall serviola blocks --json | grep -c '"10\.1\.7\.'
}
all_are()
{
    [ "$(blocked)" = 200 ]
}
until_true 5 all_are
until_true 5 eval '[ "$(events wall act.blocked)" -ge 200 ]'
[ "$(events wall act.blocked)" = 200 ] || fail "blocked $(events wall act.blocked) times for 200 hosts"
few 600

say "twin: a host that only said hello is not among them"
on pc worm --from 10.1.8.1 --variant greet_only --messages 1
is_not is_blocked wall 10.1.8.1
