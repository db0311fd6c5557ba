#!/bin/bash
# A mail front whose callback calls it itself fills its places; the x-ray names both programs, the address, the count and the origin.
. "$(dirname "$0")/lib.sh"
host box

workers() # NAME
{
    pgrep -P "$(pid_of "$1")" -c || true
}
has_workers() # NAME COUNT
{
    [ "$(workers "$1")" -ge "$2" ]
}

say "the front calls every client back, and one delivery goes to 127.0.1.50"
start front box story_front 25 40 story_callback
until_true 5 on box sh -c 'ss -Htln | grep -q :25'
start delivery box story_callback 127.0.1.50 25 evil.test
until_true 20 has_workers front 40
called() # the last worker's callback too: it waits in the accept queue
{
    [ "$(on box ss -Htn dport = :25 | wc -l)" -ge 41 ]
}
until_true 20 called
before_us=${EPOCHREALTIME/./}
xray box loop
say "told after $(((${EPOCHREALTIME/./} - before_us) / 1000)) ms"
shows loop self_loop "story_front (pid $(pid_of front))" "its own story_callback" "40 of 41" \
    "it began with story_callback (pid $(pid_of delivery))" evil.test
[ $((${EPOCHREALTIME/./} - before_us)) -lt $((2000000 * ${SCENE_SLOW:-1})) ] || fail "it took more than 2 s"
finish delivery || true
finish front || true

say "twin: a busy proxy in front of a server is no loop"
host well
start server well mail_front 2525 100 sleep 60
until_true 5 on well sh -c 'ss -Htln | grep -q :2525'
start proxy well mail_front 25 40 mail_callback 127.0.0.1 2525
until_true 5 on well sh -c 'ss -Htln | grep -q :25[^0-9]'
for i in $(seq 1 40); do
    start "client$i" well mail_callback 127.0.1.50 25
done
until_true 40 has_workers proxy 40
until_true 40 has_workers server 40
xray well well
is_not shows well self_loop
