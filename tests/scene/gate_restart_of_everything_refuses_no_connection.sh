#!/bin/bash
# systemctl restart, and kill -9 of all of serviola, with the sockets in systemd's store: nobody who connects meanwhile is
# refused, and all are served.  What the configuration does not name is closed, and told.  The twin without a store.
. "$(dirname "$0")/lib.sh"
at=10.2.0.1 listen=10.2.0.1 resolver=10.2.0.2 stored=serviola-4-0a020001
[ -z "${six-}" ] || at=fd02::1 listen='[fd02::1]' resolver=fd02::2 stored=serviola-6-fd020000000000000000000000000001
smtp=$stored-25
house
start sink wall sink --log "$T/mail" --port 2525
until_true 5 test -e "$T/mail"

conf() # LISTENERS
{
    configure wall "serviola:
  control: $T/wall.state/control
hunt: { mode: off }
gate:
  folder: $T/wall.state/gate
  dns: { servers: [\"$resolver\"], total: 100ms } # nobody answers there, and nobody is refused for it
  listeners:
    first: { listen: \"$listen:25\", to: 127.0.0.1:2525, $same }
$1"
}
same="identity: none, relay_test: no, greet_after: 0s,
      checks: { rdns: off, confirmed: off, generic: off, callback: off, bogus_mx: off, greylist: off, limits: off }"

under_manager() # COMMAND...: serviola as its service
{
    start serviola-wall wall manager "$@" "$T" serviola run --no-console
    until_true 20 answers wall
}

listened() # TIMES: so often the gate has opened its doors
{
    [ "$(events wall gate.listening)" -ge "$1" ]
}

stored() # NAME...: these and no others
{
    [ "$(sort "$T/store")" = "$(printf '%s\n' "$@" | sort)" ]
}

knocks()
{
    rm -f "$T/enough" "$T/heard"
    on out knock "$at" 25 "$T/enough" > "$T/heard" &
    knocker=$!
    until_true 20 grep -q 220 "$T/heard"
}

knocked() # how many were not served
{
    touch "$T/enough"
    wait "$knocker" || true
    served=$(grep -c '^220$' "$T/heard")
    cut=$(grep -cE '^(closed|ConnectionResetError)$' "$T/heard" || true)
    refused=$(($(grep -vc '^220$' "$T/heard" || true) - cut))
    say "$served were served, $refused were not, $cut were being greeted when it was killed"
}

conf "    second: { listen: \"$listen:587\", to: 127.0.0.1:2525, $same }"
under_manager --listen "serviola.socket=$listen:587" --listen "other=$listen:2700" --udp "serviola-nonsense=$listen:25"
until_true 20 listened 2
stored $smtp || fail "in the store: $(cat "$T/store")"

say "what nobody asked for is closed, and told; a socket of systemd's own is used"
grep -q 'not used: the configuration does not name its address and port' "$T/serviola-wall.err"
grep -q 'not used: it is no TCP socket' "$T/serviola-wall.err"
until_true 5 prints 220 on out bash -c "exec 3<> /dev/tcp/$at/587; head -c 3 <&3"

served_by_all() # CUT: nobody was refused, and at most so many cut
{
    until_true 20 served_many
    knocked
    [ "$refused" = 0 ] || fail "$(grep -v '^220$' "$T/heard" | sort | uniq -c)"
    [ "$cut" -le "$1" ] || fail "$cut were cut"
}
served_many()
{
    [ "$(grep -c '^220$' "$T/heard")" -gt 50 ]
}

knocks
say "systemctl restart: it cuts nobody"
kill -HUP "$(pid_of serviola-wall)"
until_true 20 listened 4
served_by_all 0

knocks
say "kill -9 of everything: it cuts whom it had taken already"
# shellcheck disable=SC2046 # one word a process
kill -KILL $(serviola_processes) 2>/dev/null || true
until_true 20 answers wall
until_true 20 listened 6
served_by_all 1
stored $smtp || fail "in the store: $(cat "$T/store")"

say "a reload opens a door and another one closes it: so does the store"
conf "    third: { listen: \"$listen:2600\", to: 127.0.0.1:2525, $same }"
kill -HUP "$(pgrep -o -f '^serviola run ')"
until_true 10 stored $smtp $stored-2600

say "the configuration names it no more at the next start: whoever knocks there is refused"
conf ""
kill -HUP "$(pid_of serviola-wall)"
until_true 20 stored $smtp
until_true 20 prints refused on out bash -c "exec 3<> /dev/tcp/$at/2600"
until_true 20 listened 8
finish serviola-wall || true

say "without a store a restart refuses some"
alone()
{
    start serviola-wall wall serviola run --no-console
    until_true 20 listened "$1"
}
alone 9
refused_some()
{
    grep -qx ConnectionRefusedError "$T/heard"
}
knocks
finish serviola-wall || true
until_true 20 refused_some
alone 10
knocked
