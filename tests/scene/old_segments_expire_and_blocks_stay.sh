#!/bin/bash
# Old segments leave when the journal is larger than it may be.  What they said about blocks stays known, also after a
# restart, and the journal is whole.
. "$(dirname "$0")/lib.sh"
house
serviola_on wall "
hunt: { mode: block }
journal: { folder: $T/wall.state/journal, segment_size: 64KiB, keep_size: 1MiB }"
on wall serviola block 10.1.0.2 --for 2h --why "asked by phone"
on wall serviola block 10.1.0.3 --for 3h
on wall serviola block 10.1.0.4 --for 3h
on wall serviola unblock 10.1.0.4

ends_at() # in seconds
{
    date +%s -d "$(on wall serviola blocks --json | grep -F "\"$1\"" | grep -oE '"until":"[^"]*' | cut -d'"' -f4)"
}

journal_bytes()
{
    du -bc "$T"/wall.state/journal/*.zst "$T"/wall.state/journal/*.wal 2>/dev/null | tail -n 1 | cut -f1
}

more_happens() # until the first segments have left
{
    on wall ask "$T/wall.state/control" 10.1.0.2 60 1000
    event wall journal.expired
}

before=$(ends_at 10.1.0.2)
until_true 120 more_happens
is_small()
{
    [ "$(journal_bytes)" -le $((1200 * 1024)) ]
}
until_true 15 is_small
say "$(events wall journal.sealed) segments were sealed; the largest is $(du -b "$T"/wall.state/journal/*.zst | sort -n | tail -n 1 | cut -f1) bytes"
is_not event wall act.blocked --src 10.1.0.3

still()
{
    is_blocked wall 10.1.0.2
    is_blocked wall 10.1.0.3
    prints 10.1.0.2 on wall nft list table inet serviola
}

say "stopped, forgotten by the kernel, and started"
finish serviola-wall || true
on wall nft flush ruleset
serviola_again wall
until_true 5 still
now=$(ends_at 10.1.0.2)
if [ $((now - before)) -gt 2 ] || [ $((before - now)) -gt 2 ]; then
    fail "it ended at $before, and now at $now"
fi
is_not is_blocked wall 10.1.0.4
on wall serviola log verify
