#!/bin/bash
# Good and hostile clients by the thousand: no session is lost or counted twice, each message that was answered 250 is
# there once, and memory and descriptors are what they were.  GATE_SOAK=2000000 makes it long; run it by hand then.
# alone, since it takes both processors
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gate.lib.sh"
count=${GATE_SOAK:-3000}
gate_house
crowd_on_far
mx_sink_on
gate_on "greet_after: 0, checks: { $quiet }" '  limits: { rate_address: 0, rate_network: 0, per_address: 5000, per_network: 5000 }'
gate_takes_mail

told=$(ended) sent=0
comes() # N: so many sessions more
{
    on far mixed --count "$1" --net "$crowd" "${far}1" 25 >"$T/heard"
    cat "$T/heard"
    read -r _ sessions _ taken _ hung <"$T/heard"
    [ "$hung" = 0 ] || fail "$hung sessions were not ended"
    told=$((told + sessions)) sent=$((sent + taken))
}
counted() # its counters
{
    on mx serviola status --json | python3 -c 'import json, sys; print(sum(d[k] for d in json.load(sys.stdin)["gate"] for k in ("passed", "refused", "deferred", "ended")))'
}
all_are_told()
{
    [ "$(counted)" = "$told" ]
}

say "a third, to be warm"
gate_pid
comes $((count / 3))
until_true 30 all_are_told
descriptors=$(descriptors) memory=$(memory_kb) was=$pid

say "the rest"
comes $((count - count / 3))
until_true 30 all_are_told
until_true 30 eval '[ "$(delivered)" = "$sent" ]'
gate_pid
[ "$pid" = "$was" ] || fail "the gate died"
tells "messages, from <" gate.session_passed
say "$told sessions, $sent messages; descriptors $descriptors and $(descriptors), memory $memory and $(memory_kb) KiB"
until_true 10 eval '[ "$(descriptors)" -le "$descriptors" ]'
[ -n "${SCENE_SLOW-}" ] || [ "$(memory_kb)" -le $((memory * 105 / 100)) ] || fail "memory grew"
