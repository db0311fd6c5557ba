#!/bin/bash
# Clients that never read, dribble a message, reset, close half, or come and go by the thousand; a server that is slower
# than its client: each session ends in its time and is told once, and memory and descriptors are as before.
# alone, since it takes both processors
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gate.lib.sh"
gate_house
mx_sink_on --slow 40000000
gate_on "greet_after: 0, checks: { $quiet }" '  limits: { rate_address: 0, rate_network: 0, per_address: 5000, per_network: 5000, command_wait: 3s, idle_commands: 100000, data_rate: 100 }'
gate_takes_mail

gate_pid
mail=("EHLO far.test" "MAIL FROM:<a@far.test>" "RCPT TO:<b@example.com>" DATA)
on far smtp 44.1.0.1 25 "${mail[@]}" "@mail 200000" QUIT >/dev/null
before=$(descriptors)
told=$(ended)

say "one dribbles a message: a byte a second"
dribble=()
for _ in {1..60}; do
    dribble+=("@raw x" "@sleep 1")
done
start dribble far smtp --wait 20 44.1.0.1 25 "${mail[@]}" "${dribble[@]}" @end

say "one is far faster than the server: its message waits outside, 64 MB of it"
start fast far python3 -c '
import smtplib
s = smtplib.SMTP("44.1.0.1", 25, timeout=100)
s.ehlo("far.test")
s.sendmail("fast@far.test", ["b@example.com"], b"Subject: x\r\n\r\n" + (b"x" * 65000 + b"\r\n") * 1000)
s.quit()'
most=0 first=$(memory_kb)
while kill -0 "$(pid_of fast)" 2>/dev/null; do
    now=$(memory_kb)
    [ "$now" -le "$most" ] || most=$now
    sleep 0.1
done
wait "$(pid_of fast)" || fail "$(cat "$T/fast.err")"
grep -q 'fast@far.test' "$T/mail"
say "memory before $first KiB, at most $most KiB"
[ -n "${SCENE_SLOW-}" ] || [ $((most - first)) -le 512 ] || fail "the gate held it: $((most - first)) KiB"

say "one never reads its replies, one resets within a message, one closes its half behind QUIT"
on far python3 - <<'END'
import socket, struct, time
def come():
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.connect(("44.1.0.1", 25))
    s.settimeout(20)
    return s
deaf = come()
began = time.monotonic()
try:
    while time.monotonic() < began + 20:
        deaf.sendall(b"NOOP\r\n" * 1000)
    raise SystemExit("nobody ended it")
except (ConnectionError, socket.timeout):
    print("- who does not read is cut off after %.1f s" % (time.monotonic() - began))
reset = come()
reset.recv(1000)
for line in b"EHLO x", b"MAIL FROM:<reset@far.test>", b"RCPT TO:<b@example.com>", b"DATA":
    reset.sendall(line + b"\r\n")
    reset.recv(1000)
reset.sendall(b"half a message\r\n")
reset.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
reset.close()
half = come()
half.recv(1000)
half.sendall(b"EHLO x\r\n")
half.recv(1000)
half.sendall(b"MAIL FROM:<half@far.test>\r\nRCPT TO:<b@example.com>\r\nQUIT\r\n")
half.shutdown(socket.SHUT_WR)
heard = b""
while more := half.recv(1000):
    heard += more
assert heard.count(b"\r\n") == 3 and b"221 2.0.0" in heard, heard
END
is_not grep -q 'reset@far.test' "$T/mail"

say "two thousand come and go at once"
on far python3 - <<'END'
import socket
for i in range(2000):
    socket.create_connection(("44.1.0.1", 25)).close()
END
until_true 30 eval '[ "$(ended)" -ge $((told + 2004)) ]'

say "the dribbling one is ended for its rate"
until_true 60 grep -q '^421 4.4.2' "$T/dribble.out"
finish dribble || true
until_true 10 eval '[ "$(descriptors)" -le "$before" ]'
was=$pid
gate_pid
[ "$pid" = "$was" ] || fail "the gate died"
until_true 5 prints "too slowly" on mx serviola events --kind gate.session_deferred --json
tells "421: the message came too slowly" gate.session_deferred
sum=$(on mx serviola status --json | python3 -c 'import json, sys; print(sum(d[k] for d in json.load(sys.stdin)["gate"] for k in ("passed", "refused", "deferred", "ended")))')
[ "$sum" = "$(ended)" ] || fail "the status counts $sum sessions, the journal $(ended)"
say "descriptors $before and $(descriptors), $(ended) sessions told, memory $(memory_kb) KiB"
