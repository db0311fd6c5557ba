#!/bin/bash
# A worm speaks; its host is blocked, once, and `serviola why` says for what.  In observe mode nothing is touched.
# alone, since it counts what slips through
. "$(dirname "$0")/lib.sh"
house
sink_on out --port 25,8025
serviola_on wall 'hunt: { mode: block }'
until_true 10 settled

say "the worm speaks on the pc; the wall stops it"
is_not on pc worm --messages 200 --patience 0.5
until_true 5 is_blocked wall 10.1.0.2
few 2

say "the kernel has it, the journal has the reason"
prints 10.1.0.2 on wall nft list table inet serviola
until_true 5 event wall act.blocked --src 10.1.0.2
prints 'MAIL FROM:<john.doe@mail.com>' on wall serviola why 10.1.0.2

say "the worm goes on trying: it is blocked once, never twice"
is_not on pc worm --messages 5 --patience 0.3
[ "$(events wall act.blocked)" = 1 ]
on pc worm --port 8025 --variant greet_only --messages 1 || fail "only mail may be stopped"
finish serviola-wall

say "twin: in observe mode the same worm is seen, and the firewall stays as it is"
rm -r "$T/wall.state"
on wall nft destroy table inet serviola 2>/dev/null || on wall nft flush ruleset
before=$(on wall nft list ruleset)
serviola_on wall 'hunt: { mode: observe }'
on pc worm --messages 3
until_true 5 event wall rule.would_block --src 10.1.0.2
[ "$(on wall nft list ruleset)" = "$before" ]
[ "$(events wall act.blocked)" = 0 ]
