#!/bin/bash
# A big sender retries from another address of its pool: its names lead back to its addresses and belong to one
# organisation, so the retry passes.  A stranger's retry from another network waits anew, and serviola why says how long.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gate.lib.sh"
. "$(dirname "$0")/dns.lib.sh"
gate_house
on far ip route add local 44.2.0.0/16 dev lo
ip -n far addr add 2a00:55:1::12/128 dev lo
names_on far 'big.example.org. MX 10 mx.example.org.' 'mx.example.org. A 44.2.9.9' 'far.test. MX 10 mx.example.org.' \
    "$(names_reverse 44.2.1.10 out10.pool.example.org.)" 'out10.pool.example.org. A 44.2.1.10' \
    "$(names_reverse 44.2.77.11 out11.other.example.org.)" 'out11.other.example.org. A 44.2.77.11' \
    "$(names_reverse 2a00:55:1::12 out12.pool.example.org.)" 'out12.pool.example.org. AAAA 2a00:55:1::12' \
    "$(names_reverse 44.2.50.1 one.stranger.test.)" 'one.stranger.test. A 44.9.9.9' \
    "$(names_reverse 44.2.50.2 two.stranger.test.)" 'two.stranger.test. A 44.9.9.9' \
    "$(names_reverse 44.2.60.1 three.stranger.test.)" 'three.stranger.test. A 44.9.9.9'
mx_sink_on
gate_on 'greet_after: 0' '  greylist: { delay: 2s, window: 1h, passes: 2 }'
gate_takes_mail --src 44.1.0.3

try() # ADDRESS SENDER RECIPIENT: the answer to RCPT
{
    local to=44.1.0.1

    [[ $1 != *:* ]] || to=2a00:44:1::1
    on far smtp --src "$1" $to 25 "EHLO mail.test" "MAIL FROM:<$2>" "RCPT TO:<$3>" DATA "@mail 100" QUIT >"$T/talk" || true
    sed -n 4p "$T/talk"
}

passes() # ADDRESS SENDER RECIPIENT
{
    prints "250 2.1.5" try "$@"
}

say "the pool's first try waits; a retry too early waits still"
prints "451 4.7.1" try 44.2.1.10 news@big.example.org b@example.com
prints "451 4.7.1" try 44.2.77.11 news@big.example.org b@example.com
prints "it passes when it is sent again after" on mx serviola why 44.2.1.10

say "after the delay it passes, from another address of the organisation, in another network"
until_true 10 passes 44.2.77.11 news@big.example.org b@example.com
until_true 5 event mx gate.greylist_passed

say "and over IPv6: the organisation counts, not the address"
prints "451 4.7.1" try 2a00:55:1::12 other@big.example.org c@example.com
until_true 10 passes 2a00:55:1::12 other@big.example.org c@example.com

say "after two passes the organisation is known: a new pair of it does not wait at all"
until_true 5 event mx gate.client_known
prints "250 2.1.5" try 44.2.1.10 new@big.example.org d@example.com

say "twin: a stranger whose name does not lead back is known by its network: a neighbour's retry passes, ..."
prints "451 4.7.1" try 44.2.50.1 a@far.test b@example.com
until_true 10 passes 44.2.50.2 a@far.test b@example.com

say "... one from another network waits anew"
prints "451 4.7.1" try 44.2.60.1 a@far.test b@example.com

say "kill -9 of all, and a second later: nothing is forgotten"
prints "451 4.7.1" try 44.2.50.1 later@far.test b@example.com
sleep 1.5 # a pair is on disk within a second, as is promised
crash mx
gate_again
gate_takes_mail --src 44.1.0.3
prints "250 2.1.5" try 44.2.1.10 newer@big.example.org e@example.com
prints "250 2.1.5" try 44.2.50.2 later@far.test b@example.com
