#!/bin/bash
# A sender without reverse names tries again from another network.  It passes when its domain's SPF record names both;
# who has no such record is one network at a time.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gate.lib.sh"
. "$(dirname "$0")/dns.lib.sh"
gate_house
for number in 3 4 5 6; do
    address far "44.9.$number.2/32" mx
    address far "2a00:44:9:$number::2/128" mx
done
address far 44.9.5.99/32 mx
ip -n mx route add 44.9.0.0/16 via 44.1.0.2
ip -n mx route add 2a00:44:9::/48 via 2a00:44:1::2
names_on far 'spf.test. MX 10 mx.spf.test.' 'mx.spf.test. A 44.9.0.25' 'lone.test. MX 10 mx.spf.test.' \
    'spf.test. TXT "v=spf1 include:_spf.spf.test -all"' \
    '_spf.spf.test. TXT "v=spf1 ip4:44.9.0.0/16 ip6:2a00:44:9::/48 -all"'
start sink mx sink --log "$T/mail" --port 2525
until_true 20 test -e "$T/mail"
gate_on 'identity: none, relay_test: no, greet_after: 0, checks: { rdns: note, callback: off }' \
    '  greylist: { delay: 1s, window: 10min }'
gate_takes_mail

asks() # WORDS FROM SENDER [TO]: what the replies up to RCPT's say
{
    prints "$1" on far smtp --src "$2" "${4:-44.1.0.1}" 25 "EHLO out.spf.test" "MAIL FROM:<$3>" \
        "RCPT TO:<somebody@house.test>" QUIT
}

say "a sender's domain that names both networks: the second attempt passes from the other one"
asks "spf.test is new" 44.9.3.2 x@spf.test
until_true 15 asks "250 2.1.5" 44.9.4.2 x@spf.test

say "twin: without, the other network begins anew, and a neighbour does not"
asks "44.9.5.0/24 is new" 44.9.5.2 x@lone.test
until_true 15 asks "250 2.1.5" 44.9.5.99 x@lone.test
asks "44.9.6.0/24 is new" 44.9.6.2 x@lone.test

say "twin: IPv6"
asks "spf.test is new" 2a00:44:9:3::2 y@spf.test 2a00:44:1::1
until_true 15 asks "250 2.1.5" 2a00:44:9:4::2 y@spf.test 2a00:44:1::1
asks "2a00:44:9:5::/64 is new" 2a00:44:9:5::2 y@lone.test 2a00:44:1::1
until_true 15 asks "250 2.1.5" 2a00:44:9:5::2 y@lone.test 2a00:44:1::1
asks "2a00:44:9:6::/64 is new" 2a00:44:9:6::2 y@lone.test 2a00:44:1::1
