#!/bin/bash
# No name, a name that does not lead back, a name made from the address, a listed address, our own name as HELO: each is
# refused with its reason.  Twins: the same client with a good name, a confirmed "static" one, a list that says "good".
# A name with line ends in it injects nothing.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gate.lib.sh"
. "$(dirname "$0")/dns.lib.sh"
gate_house
ip -n mx route add 44.9.0.0/16 via 44.1.0.2
ip -n mx route add 2a00:44:9::/48 via 2a00:44:1::2
for number in 1 2 3 4 5 6 7 8 9; do
    address far "44.9.0.$number/32" mx
    address far "2a00:44:9::$number/128" mx
done
names_on far \
    "$(names_reverse 44.9.0.2 liar.test.)" 'liar.test. A 44.9.0.99' \
    "$(names_reverse 44.9.0.3 3-0-9-44.dsl.isp.test.)" '3-0-9-44.dsl.isp.test. A 44.9.0.3' \
    "$(names_reverse 44.9.0.4 static-44-9-0-4.isp.test.)" 'static-44-9-0-4.isp.test. A 44.9.0.4' \
    "$(names_reverse 44.9.0.5 mail.good.test.)" 'mail.good.test. A 44.9.0.5' \
    "$(names_reverse 44.9.0.6 'a\013\010250\032ok\027[2J.evil.test.')" \
    "$(names_reverse 44.9.0.7 mail7.good.test.)" 'mail7.good.test. A 44.9.0.7' '7.0.9.44.black.test. A 127.0.0.2' \
    "$(names_reverse 44.9.0.8 mail8.good.test.)" 'mail8.good.test. A 44.9.0.8' '8.0.9.44.black.test. A 127.0.0.2' \
    '8.0.9.44.white.test. A 127.0.5.3' \
    "$(names_reverse 44.9.0.9 mail9.good.test.)" 'mail9.good.test. A 44.9.0.9' '9.0.9.44.black.test. A 127.255.255.254' \
    "$(names_reverse 2a00:44:9::2 liar.test.)" 'liar.test. AAAA 2a00:44:9::99' \
    "$(names_reverse 2a00:44:9::3 2a00-44-9--3.isp.test.)" '2a00-44-9--3.isp.test. AAAA 2a00:44:9::3' \
    "$(names_reverse 2a00:44:9::5 mail.good.test.)" 'mail.good.test. AAAA 2a00:44:9::5' \
    "$(names_reverse 2a00:44:9::7 mail7.good.test.)" 'mail7.good.test. AAAA 2a00:44:9::7'
listed=$(names_reverse 2a00:44:9::7 x)
names_add far "${listed%%.ip6*}.black.test. A 127.0.0.2"
start sink mx sink --log "$T/mail" --port 2525
until_true 20 test -e "$T/mail"
gate_on 'identity: none, relay_test: no, greet_after: 0,
      checks: { greylist: off, callback: off, rdns: refuse, confirmed: refuse, generic: refuse }' \
    '  dns_lists: { black: { zone: black.test, weight: 10 }, white: { zone: white.test, weight: 10, good: yes } }'
gate_takes_mail

asks() # WORDS FROM [HELO]: what the replies up to RCPT's say
{
    local to=44.1.0.1

    [[ $2 != *:* ]] || to=2a00:44:1::1
    prints "$1" on far smtp --src "$2" "$to" 25 "EHLO ${3:-client.test}" "MAIL FROM:<>" "RCPT TO:<somebody@house.test>" QUIT
}

say "refused, each with its reason"
asks "44.9.0.1 has no name" 44.9.0.1
asks "liar.test does not lead to 44.9.0.2" 44.9.0.2
asks "3-0-9-44.dsl.isp.test holds its address reversed and says dsl" 44.9.0.3
asks "black.test says 127.0.0.2" 44.9.0.7
asks "our own name" 44.9.0.5 mx.example
asks "our own address" 44.9.0.5 '[44.1.0.1]'
tells "44.9.0.1 has no name" 44.9.0.1
tells "liar.test does not lead to 44.9.0.2" 44.9.0.2
tells "3-0-9-44.dsl.isp.test holds its address reversed and says dsl" 44.9.0.3
tells "black.test says 127.0.0.2" 44.9.0.7
tells "it greets with our own address" 44.9.0.5

say "twins: these pass"
asks "250 2.1.5" 44.9.0.4
asks "250 2.1.5" 44.9.0.5
asks "250 2.1.5" 44.9.0.8
asks "250 2.1.5" 44.9.0.9
tells "its name is static-44-9-0-4.isp.test" 44.9.0.4
tells "white.test says 127.0.5.3" 44.9.0.8

say "a name with line ends and an escape is told without them"
asks "a??250?ok?[2J.evil.test does not lead to" 44.9.0.6
tells "a??250?ok?[2J.evil.test does not lead to" 44.9.0.6
is_not grep -P '\x1b' <(on mx serviola events --src 44.9.0.6)

say "twin: IPv6"
asks "2a00:44:9::1 has no name" 2a00:44:9::1
asks "liar.test does not lead to 2a00:44:9::2" 2a00:44:9::2
asks "holds its address" 2a00:44:9::3
asks "black.test says 127.0.0.2" 2a00:44:9::7
asks "our own address" 2a00:44:9::5 '[IPv6:2a00:44:1::1]'
tells "2a00:44:9::1 has no name" 2a00:44:9::1
tells "holds its address" 2a00:44:9::3
asks "250 2.1.5" 2a00:44:9::5
