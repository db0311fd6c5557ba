#!/bin/bash
# Five thousand clients that send a byte now and then: others are served as if they were not there, and their places are
# free again when their time is over.
# alone, since it takes both processors
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gate.lib.sh"
gate_house
mx_sink_on
crowd_on_far
gate_on "greet_after: 0, checks: { $quiet }" "  limits: { places: 6000, per_address: 6000, per_network: 6000, rate_address: 0, rate_network: 0, command_wait: 8s }"
gate_takes_mail
count=5000
[ "$(ulimit -Hn)" -gt 12000 ] || count=1500

say "$count of them come"
start slow far hold --src "$(one_of_crowd 0 1)" --src "$(one_of_crowd 3 1)" --src "$(one_of_crowd 9 1)" --count $count --dribble 2 "${far}1" 25
until_true 60 grep -q "^held $count" "$T/slow.out"

say "a good client is served as if they were not there"
before_us=${EPOCHREALTIME/./}
on far smtp --src "${far}3" --wait 5 "${far}1" 25 "EHLO far.test" "MAIL FROM:<a@far.test>" "RCPT TO:<b@example.com>" DATA "@mail 5000" QUIT
took=$(((${EPOCHREALTIME/./} - before_us) / 1000))
say "in $took ms"
[ $took -lt $((5000 * ${SCENE_SLOW:-1})) ] || fail "it took $took ms"

say "their time ends, though they dribble: every place is free again"
ended()
{
    [ "$(events mx gate.session_deferred)" -ge $count ]
}
until_true 60 ended
tells "was asked to come again with 421" gate.session_deferred
