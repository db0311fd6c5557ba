#!/bin/bash
# A big sender retries from another address of its pool: its names lead back to its addresses and belong to one
# organisation, so the retry passes.  A stranger's retry from another network waits anew, and serviola why says how long.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gate.lib.sh"
. "$(dirname "$0")/dns.lib.sh"
gate_house
crowd_on_far
ten=$(one_of_crowd 1 10) eleven=$(one_of_crowd 77 11) one=$(one_of_crowd 50 1) two=$(one_of_crowd 50 2) three=$(one_of_crowd 60 1)
elsewhere=$(one_of_crowd 99 9)
names_on far "big.example.org. MX 10 mx.example.org." "mx.example.org. $record $(one_of_crowd 9 9)" 'far.test. MX 10 mx.example.org.' \
    "$(names_reverse "$ten" out10.pool.example.org.)" "out10.pool.example.org. $record $ten" \
    "$(names_reverse "$eleven" out11.other.example.org.)" "out11.other.example.org. $record $eleven" \
    "$(names_reverse "$one" one.stranger.test.)" "one.stranger.test. $record $elsewhere" \
    "$(names_reverse "$two" two.stranger.test.)" "two.stranger.test. $record $elsewhere" \
    "$(names_reverse "$three" three.stranger.test.)" "three.stranger.test. $record $elsewhere"
mx_sink_on
gate_on 'greet_after: 0' '  greylist: { delay: 2s, window: 1h, passes: 2 }'
gate_takes_mail --src "${far}3"

try() # ADDRESS SENDER RECIPIENT: the answer to RCPT
{
    on far smtp --src "$1" "${far}1" 25 "EHLO mail.test" "MAIL FROM:<$2>" "RCPT TO:<$3>" DATA "@mail 100" QUIT >"$T/talk" || true
    sed -n 4p "$T/talk"
}

passes() # ADDRESS SENDER RECIPIENT
{
    prints "250 2.1.5" try "$@"
}

say "the pool's first try waits; a retry too early waits still"
began=$SECONDS
prints "451 4.7.1" try "$ten" news@big.example.org b@example.com
early=$(try "$eleven" news@big.example.org b@example.com)
[[ $early == "451 4.7.1"* ]] || [ $((SECONDS - began)) -ge 2 ] || fail "$early" # a busy machine may be too late for it
prints "it passes when it is sent again" on mx serviola why "$ten"

say "after the delay it passes, from another address of the organisation, in another network"
until_true 10 passes "$eleven" news@big.example.org b@example.com
until_true 5 event mx gate.greylist_passed

say "twin: a second pair of the pool"
prints "451 4.7.1" try "$ten" other@big.example.org c@example.com
until_true 10 passes "$eleven" other@big.example.org c@example.com

say "after two passes the organisation is known: a new pair of it does not wait at all"
until_true 5 event mx gate.client_known
prints "250 2.1.5" try "$ten" new@big.example.org d@example.com

say "twin: a stranger whose name does not lead back is known by its network: a neighbour's retry passes, ..."
prints "451 4.7.1" try "$one" a@far.test b@example.com
until_true 10 passes "$two" a@far.test b@example.com

say "... one from another network waits anew"
prints "451 4.7.1" try "$three" a@far.test b@example.com

say "kill -9 of all, and a second later: nothing is forgotten"
prints "451 4.7.1" try "$one" later@far.test b@example.com
sleep 1.5 # a pair is on disk within a second, as is promised
crash mx
gate_again
gate_takes_mail --src "${far}3"
prints "250 2.1.5" try "$ten" newer@big.example.org e@example.com
first=$(try "$two" later@far.test b@example.com)
[[ $first != *" is new"* ]] || fail "$first" # too early it may be: all of it was quick
until_true 10 passes "$two" later@far.test b@example.com
