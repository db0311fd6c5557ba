#!/bin/bash
# Every place is taken: whoever comes hears 421 within a second, known-good clients still get in, and the journal says
# who holds the places.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gate.lib.sh"
gate_house
mx_sink_on
printf '%s\n' "${far}5" >"$T/friends"
gate_on "greet_after: 0, checks: { $quiet }" "  limits: { places: 20, reserve: 20, per_address: 40, per_network: 40, rate_address: 0, rate_network: 0, command_wait: 1min }
  lists: { friends: { file: $T/friends, means: allow } }"
chmod 755 "$T"
gate_takes_mail
until_true 5 event mx gate.lists_loaded

say "sixteen idle clients take all places but the reserve"
start idle far hold --src "${far}3" --count 16 "${far}1" 25
until_true 5 event mx gate.full
prints "${far}3: 16" on mx serviola events --kind gate.full --json
tells "most by ${far}3: 16" last
[ "$(events mx gate.filling)" -le 1 ]

say "who comes now hears 421 at once, a hundred times"
on far python3 - "${far}4" "${far}1" >"$T/said" <<'END'
import socket, sys
for _ in range(100):
    s = socket.create_connection((sys.argv[2], 25), 1, (sys.argv[1], 0))
    print(s.recv(100).decode().strip())
END
[ "$(grep -c '^421 4.3.2' "$T/said")" = 100 ] || fail "$(sort "$T/said" | uniq -c)"
tells "421: no free place" "${far}4"

say "a client on the list of friends gets in by the reserve"
prints '220 mail.example.com' on far smtp --src "${far}5" --wait 1 "${far}1" 25 QUIT

say "and when they leave, there is room again"
finish idle || true
until_true 5 event mx gate.room_again
prints '220 ' on far smtp --src "${far}4" --wait 2 "${far}1" 25 QUIT
