#!/bin/bash
# A server that would relay for anybody who comes through the gate: the listener stays closed, with the way out.  So it
# does when the gate would greet with another name than the server, or the server does not take the client's address.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gate.lib.sh"
gate_house

say "the server trusts us: closed"
mx_sink_on --trusts
gate_on "greet_after: 0, checks: { $quiet }"
until_true 10 event mx gate.server_trusts
tells "would relay for anybody who comes through the gate" gate.server_trusts
tells "in Postfix smtpd_upstream_proxy_protocol = haproxy for this port, in Exim hosts_proxy" gate.server_trusts
tells "in qmail: no RELAYCLIENT for it in tcp.smtp); then restart serviola" gate.server_trusts
prints "REFUSED" on far smtp 44.1.0.1 25
finish serviola-mx

say "another name: closed"
finish sink || true
mx_sink_on
gate_on "greet_after: 0, checks: { $quiet }" "  name: other.example.com"
until_true 10 event mx gate.name_differs
tells "stays closed" gate.name_differs
prints "REFUSED" on far smtp 44.1.0.1 25
finish serviola-mx

say "XCLIENT is refused: nothing is ever passed on in our own name"
finish sink || true
mx_sink_on --no-xclient
gate_on "greet_after: 0, identity: xclient, checks: { $quiet }"
until_true 10 event mx gate.identity_refused
tells "does not take the client's address from us" gate.identity_refused
on far smtp --wait 10 44.1.0.1 25 "EHLO far.test" "MAIL FROM:<a@far.test>" "RCPT TO:<b@example.com>" DATA "@mail 100" >"$T/talk" || true
is_not grep -q queued "$T/talk"
[ ! -s "$T/mail" ]
finish serviola-mx

say "twin: a server that takes XCLIENT gets the client's address"
finish sink || true
mx_sink_on --xclient
gate_on "greet_after: 0, identity: xclient, checks: { $quiet }"
gate_takes_mail
on far smtp --src '44.1.0.3#40444' 44.1.0.1 25 "EHLO far.test" "MAIL FROM:<a@far.test>" "RCPT TO:<b@example.com>" DATA "@mail 100" QUIT
until_true 5 grep -q '^44.1.0.3 40444 ' "$T/mail"
tells "from <a@far.test> to <b@example.com>" 44.1.0.3
finish serviola-mx

say "twin: and one that takes PROXY version 1"
finish sink || true
mx_sink_on
gate_on "greet_after: 0, identity: proxy-v1, checks: { $quiet }"
gate_takes_mail
on far smtp --src '44.1.0.3#40445' 44.1.0.1 25 "EHLO far.test" "MAIL FROM:<a@far.test>" "RCPT TO:<b@example.com>" DATA "@mail 100" QUIT
until_true 5 grep -q '^44.1.0.3 40445 ' "$T/mail"
