#!/bin/bash
# A Postfix that keeps its port 25 gets the gate's verdicts: as a policy service, and as a mail filter.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gate.lib.sh"
. "$(dirname "$0")/dns.lib.sh"
gate_house
names_on far \
    "$(names_reverse 44.1.0.2 client.esp.test.)" 'client.esp.test. A 44.1.0.2' 'client.esp.test. MX 10 client.esp.test.' \
    "$(names_reverse 2a00:44:1::2 client.esp.test.)" 'client.esp.test. AAAA 2a00:44:1::2' \
    "$(names_reverse 44.1.0.3 dsl-44-1-0-3.isp.test.)" 'dsl-44-1-0-3.isp.test. A 44.1.0.3' \
    'evil.test. MX 10 mx.evil.test.' 'mx.evil.test. A 127.0.1.50' 'private.test. A 10.1.2.3'

say "Postfix takes mail at port 25 itself; beside it a gate of our own at 2600, with the same policy"
checks='{ greylist: off, rdns: off, generic: refuse, callback: off }'
configure mx "hunt: { mode: off }
gate:
  folder: $T/mx.state/gate
  policy_listen: 127.0.0.1:10031
  milter_listen: 127.0.0.1:10032
  policy_checks: $checks
  listeners:
    mx: { listen: [\"0.0.0.0:2600\", \"[::]:2600\"], to: \"127.0.0.1:2525\", identity: none, relay_test: no, greet_after: 0, checks: $checks }
  dns: { servers: [\"44.1.0.2:53\"], try: 500ms, tries: 2, total: 2s }"
POSTFIX_SERVICES=$'0.0.0.0:25 inet n - n - - smtpd\n[::]:25 inet n - n - - smtpd'
postfix_on 'smtpd_upstream_proxy_protocol =' 'smtpd_recipient_restrictions = check_policy_service inet:127.0.0.1:10031'
gate_again
until_true 15 prints '"listener":"policy"' on mx serviola events --kind gate.listening --json
until_true 15 prints '"listener":"milter"' on mx serviola events --kind gate.listening --json
until_true 60 prints "220 " on far smtp --src 44.1.0.2 44.1.0.1 2600 QUIT
until_true 60 prints "220 " on far smtp --src 44.1.0.2 44.1.0.1 25 QUIT

sends() # PORT WORDS SENDER [FROM TO HELO]
{
    prints "$2" on far smtp --src "${4:-44.1.0.2}" "${5:-44.1.0.1}" "$1" \
        "EHLO ${6:-client.esp.test}" "MAIL FROM:<$3>" "RCPT TO:<somebody@example.com>" DATA "@mail 100" QUIT
}

same() # WORDS ...: both say them
{
    sends 2600 "$@"
    sends 25 "$@"
}

verdicts()
{
    same "the sender's domain takes no mail" x@evil.test
    same "127.0.1.50" x@evil.test
    same "10.1.2.3" x@private.test
    same "127.0.1.50" x@evil.test 2a00:44:1::2 2a00:44:1::1
    same "a name made from an address" x@client.esp.test 44.1.0.3
    same "that is not your name" x@client.esp.test 44.1.0.2 44.1.0.1 mail.example.com
    same "queued" x@client.esp.test
    same "queued" "" 2a00:44:1::2 2a00:44:1::1
}

say "the policy service: refused with the same words, passed as well"
verdicts
until_true 5 event mx gate.session_refused --src 44.1.0.3
prints '"listener":"policy"' on mx serviola events --kind gate.session_refused --json
prints 'made from an address' on mx serviola why 44.1.0.3

say "the mail filter: likewise"
on mx postconf -c "$T/postfix" -e 'smtpd_recipient_restrictions =' 'smtpd_milters = inet:127.0.0.1:10032'
on mx postfix -c "$T/postfix" reload >/dev/null 2>&1
until_true 15 sends 25 "a name made from an address" x@client.esp.test 44.1.0.3
verdicts
prints '"listener":"milter"' on mx serviola events --kind gate.session_refused --json

say "twin: without either Postfix takes it"
on mx postconf -c "$T/postfix" -e 'smtpd_milters ='
on mx postfix -c "$T/postfix" reload >/dev/null 2>&1
until_true 15 sends 25 "queued" x@evil.test
