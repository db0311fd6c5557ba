#!/bin/bash
# Somebody has ana's password and sends through Postfix from many networks: she is stopped there, not at home; ben sends
# on; her messages in the queue are held, and released or removed by command; the hook is run with her name, and our own
# address is looked up on the DNS lists.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gate.lib.sh"
. "$(dirname "$0")/dns.lib.sh"
gate_house
listed=$(names_reverse "${far}1" x)
names_on far "${listed%%.i*}.bl.spamcop.net. A 127.0.0.2"
service=127.0.0.1:10031 home=44.1.0.0/24 any=0.0.0.0 xclient=
[ -z "${six-}" ] || service='[::1]:10031' home=2a00:44:1::/48 any='[::]' xclient=IPV6:

say "Postfix asks the policy service who may send; nobody takes mail for elsewhere.test now, so it stays in the queue"
printf '#!/bin/sh\necho "$1" >>%s/hooked\n' "$T" >"$T/hook"
chmod 755 "$T/hook"
configure mx "hunt: { mode: off }
gate:
  folder: $T/mx.state/gate
  policy_listen: \"$service\"
  dns: { servers: [\"$resolver\"], try: 500ms, tries: 2, total: 2s }
  dns_lists: { spamcop: { zone: bl.spamcop.net }, other: { zone: list.test } }
  accounts: { response: refuse, messages: 10, own: [\"$home\"], hook: $T/hook }"
POSTFIX_SERVICES="$any:25 inet n - n - - smtpd"
postfix_on 'smtpd_upstream_proxy_protocol =' "smtpd_authorized_xclient_hosts = 44.1.0.0/24, [2a00:44:1::]/64" 'mynetworks = 127.0.0.0/8' \
    'smtpd_sasl_auth_enable = yes' 'smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination' \
    "smtpd_recipient_restrictions = check_policy_service inet:$service" 'relayhost = [127.0.0.1]:9' \
    'default_transport = smtp' 'smtp_tls_security_level ='
gate_again
until_true 15 prints 'policy' on mx serviola events --kind gate.listening --json
until_true 60 prints "220 " on far smtp --src "${far}2" "${far}1" 25 QUIT

sends() # WORDS USER ADDRESS
{
    prints "$1" on far smtp --src "${far}2" "${far}1" 25 "XCLIENT ADDR=$xclient$3 LOGIN=$2" "EHLO pc.test" \
        "MAIL FROM:<$2@example.com>" "RCPT TO:<somebody@elsewhere.test>" DATA "@mail 100" QUIT
}
mailq_of() { on mx serviola mail list "$1" --server-config "$T/postfix" --json | grep -c '"id"' || true; }
held_of() { on mx serviola mail list "$1" --server-config "$T/postfix" --json | grep -c '"held":true' || true; }

start guard mx serviola mail guard --server-config "$T/postfix"
until_true 30 grep -q waiting "$T/guard.out"
sends "queued" ana "${far}5"
sends "queued" ben "${far}4"

say "the thief sends from four networks"
for i in 1 2 3; do
    for net in 1 2 3 4; do
        sends "" ana "$(abroad $net $i)"
    done
done
until_true 30 event mx gate.account_abused
until_true 30 event mx gate.account_stopped
tells "The mail of the account ana is stopped until" ana
prints '"user":"ana"' on mx serviola events --kind gate.account_abused --json
sends "this account is stopped" ana "$(abroad 1 9)"
sends "this account is stopped" ana "$(abroad 4 77)"

say "her messages are held, and the hook was run, once, with her name"
until_true 30 grep -qx ana "$T/hooked"
[ "$(grep -c . "$T/hooked")" = 1 ] || fail "the hook ran more than once"
until_true 30 grep -q 'messages of ana are held' "$T/guard.out"
[ "$(held_of ana)" -ge 9 ] || fail "only $(held_of ana) of $(mailq_of ana) messages are held"

say "our own address is on a list by now: the event says where it can be taken off"
until_true 30 prints 'www.spamcop.net/bl.shtml' on mx serviola events --kind gate.own_listed
[ "$(events mx gate.own_listed)" = 1 ] || fail "$(on mx serviola events --kind gate.own_listed)"

say "twins: ana at home, and ben anywhere, send on; nothing of his is held"
sends "queued" ana "${far}5"
sends "queued" ben "${far}4"
sends "queued" ben "$(abroad 1 9)"
[ "$(held_of ben)" = 0 ] || fail "ben's mail is held"

say "what is removed is hers alone, and what was held; then she is let through again"
on mx serviola mail purge ana --server-config "$T/postfix"
[ "$(mailq_of ana)" = 1 ] || fail "of ana's there are $(mailq_of ana), not the one that she sent since"
on mx serviola mail purge ana --all --server-config "$T/postfix"
[ "$(mailq_of ana)" = 0 ] || fail "not all was removed"
[ "$(mailq_of ben)" = 3 ] || fail "ben's mail was removed"
on mx serviola mail release ana --server-config "$T/postfix"
until_true 30 event mx gate.account_released
until_true 30 sends "queued" ana "$(abroad 1 9)"

say "an administrator stops and releases ben by hand"
on mx serviola mail hold ben --server-config "$T/postfix"
until_true 30 sends "this account is stopped" ben "$(abroad 1 9)"
[ "$(held_of ben)" = 3 ] || fail "ben's mail is not held"
on mx serviola mail release ben --server-config "$T/postfix"
until_true 30 sends "queued" ben "$(abroad 1 9)"
[ "$(held_of ben)" = 0 ] || fail "ben's mail is still held"
status=0
on mx serviola mail hold -- '-rf' >/dev/null 2>&1 || status=$?
[ $status = 2 ] || fail "an option was taken for an account"
