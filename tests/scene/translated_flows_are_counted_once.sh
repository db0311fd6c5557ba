#!/bin/bash
# A gateway sees a forwarded flow on both sides, behind address translation under another name: it is counted once, under
# the name it has inside.  What the gateway itself sends is seen as well.
. "$(dirname "$0")/lib.sh"
house
sink_on out
on wall nft -f - <<'NFT'
table ip translate {
    chain out { type nat hook postrouting priority srcnat; oifname "out" masquerade; }
}
NFT
serviola_on wall 'hunt: { mode: observe }'

say "a host inside speaks"
on pc worm --messages 3
until_true 5 event wall hunt.mail_seen --src 10.1.0.2
[ "$(events wall hunt.mail_seen)" = 1 ] || fail "the flow was counted on both sides"
[ "$(events wall hunt.inbound_seen)" = 0 ]
until_true 5 prints '"mails":3,' on wall serviola status --json # told once a second

say "twin: the gateway's own mail is not taken for a copy"
on wall worm --messages 1
until_true 5 event wall hunt.mail_seen --src 10.2.0.1
