#!/bin/bash
# A machine with a new IPv6 address for each connection pushes nothing out of the journal and the evidence.
. "$(dirname "$0")/lib.sh"
house
addresses=$(printf 'fd01::7:%x,' $(seq 1 120))
printf 'addr add fd01::7:%x/64 dev wall nodad\n' $(seq 1 120) | ip -n pc -6 -batch -
sink_on out
serviola_on wall 'hunt: { mode: block }'

say "120 addresses of one card speak"
on pc worm --from "${addresses%,}" --to fd02::2 --messages 1 --patience 1 || true
until_true 5 event wall hunt.evidence_kept
[ "$(events wall hunt.mail_seen)" = 32 ] || fail "told $(events wall hunt.mail_seen) findings"
[ "$(events wall hunt.evidence_kept)" -le 8 ] || fail "kept $(events wall hunt.evidence_kept) files"

say "twin: another card is heard"
host other
cable other fd04::2/64 wall fd04::1/64
until_true 5 listens wall
is_not on other worm --to fd02::2 --messages 200 --patience 0.3
until_true 5 is_blocked wall fd04::2
