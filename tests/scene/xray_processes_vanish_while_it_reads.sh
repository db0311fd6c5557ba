#!/bin/bash
# Hundreds of processes a second begin and end while the picture is taken: it is taken whole, and says how many came and went.
. "$(dirname "$0")/lib.sh"
host box
cat >"$T/churn.py" <<'PYTHON'
import os, socket
listener = socket.create_server(("127.0.0.1", 2600), backlog=1024)
while True:
    child = os.fork()
    if child == 0:
        s = socket.create_connection(("127.0.0.1", 2600))
        os._exit(0)
    os.waitpid(child, 0)
    listener.accept()[0].close()
PYTHON
start one box python3 "$T/churn.py"
until_true 5 on box sh -c 'ss -Htln | grep -q :2600'
by_proc() # NAME
{
    on box setpriv --bounding-set=-bpf,-perfmon,-sys_admin --inh-caps=-bpf,-perfmon,-sys_admin \
        "$(command -v serviola)" xray --force -o "$T/$1.xray"
    serviola explain --json "$T/$1.xray" >"$T/$1.found" || [ $? = 1 ]
}
for i in 1 2 3 4 5 6; do
    if [ $i -gt 4 ]; then by_proc "round$i"; else xray box "round$i"; fi
    tar --zstd -xOf "$T/round$i.xray" process.jsonl | python3 -c '
import json, sys
pids = [json.loads(line)["pid"] for line in sys.stdin]
assert len(pids) == len(set(pids)), "twice in one picture"'
    tar --zstd -xOf "$T/round$i.xray" socket.jsonl | python3 -c '
import json, sys
held = [s["inode"] for s in map(json.loads, sys.stdin) if s.get("inode")]
assert len(held) == len(set(held)), "a socket twice in one picture"'
    is_not shows "round$i" hidden_process
    is_not shows "round$i" hidden_port
done
for i in 1 2 3 4 5 6; do # on a busy machine nothing may happen during one of them
    tar --zstd -xOf "$T/round$i.xray" manifest.json | python3 -c '
import json, sys
manifest = json.load(sys.stdin)
said = manifest["meanwhile"]
assert set(said) == {"sockets_appeared", "sockets_vanished", "processes_appeared", "processes_vanished"}, said
assert manifest["begun"] < manifest["ended"], manifest
print(sum(said.values()))'
done >"$T/meanwhile"
grep -qv '^0$' "$T/meanwhile" || fail "nothing was seen to come or go"
