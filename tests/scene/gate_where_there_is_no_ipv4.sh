#!/bin/bash
# A host without IPv4: clients, name server and mail server speak IPv6 alone.
. "$(dirname "$0")/lib.sh"
six=yes
. "$(dirname "$0")/gate.lib.sh"
. "$(dirname "$0")/dns.lib.sh"
gate_house
for place in far mx; do
    ip -n $place -4 addr flush scope global
    ip -n $place -4 addr flush dev lo
done
names_on far "$(names_reverse 2a00:44:1::2 client.good.test.)" 'client.good.test. AAAA 2a00:44:1::2' 'good.test. MX 10 mail.good.test.' \
    'mail.good.test. AAAA 2a00:44:1::5' 'evil.test. MX 10 mx.evil.test.' 'mx.evil.test. AAAA fe80::1'
mx_sink_on --host ::1
configure mx "$(gate_yaml 'greet_after: 0, checks: { greylist: all, rdns: refuse, confirmed: refuse, generic: refuse }' \
    '  greylist: { delay: 1s, window: 1h }' | sed 's/"0.0.0.0:25", //; s/127.0.0.1:2525/[::1]:2525/')"
gate_again
gate_takes_mail

mail() # SENDER
{
    on far smtp --src 2a00:44:1::2 2a00:44:1::1 25 "EHLO [IPv6:2a00:44:1::2]" "MAIL FROM:<$1>" "RCPT TO:<b@example.com>" DATA "@mail 5000" QUIT
}

say "a new client waits, and then its mail arrives, with its address"
prints "451 4.7.1" mail a@good.test
until_true 10 prints queued mail a@good.test
grep -q '^2a00:44:1::2 ' "$T/mail" || fail "$(cat "$T/mail")"

say "who has no name, or a sender nobody can answer, is refused"
prints "2a00:44:1::3 has no name" on far smtp --src 2a00:44:1::3 2a00:44:1::1 25 "EHLO x.test" "MAIL FROM:<a@good.test>" "RCPT TO:<b@example.com>" QUIT
prints "fe80::1" mail x@evil.test
tells "2a00:44:1::3 has no name" 2a00:44:1::3
tells "mx.evil.test, is at fe80::1, link-local" 2a00:44:1::2
