#!/bin/bash
# kill -9 of every process at random points, fifty times: every acknowledged event is there, and the chain verifies.
. "$(dirname "$0")/lib.sh"
house
RANDOM=${SCENE_SEED:-$$}
say "seed $RANDOM"
configure wall '
journal: { folder: '"$T/wall.state/journal"', segment_size: 64KiB }
hunt: { mode: block }
block: { per_minute: 100000 }
serviola: { control: '"$T/wall.state/control"', restarts: 1000 }'
acknowledged=0

synced()
{
    (on wall serviola status --json || true) 2>/dev/null | awk -F '"synced":' '{ n = $2 + 0 } END { print n + 0 }'
}

# What the program said is on disk, it must have after the kill.
remember()
{
    local now

    now=$(synced)
    [ "$now" -le "$acknowledged" ] || acknowledged=$now
}

for round in $(seq 1 50); do
    serviola_again wall
    for n in 1 2 3; do
        on wall serviola block "10.1.$round.$n" --for 1h --why "round $round" >/dev/null
    done
    remember
    if [ $((RANDOM % 3)) = 0 ]; then
        one=$(serviola_processes | sed -n "$((1 + RANDOM % $(serviola_processes | wc -l)))p")
        kill -KILL "$one" 2>/dev/null || true
        on wall serviola block "10.1.$round.4" --for 1h >/dev/null 2>&1 || true
        remember
    fi
    sleep "0.0$((RANDOM % 10))"
    crash wall
done

serviola_again wall
on wall serviola events --json | grep -oE '"seq":[0-9]+' | cut -d: -f2 >"$T/there"
say "$acknowledged events were acknowledged, $(wc -l <"$T/there") are there"
[ "$acknowledged" -ge 150 ]
awk -v last="$acknowledged" '{ there[$1]++ } END { for (n = 1; n <= last; n++) if (there[n] != 1) { print "event " n " is there " there[n] + 0 " times"; bad = 1 } exit bad }' "$T/there"
on wall serviola log verify
