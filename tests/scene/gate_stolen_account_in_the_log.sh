#!/bin/bash
# A Postfix that is not behind the gate and asks nobody: its log tells that ana's account sends from many networks.  She is
# noted and stopped, her messages in the queue are held, the hook is run; who tries passwords there is noted, too.  The
# newsletter from its own desk, and ben, are not.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gate.lib.sh"
gate_house
home=44.1.0.0/24 any=0.0.0.0 xclient=
[ -z "${six-}" ] || home=2a00:44:1::/48 any='[::]' xclient=IPV6:

say "the configuration says what is missing: lines to read"
configure mx "gate: { accounts: { logs: yes } }"
status=0
on mx serviola check >"$T/check" 2>&1 || status=$?
[ $status = 2 ] || fail "$(cat "$T/check")"
grep -q 'logs needs lines to read' "$T/check" || fail "$(cat "$T/check")"

: >"$T/maillog"
chmod 644 "$T/maillog"
printf '#!/bin/sh\necho "$1" >>%s/hooked\n' "$T" >"$T/hook"
chmod 755 "$T/hook"
configure mx "hunt: { mode: off }
log:
  mode: keep
  folder: $T/mx.state/log
  files: { mail: { path: $T/maillog } }
gate:
  folder: $T/mx.state/gate
  accounts: { response: refuse, messages: 10, own: [\"$home\"], logs: yes, hook: $T/hook }"
gate_again
until_true 30 event mx log.started
POSTFIX_SERVICES="$any:25 inet n - n - - smtpd"
postfix_on 'smtpd_upstream_proxy_protocol =' "smtpd_authorized_xclient_hosts = 44.1.0.0/24, [2a00:44:1::]/64" 'mynetworks = 127.0.0.0/8' \
    'smtpd_sasl_auth_enable = yes' 'smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination' \
    'relayhost = [127.0.0.1]:9' 'default_transport = smtp' 'smtp_tls_security_level ='
until_true 60 prints "220 " on far smtp --src "${far}2" "${far}1" 25 QUIT

sends() # USER ADDRESS
{
    prints "queued" on far smtp --src "${far}2" "${far}1" 25 "XCLIENT ADDR=$xclient$2 LOGIN=$1" "EHLO pc.test" \
        "MAIL FROM:<$1@example.com>" "RCPT TO:<somebody@elsewhere.test>" DATA "@mail 100" QUIT
}
mailq_of() { on mx serviola mail list "$1" --server-config "$T/postfix" --json | grep -c '"id"' || true; }
held_of() { on mx serviola mail list "$1" --server-config "$T/postfix" --json | grep -c '"held":true' || true; }
waits_for() # HOW-MANY: so many messages stand in the log
{
    [ "$(grep -c 'sasl_username=' "$T/maillog")" -ge "$1" ]
}

start guard mx serviola mail guard --server-config "$T/postfix"
until_true 30 grep -q waiting "$T/guard.out"

say "twins: the newsletter from its desk, and ben from where he is"
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
    sends news "${far}5"
done
sends ben "$(abroad 2 4)"

say "the thief sends ana's mail from four networks"
for i in 1 2 3; do
    for net in 1 2 3 4; do
        sends ana "$(abroad $net $i)"
    done
done
until_true 30 waits_for 28
until_true 30 event mx gate.account_abused
until_true 30 event mx gate.account_stopped
tells "The mail of the account ana is stopped until" ana
prints '"user":"ana"' on mx serviola events --kind gate.account_abused --json
until_true 30 grep -qx ana "$T/hooked"
until_true 30 grep -q 'messages of ana are held' "$T/guard.out"
[ "$(held_of ana)" -ge 9 ] || fail "only $(held_of ana) of $(mailq_of ana) messages are held"

say "nobody else is meant"
[ "$(events mx gate.account_abused)" = 1 ] || fail "$(on mx serviola events --kind gate.account_abused)"
[ "$(held_of news)$(held_of ben)" = 00 ] || fail "others' mail is held"
[ "$(mailq_of news)" = 15 ] || fail "of the newsletter there are $(mailq_of news)"

say "wrong passwords in the log (Postfix, Exim, Dovecot) are counted by their source"
guesser=$(abroad 1 66)
stamp=$(date '+%b %e %H:%M:%S')
for i in 1 2 3 4 5 6 7 8 9 10; do
    echo "$stamp mx postfix/smtpd[77]: warning: unknown[$guesser]: SASL LOGIN authentication failed: UGFzc3dvcmQ6"
    echo "$stamp mx exim[78]: plain_server authenticator failed for (x) [$guesser]: 535 Incorrect authentication data (set_id=eva$i)"
    echo "$stamp mx dovecot: imap-login: Disconnected (auth failed, 1 attempts in 2 secs): user=<zoe$i>, method=PLAIN, rip=$guesser, lip=${far}1"
done >>"$T/maillog"
until_true 30 event mx gate.password_guessing --src "$guesser"
tells "tries passwords" "$guesser"
[ "$(events mx gate.password_guessing)" = 1 ] || fail "$(on mx serviola events --kind gate.password_guessing)"

say "the stop stays, also when the gate and the log part die; and ana is let through again by command"
for part in gate log; do
    pid=$(pgrep -f "^serviola -x $part\$")
    kill -KILL "$pid"
done
is_back()
{
    pgrep -f '^serviola -x gate$' && pgrep -f '^serviola -x log$'
}
until_true 30 is_back
released()
{
    on mx serviola mail release ana --server-config "$T/postfix" && event mx gate.account_released
}
until_true 15 released
[ "$(held_of ana)" = 0 ] || fail "her mail is still held"
