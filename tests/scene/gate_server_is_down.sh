#!/bin/bash
# The mail server behind the gate is refused, silent, or dies at any moment: the client hears 421 or 451 within ten
# seconds, and no message is lost or told to be taken.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gate.lib.sh"
gate_house
yaml="greet_after: 0, checks: { $quiet }"
mail=("EHLO far.test" "MAIL FROM:<a@far.test>" "RCPT TO:<b@example.com>" DATA "@mail 2000" QUIT)

say "nobody is behind the gate when it starts: clients hear 421, not silence"
gate_on "$yaml"
until_true 15 prints "421 4.3.2" on far smtp --wait 2 "${far}1" 25
until_true 5 event mx gate.server_down
tells "behind the gate does not answer" gate.server_down
until_true 5 prints "server down" on mx serviola status
until_true 5 prints "does not answer" on mx serviola status

say "it comes: the gate opens by itself"
mx_sink_on
gate_takes_mail
until_true 5 event mx gate.server_back
is_not prints "server down" on mx serviola status
until_true 5 prints '"server_down":false' on mx serviola status --json
on far smtp "${far}1" 25 "${mail[@]}"

say "it goes: 421 or 451, and one event"
finish sink || true
rm -f "$T/mail"
prints "4" on far smtp --wait 10 "${far}1" 25 "${mail[@]}" || true
until_true 15 prints "421 4.3.2" on far smtp --wait 2 "${far}1" 25

for when in mail data dot; do
    say "it dies at $when: the client is asked to come again"
    mx_sink_on
    gate_takes_mail
    finish sink || true
    rm -f "$T/mail"
    mx_sink_on --die "$when"
    on far smtp --wait 10 "${far}1" 25 "${mail[@]:0:5}" >"$T/talk" || true
    grep -qE '^4(51|21) ' "$T/talk" || fail "$when: $(cat "$T/talk")"
    [ "$(grep -c '^250 2.0.0 queued' "$T/talk")" = 0 ] || fail "told to be taken: $(cat "$T/talk")"
    finish sink || true
    rm -f "$T/mail"
done
until_true 5 event mx gate.outcome_unknown
tells "went away before it said whether it took a message" gate.outcome_unknown

say "it accepts and says nothing: an answer within ten seconds"
mx_sink_on
gate_takes_mail
finish sink || true
rm -f "$T/mail"
mx_sink_on --silent
on far smtp --wait 12 "${far}1" 25 "${mail[@]:0:3}" >"$T/talk" || true
grep -q "^451 4.3.2" "$T/talk" || fail "$(cat "$T/talk")"
tells "451: no connection in time" gate.session_deferred
