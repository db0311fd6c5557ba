#!/bin/bash
# kill -9 of the gate, the hand and the core, and reloads that open a door, close it and start the gate anew: nobody who
# connects meanwhile is refused.  All are served, but for those whom a killed process had taken already, at most one a kill.
# A gate that starts anew for a reload lets go of a mail that was begun, and asks the others to come again.
. "$(dirname "$0")/lib.sh"
at=10.2.0.1 listen=10.2.0.1 resolver=10.2.0.2
[ -z "${six-}" ] || at=fd02::1 listen='[fd02::1]' resolver=fd02::2
house
start sink wall sink --log "$T/mail" --port 2525,2526
until_true 5 test -e "$T/mail"

conf() # LISTENERS
{
    configure wall "serviola:
  control: $T/wall.state/control
  restarts: 100
gate:
  folder: $T/wall.state/gate
  dns: { servers: [\"$resolver\"], total: 100ms } # nobody answers there, and nobody is refused for it
  listeners:
    first: { listen: \"$listen:25\", to: 127.0.0.1:2525, $same }
$1"
}
same="identity: none, relay_test: no, greet_after: 0s,
      checks: { rdns: off, confirmed: off, generic: off, callback: off, bogus_mx: off, greylist: off, limits: off }"

gate_pid()
{
    pgrep -f '^serviola -x gate$'
}

another_gate() # PID
{
    local now

    now=$(gate_pid) && [ "$now" != "$1" ]
}

listened_again() # TIMES
{
    [ "$(events wall gate.listening)" -gt "$1" ]
}

reload()
{
    local loaded

    loaded=$(events wall conf.loaded)
    kill -HUP "$(pid_of serviola-wall)"
    is_loaded()
    {
        [ "$(events wall conf.loaded)" -gt "$loaded" ]
    }
    until_true 5 is_loaded
}

conf ""
serviola_again wall
until_true 5 event wall gate.listening
knocks()
{
    rm -f "$T/enough" "$T/heard"
    on out knock "$at" 25 "$T/enough" > "$T/heard" &
    knocker=$!
    until_true 10 grep -q 220 "$T/heard"
}

served_many()
{
    [ "$(grep -c '^220$' "$T/heard")" -gt 100 ]
}

knocked() # HOW-MANY-WERE-KILLED [ANOTHER-GREETING]
{
    local cut others served

    until_true 20 served_many
    touch "$T/enough"
    wait "$knocker" || true
    served=$(grep -c '^220$' "$T/heard")
    cut=$(grep -cE '^(closed|ConnectionResetError)$' "$T/heard" || true)
    others=$(grep -vcE "^(220|closed|ConnectionResetError${2+|$2})\$" "$T/heard" || true)
    say "$served were served, $cut were cut"
    [ "$others" = 0 ] || fail "$(grep -v '^220$' "$T/heard" | sort | uniq -c)"
    [ "$cut" -le "$1" ] || fail "$cut were cut by $1 kill -9"
}
knocks

another_hand() # PID
{
    local now

    now=$(pgrep -o -f '^serviola-hand$') && [ "$now" != "$1" ]
}

say "the hand is killed, which opened the sockets"
was=$(pgrep -o -f '^serviola-hand$')
kill -KILL "$was"
until_true 20 another_hand "$was"
for who in gate gate core; do
    say "the $who is killed"
    was=$(gate_pid)
    listening=$(events wall gate.listening)
    kill -KILL "$(pgrep -f "^serviola -x $who\$")"
    until_true 20 another_gate "$was"
    until_true 20 answers wall
    until_true 20 listened_again "$listening"
done

knocked 3 # the hand has taken nobody

knocks
say "a door more, and the gate is the same one"
was=$(gate_pid)
conf "    second: { listen: \"$listen:587\", to: 127.0.0.1:2525, $same }"
reload
until_true 5 prints 220 on out bash -c "exec 3<> /dev/tcp/$at/587; head -c 3 <&3"
[ "$(gate_pid)" = "$was" ]

say "a door less: whoever knocks there is refused at once, and does not wait"
conf ""
reload
until_true 5 prints refused on out bash -c "exec 3<> /dev/tcp/$at/587"
[ "$(gate_pid)" = "$was" ]

say "a server on another port: the gate starts anew, and the mail that was begun arrives before"
on out smtp "$at" 25 "EHLO out.test" "MAIL FROM:<a@out.test>" "RCPT TO:<b@example.com>" "@until $T/reloaded" DATA "@mail 100" \
    "MAIL FROM:<a@out.test>" >"$T/begun" &
sender=$!
begun()
{
    [ "$(grep -c ^250 "$T/begun")" = 3 ]
}
until_true 5 begun
on out smtp "$at" 25 "EHLO out.test" @reply >"$T/idle" &
idle=$!
until_true 5 grep -q ^250 "$T/idle"
listening=$(events wall gate.listening)
conf "    third: { listen: \"$listen:2600\", to: 127.0.0.1:2526, $same }"
reload
until_true 5 grep -q ^421 "$T/idle"
[ "$(gate_pid)" = "$was" ]
touch "$T/reloaded"
until_true 10 another_gate "$was"
until_true 10 listened_again "$listening"
wait "$sender" || true
wait "$idle" || true
[ "$(cut -c 1-3 "$T/begun" | paste -sd ' ')" = "220 250 250 250 354 250 421" ]

knocked 0 421

say "the end: nobody waits for a gate that does not come again"
finish serviola-wall || true
until_true 5 prints refused on out bash -c "exec 3<> /dev/tcp/$at/25"
