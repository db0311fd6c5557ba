#!/bin/bash
# The worm speaks IPv6; its IPv6 address is blocked, and only that one.
# alone, since it counts what slips through
. "$(dirname "$0")/lib.sh"
house
sink_on out
serviola_on wall 'hunt: { mode: block }'
until_true 10 settled
is_not on pc worm --to fd02::2 --messages 200 --patience 0.5
until_true 5 is_blocked wall fd01::2
prints fd01::2 on wall nft list table inet serviola
few 2
until_true 5 event wall act.blocked --src fd01::2
prints 'MAIL FROM:<john.doe@mail.com>' on wall serviola why fd01::2

say "twin: its IPv4 address said nothing and is free"
is_not is_blocked wall 10.1.0.2
on pc worm --from 10.1.0.2 --variant greet_only --messages 1
