#!/bin/bash
# Rules of others accept what is established, and all that goes out; the worm's running connection dies all the same.
. "$(dirname "$0")/lib.sh"
house
sink_on out --delay-ms 1
on wall nft -f - <<'RULES'
table ip house {
    chain forward {
        type filter hook forward priority 0; policy accept;
        ct state established,related accept
        iifname "pc" oifname "out" accept
    }
}
RULES
rules=$(on wall nft list table ip house)
# A connection that speaks before serviola is there, and all the time.
start worm pc worm --reuse --gap-ms 5 --patience 1
start server pc worm --from 10.1.0.25 --reuse --gap-ms 5 --patience 1
until_true 5 eval '[ "$(delivered 10.1.0.2)" -ge 5 ]'

serviola_on wall 'hunt: { mode: block, allow: [10.1.0.25] }'
say "the worm opens another connection, and is judged by that; the running one dies too"
is_not on pc worm --messages 200 --patience 0.5
until_true 5 is_blocked wall 10.1.0.2
until_true 5 grep -qE 'silence|reset' "$T/worm.out"
[ "$(on wall nft list table ip house)" = "$rules" ] || fail "the administrator's rules changed"

say "twin: the mail server's connection goes on"
n=$(delivered 10.1.0.25)
until_true 5 eval '[ "$(delivered 10.1.0.25)" -gt $((n + 5)) ]'
[ ! -s "$T/server.out" ]
