#!/bin/bash
# A loop by an address that is no loopback one; one that has only begun, with how fast it grows; and a server that is both ends itself.
. "$(dirname "$0")/lib.sh"
host box
ip -n box addr add 198.51.100.10/32 dev lo

has_workers() # COUNT
{
    [ "$(pgrep -P "$(pid_of front)" -c)" -ge "$1" ]
}
say "by an own address: told while it still grows"
start front box story_front 25 12 story_callback
until_true 20 on box sh -c 'ss -Htln | grep -q :25'
start delivery box story_callback 198.51.100.10 25 evil.test
until_true 30 has_workers 5
xray box early
shows early self_loop "story_front (pid $(pid_of front))" 198.51.100.10 "one more every"
until_true 30 has_workers 12
called() # the last worker's callback too: it waits in the accept queue
{
    [ "$(on box ss -Htn dport = :25 | wc -l)" -ge 13 ]
}
until_true 30 called
xray box whole
shows whole self_loop "12 of 13" "198.51.100.10 is an address of this host, on lo" "it began with story_callback" evil.test
finish delivery || true
finish front || true

say "one process that serves many at once: no ancestry is claimed"
cat >"$T/alone.py" <<'PYTHON'
import socket, time
listener = socket.create_server(("127.0.0.1", 2526), backlog=64)
held = []
for _ in range(12):
    held.append(socket.create_connection(("127.0.0.1", 2526)))
    held.append(listener.accept()[0])
time.sleep(60)
PYTHON
start alone box python3 "$T/alone.py"
calls_itself()
{
    [ "$(on box ss -Htn state established dport = :2526 | wc -l)" -ge 12 ]
}
until_true 20 calls_itself
xray box alone
shows alone self_loop "(pid $(pid_of alone))" "one process holds both ends of 12 of 12"
is_not shows alone self_loop "it began with"
