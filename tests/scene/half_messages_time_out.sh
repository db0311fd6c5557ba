#!/bin/bash
# 600 connections begin a message and do not end it, some a byte at a time: they are cut off, and others are not held up.
. "$(dirname "$0")/lib.sh"
host box
configure box "
hunt: { mode: off }
log: { mode: keep, folder: $T/box.state/log, tcp: \"127.0.0.1:5514\", connections: 700, patience: 2s }"
start serviola-box box serviola run --no-console
up()
{
    answers box && event box log.started
}
until_true 10 up
cat >"$T/hold" <<'EOS'
import socket, time
all = [socket.create_connection(('127.0.0.1', 5514)) for _ in range(600)]
for i, s in enumerate(all):
    s.sendall(b'1000 <13>half' if i % 2 else b'<13>half')
while True:
    time.sleep(0.5)
    for s in all[:50]:
        try:
            s.sendall(b'x')
        except OSError:
            pass
EOS
start holders box python3 "$T/hold"
held() # LEAST MOST
{
    local n

    n=$(on box ss -Htn state established sport = :5514 | wc -l)
    [ "$n" -ge "$1" ] && [ "$n" -le "$2" ]
}
until_true 10 held 600 700

say "somebody else is heard at once"
on box python3 -c 'import socket; s = socket.create_connection(("127.0.0.1", 5514)); s.sendall(b"<13>whole\n"); s.recv(1)' &
said()
{
    prints "<13>whole" serviola log show --store "$T/box.state/log"
}
until_true 5 said

say "the 600 are cut off; twin: the quiet one with whole messages stays"
until_true 15 held 0 1
event box log.client_refused
held 1 1
kill %1 2>/dev/null || kill "$!" 2>/dev/null || true
finish holders || true
finish serviola-box || true
