#!/bin/bash
# A reload takes nobody's session away, and a stop lets a message that is on its way arrive.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gate.lib.sh"
gate_house
mx_sink_on
gate_on "greet_after: 0, checks: { $quiet }"
gate_takes_mail

say "three sessions are in the middle of something"
start one far smtp "${far}1" 25 "EHLO far.test" "@sleep 3" "MAIL FROM:<one@far.test>" "RCPT TO:<b@example.com>" DATA "@mail 500" QUIT
start two far smtp "${far}1" 25 "EHLO far.test" "MAIL FROM:<two@far.test>" "RCPT TO:<b@example.com>" "@sleep 3" DATA "@mail 500" QUIT
start three far smtp "${far}1" 25 "EHLO far.test" "MAIL FROM:<three@far.test>" "RCPT TO:<b@example.com>" DATA "@raw half" "@sleep 3" "@raw \r\n.\r\n" @reply QUIT
until_true 20 grep -q 354 "$T/three.out"
until_true 20 grep -q '^250 2.1.5' "$T/two.out"

say "the configuration is read again"
configure mx "$(gate_yaml "greet_after: 10ms, checks: { $quiet }")"
kill -HUP "$(pid_of serviola-mx)"
until_true 5 event mx conf.loaded
for name in one two three; do
    wait "$(pid_of $name)" || fail "$name: $(cat "$T/$name.out")"
    grep -q "$name@far.test" "$T/mail" || fail "$name did not arrive"
done
tells "to <b@example.com>" gate.session_passed

say "a stop while a message is on its way: it arrives, and nobody new comes in"
start four far smtp "${far}1" 25 "EHLO far.test" "MAIL FROM:<four@far.test>" "RCPT TO:<b@example.com>" DATA "@raw half" "@sleep 2" "@raw \r\n.\r\n" @reply QUIT
start five far smtp "${far}1" 25 "EHLO far.test" @end
until_true 20 grep -q 354 "$T/four.out"
until_true 20 grep -q '^250 ' "$T/five.out"
finish serviola-mx || fail "it did not end well"
wait "$(pid_of four)" || fail "$(cat "$T/four.out")"
grep -q "four@far.test" "$T/mail"
wait "$(pid_of five)" || true
grep -q '^421 4.3.2' "$T/five.out" || fail "$(cat "$T/five.out")"
