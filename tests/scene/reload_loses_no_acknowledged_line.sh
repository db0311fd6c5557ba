#!/bin/bash
# A reload that the log can't take over while it runs starts it anew while RELP clients send: what was acknowledged is there,
# once, in its order, and the next client is heard.
. "$(dirname "$0")/lib.sh"
host box
config() # [KEY of the gate]
{
    configure box "hunt: { mode: off }
log: { mode: keep, folder: $T/box.state/log, relp: \"127.0.0.1:2514\" }
gate: { folder: $T/box.state/gate, policy_listen: \"127.0.0.1:10031\", dns: { servers: [\"127.0.0.1:5399\"] } ${1-} }"
}
up()
{
    answers box && event box log.started
}
begun() # COUNT: so often the log was started
{
    [ "$(events box log.started)" -ge "$1" ]
}
acked() # MORE THAN COUNT
{
    [ "$(wc -l <"$T/client.out")" -gt "$1" ]
}

config
start serviola-box box serviola run --no-console
until_true 20 up

say "three reloads, each way, while a client sends"
: >"$T/acked"
for round in 1 2 3; do
    start client box relp_client 2514 $((round * 1000000)) 500000 1000
    until_true 10 acked 1000
    if [ $((round % 2)) -eq 0 ]; then
        config
    else
        config ", accounts: { logs: yes }"
    fi
    kill -HUP "$(pid_of serviola-box)"
    until_true 20 begun $((round + 1))
    finish client KILL || true
    sed '$d' "$T/client.out" >>"$T/acked" # the last one may be half a number
done
[ "$(events box role.died)" = 0 ]

say "the next client is heard"
start client box relp_client 2514 9000000 10000 1000
until_true 20 acked 5000
finish client KILL || true
sed '$d' "$T/client.out" >>"$T/acked"
finish serviola-box || true

serviola log verify "$T/box.state/log" >/dev/null
serviola log show --raw --store "$T/box.state/log" | grep -oE 'seq=[0-9]+' | cut -d= -f2 >"$T/there"
say "$(wc -l <"$T/acked") lines were acknowledged, $(wc -l <"$T/there") are there"
sort -n "$T/there" | uniq -d >"$T/twice"
[ ! -s "$T/twice" ] || fail "$(wc -l <"$T/twice") lines are there twice"
sort "$T/acked" | comm -23 - <(sort "$T/there") >"$T/lost"
[ ! -s "$T/lost" ] || fail "$(wc -l <"$T/lost") acknowledged lines are lost"
sort -nc "$T/there" || fail "they are not in their order"
