#!/bin/bash
# The disk of the journal stops answering: the core goes on, says so within two seconds with the writer's stack, and blocks.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/disk.lib.sh"
house
sink_on out
disk_on 64 "$T/disk" serviola-wall

configure wall "
journal: { folder: $disk/journal }
hunt: { mode: block }"
serviola_again wall
on wall serviola block 10.1.0.4 --for 1h --why before
start follow wall serviola events --follow --json
until_true 5 grep -q act.blocked "$T/follow.out"

say "the disk freezes"
fsfreeze -f "$disk"
frozen_us=${EPOCHREALTIME/./}
is_not on pc worm --messages 200 --patience 0.5
until_true 5 is_blocked wall 10.1.0.2
say "a worm was blocked all the same"

until_true 2 grep -q '"scribe.stuck"' "$T/follow.out"
say "and it was said after $(((${EPOCHREALTIME/./} - frozen_us) / 1000)) ms at most"
prints '"stack"' grep '"scribe.stuck"' "$T/follow.out"
prints stuck on wall serviola status
on wall serviola block 10.1.0.3 --for 1h --why meanwhile

say "the disk answers again"
fsfreeze -u "$disk"
until_true 5 grep -q '"scribe.back"' "$T/follow.out"
finish follow || true
finish serviola-wall || true

say "nothing is missing: each event that was said is on the disk"
serviola_again wall
on wall serviola events --json >"$T/kept"
grep -oE '"seq":[0-9]+' "$T/follow.out" | sort -u >"$T/said"
grep -oE '"seq":[0-9]+' "$T/kept" | sort -u >"$T/there"
missing=$(comm -23 "$T/said" "$T/there" | tr '\n' ' ')
[ -z "$missing" ] || fail "not on the disk: $missing"
for who in 10.1.0.2 10.1.0.3 10.1.0.4; do
    is_blocked wall $who
done
on wall serviola log verify >/dev/null
