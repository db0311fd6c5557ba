#!/bin/bash
# The receiver dies by kill -9 while RELP clients send, ten times: what was acknowledged is there, once, in its order.
# SCENE_ROUNDS=100: as often.
. "$(dirname "$0")/lib.sh"
RANDOM=${SCENE_SEED:-$$}
say "seed $RANDOM"
host box
store=$T/store
rounds=${SCENE_ROUNDS:-10}
: >"$T/acked"
from=0
for round in $(seq 1 "$rounds"); do
    start receiver box serviola log receive --store "$store" --relp 127.0.0.1:2514
    until_true 10 grep -q log.started "$T/receiver.err"
    start client box relp_client 2514 $from $((2000000 / rounds)) 1000
    until_true 10 test -s "$T/client.out"
    sleep "0.$((RANDOM % 4))$((RANDOM % 10))"
    finish receiver KILL || true
    finish client KILL || true
    sed '$d' "$T/client.out" >>"$T/acked" # the last one may be half a number
    : >"$T/receiver.err"
    from=$((from + 1000000))
done

serviola log verify "$store" >/dev/null
serviola log show --raw --store "$store" | grep -oE 'seq=[0-9]+' | cut -d= -f2 >"$T/there"
say "$(wc -l <"$T/acked") lines were acknowledged, $(wc -l <"$T/there") are there"
[ "$(wc -l <"$T/acked")" -ge 1000 ]
sort -n "$T/there" | uniq -d >"$T/twice"
[ ! -s "$T/twice" ] || fail "$(wc -l <"$T/twice") lines are there twice"
sort "$T/acked" | comm -23 - <(sort "$T/there") >"$T/lost"
[ ! -s "$T/lost" ] || fail "$(wc -l <"$T/lost") acknowledged lines are lost"
sort -nc "$T/there" || fail "they are not in their order"

say "twin: a byte that was changed since is named"
file=$(find "$store" -name '*.wal' -o -name '*.zst' | sort | head -n 1)
printf 'X' | dd of="$file" bs=1 seek=3000 conv=notrunc status=none
is_not serviola log verify "$store"
prints "$(basename "$file")" serviola log verify --json "$store"
