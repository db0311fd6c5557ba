#!/bin/bash
# The gate may have sixty descriptors and more clients come: those for whom none is left hear 421, nothing spins, the mail
# server is not taken for dead, and all is well when they leave.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gate.lib.sh"
gate_house
mx_sink_on
configure mx "$(gate_yaml "greet_after: 0, checks: { $quiet }" '  limits: { rate_address: 0, rate_network: 0, per_address: 5000, per_network: 5000 }')"
start serviola-mx mx bash -c 'ulimit -n 60 && exec serviola run --no-console'
until_true 15 answers mx
gate_takes_mail

pid=$(part_pid mx gate)
cpu_ticks() { awk '{ print $14 + $15 }' "/proc/$pid/stat"; }

say "seventy come"
start crowd far python3 -c '
import socket, time
s = [socket.create_connection(("44.1.0.1", 25), 30) for _ in range(70)]
heard = [x.recv(100)[:3] for x in s]
print("heard", heard.count(b"220"), heard.count(b"421"), flush=True)
time.sleep(3)'
until_true 30 grep -q heard "$T/crowd.out"
cat "$T/crowd.out"
ticks=$(cpu_ticks)
sleep 1
ticks=$(($(cpu_ticks) - ticks))
[ -n "${SCENE_SLOW-}" ] || [ $ticks -le 5 ] || fail "$ticks % of a processor for nothing"
grep -qE '^heard [1-9][0-9]* [1-9]' "$T/crowd.out" || fail "$(cat "$T/crowd.out" "$T/crowd.err")"
grep -E '^heard' "$T/crowd.out" | awk '{ exit $2 + $3 != 70 }' || fail "somebody heard nothing"
wait "$(pid_of crowd)"

say "they left: mail goes on"
until_true 15 prints "250 2.0.0 queued" on far smtp 44.1.0.1 25 "EHLO far.test" "MAIL FROM:<a@far.test>" "RCPT TO:<b@example.com>" DATA "@mail 100" QUIT
tells "from <a@far.test> to <b@example.com>" 44.1.0.2
