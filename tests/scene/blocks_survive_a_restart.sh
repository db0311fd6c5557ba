#!/bin/bash
# A block outlives a restart, a crash and a reboot, with the time that was left; a lifted one stays lifted.
. "$(dirname "$0")/lib.sh"
house
sink_on out
serviola_on wall '
hunt: { mode: block }
block: { for: 1h }'
is_not on pc worm --messages 200 --patience 0.3
until_true 5 is_blocked wall 10.1.0.2
on wall serviola block 10.1.0.3 --for 2h --why "asked by phone"
on wall serviola block 10.1.0.4 --for 2h
on wall serviola unblock 10.1.0.4
until_true 5 event wall act.unblocked --src 10.1.0.4

ends_at() # in seconds
{
    date +%s -d "$(on wall serviola blocks --json | grep -F "\"$1\"" | grep -oE '"until":"[^"]*' | cut -d'"' -f4)"
}

same() # the same end, give or take the rounding of the kernel's clock
{
    local now

    now=$(ends_at 10.1.0.2)
    if [ $((now - before)) -gt 2 ] || [ $((before - now)) -gt 2 ]; then
        fail "it ended at $before, and now at $now"
    fi
}

still()
{
    is_blocked wall 10.1.0.2
    is_blocked wall 10.1.0.3
    prints 10.1.0.2 on wall nft list table inet serviola
}

before=$(ends_at 10.1.0.2)

say "stopped and started"
finish serviola-wall || true
serviola_again wall
until_true 5 still
same

say "killed and started"
crash wall
serviola_again wall
until_true 5 still

say "the host boots: the kernel knows nothing any more"
finish serviola-wall || true
on wall nft flush ruleset
serviola_again wall
until_true 5 still
same
is_not is_blocked wall 10.1.0.4
prints "asked by phone" on wall serviola why 10.1.0.3
