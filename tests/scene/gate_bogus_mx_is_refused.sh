#!/bin/bash
# A sender whose bounces would come to ourselves, to a private network or nowhere is refused before the server hears of
# it, and the reply names the address.  Twins: a domain with one good server, our own domain, IPv6.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gate.lib.sh"
. "$(dirname "$0")/dns.lib.sh"
gate_house
names_on far \
    "$(names_reverse 44.1.0.2 client.esp.test.)" 'client.esp.test. A 44.1.0.2' \
    "$(names_reverse 2a00:44:1::2 client.esp.test.)" 'client.esp.test. AAAA 2a00:44:1::2' \
    'evil.test. MX 10 mx.evil.test.' 'mx.evil.test. A 127.0.1.50' \
    'six.test. MX 10 mx.six.test.' 'mx.six.test. AAAA ::1' \
    'private.test. A 10.1.2.3' 'zero.test. A 0.0.0.0' 'ours.test. A 44.1.0.1' \
    'alias.test. MX 10 hop.test.' 'hop.test. CNAME end.test.' 'end.test. A 127.0.0.1' \
    'null.test. MX 0 .' \
    'half.test. MX 10 mx.evil.test.' 'half.test. MX 20 mx.good.test.' \
    'good.test. MX 10 mx.good.test.' 'mx.good.test. A 44.2.0.25' \
    'house.test. MX 10 mx.example.' 'mx.example. A 127.0.1.1'
names_silent far silent.test
names_broken far broken.test

say "/etc/hosts maps our name to 127.0.1.1, as Debian does it"
printf '127.0.0.1 localhost\n127.0.1.1 mx.example\n127.0.0.1 good.test\n' >"$T/hosts"
mount --bind "$T/hosts" /etc/hosts
start sink mx sink --log "$T/mail" --port 2525
until_true 20 test -e "$T/mail"
gate_on 'identity: none, relay_test: no, greet_after: 0, checks: { greylist: off }'
gate_takes_mail

sends() # WORDS SENDER [FROM TO]: what the reply to RCPT says, or to DATA's end where it was taken
{
    prints "$1" on far smtp --src "${3:-44.1.0.2}" "${4:-44.1.0.1}" 25 \
        "EHLO client.esp.test" "MAIL FROM:<$2>" "RCPT TO:<somebody@house.test>" DATA "@mail 100" QUIT
}

say "loopback, private, this host, our own, alias, null MX, no domain, literal: refused with the reason"
sends "127.0.1.50" x@evil.test
tells "the mail server of evil.test, mx.evil.test, is at 127.0.1.50" 44.1.0.2
sends "10.1.2.3" x@private.test
tells "10.1.2.3" 44.1.0.2
sends "0.0.0.0" x@zero.test
sends "44.1.0.1, our own" x@ours.test
sends "5.1.8" x@alias.test # unbound does not follow aliases in data of its own
sends "null MX" x@null.test
tells "null MX" 44.1.0.2
sends "no such domain" x@nobody.test
tells "no such domain" 44.1.0.2
sends "loopback" 'x@[127.0.0.1]'
tells "127.0.0.1" 44.1.0.2
sends "5.1.8" 'x@[IPv6:::1]'
sends "550 " x@evil.test
[ "$(delivered)" = 0 ] || fail "the server was sent something"
until_true 5 event mx gate.bogus_mx
prints '"x@evil.test"' on mx serviola events --kind gate.bogus_mx --json
prints '127.0.1.50' on mx serviola events --kind gate.bogus_mx --json

say "a name server's silence is no reason to refuse, nor is its failure"
sends "451 " x@silent.test
tells "where the mail of silent.test goes could not be asked" 44.1.0.2
sends "451 4.4.3 please come again" x@broken.test
tells "where the mail of broken.test goes could not be asked" 44.1.0.2

say "twins: a good domain, one of two, our own, and the empty sender pass"
sends "queued" x@good.test
sends "queued" x@half.test
tells "from <x@half.test>" 44.1.0.2
sends "queued" x@house.test
tells "from <x@house.test>" 44.1.0.2
sends "queued" ""
has_taken()
{
    [ "$(delivered)" = "$1" ]
}
until_true 5 has_taken 4

say "twin: the same over IPv6"
sends "127.0.1.50" x@evil.test 2a00:44:1::2 2a00:44:1::1
sends "::1, loopback" x@six.test 2a00:44:1::2 2a00:44:1::1
tells "mx.six.test, is at ::1" 2a00:44:1::2
sends "queued" x@good.test 2a00:44:1::2 2a00:44:1::1

say "twin: with the check off, mail of evil.test is taken"
configure mx "$(gate_yaml 'identity: none, relay_test: no, greet_after: 0, checks: { greylist: off, bogus_mx: off }')"
kill -HUP "$(pid_of serviola-mx)"
until_true 10 sends "queued" x@evil.test
