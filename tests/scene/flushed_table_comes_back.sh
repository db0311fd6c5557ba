#!/bin/bash
# Another program empties the firewall: the blocks are in force, or in force again within a second, with an event.
. "$(dirname "$0")/lib.sh"
house
sink_on out
serviola_on wall 'hunt: { mode: block }'
is_not on pc worm --messages 200 --patience 0.3
until_true 5 is_blocked wall 10.1.0.2

holds()
{
    on wall nft list table inet serviola | grep -wF 10.1.0.2
}

for blow in "flush ruleset" "delete table inet serviola" "flush table inet serviola" "flush chain inet serviola forward" "flush set inet serviola block4"; do
    say "somebody says: nft $blow"
    if on wall sh -c "nft $blow" 2>"$T/refused"; then
        until_true 1 holds
    else
        say "  the kernel refuses it: the table is ours"
        holds >/dev/null
    fi
done
if ! on wall serviola status --json | grep -q '"table_owned":true'; then
    event wall act.table_lost && event wall act.table_back
fi

say "the worm is still stopped"
left=$(delivered)
is_not on pc worm --messages 5 --patience 0.3
[ "$(delivered)" = "$left" ]
[ "$(events wall act.blocked)" = 1 ]
