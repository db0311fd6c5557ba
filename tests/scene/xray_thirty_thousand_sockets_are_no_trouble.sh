#!/bin/bash
# Fifteen thousand honest connections: no loop, a picture within bounds, a drawing of at most fifty nodes.
. "$(dirname "$0")/lib.sh"
host box
cat >"$T/many.py" <<'PYTHON'
import os, resource, socket, time
each = 500
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
for worker in range(30):
    listener = socket.create_server(("127.0.%d.1" % worker, 2700), backlog=each)
    if os.fork() == 0:
        held = []
        for i in range(each):
            held.append(socket.create_connection(("127.0.%d.1" % worker, 2700)))
            held.append(listener.accept()[0])
        open(os.environ["T"] + "/ready%d" % worker, "w").close()
        time.sleep(60)
        os._exit(0)
    listener.close()
time.sleep(60)
PYTHON
start many box env T="$T" python3 "$T/many.py"
ready()
{
    [ "$(find "$T" -maxdepth 1 -name 'ready*' | wc -l)" = 30 ]
}
until_true 30 ready
room=2000000
[ "${SCENE_SLOW:-1}" = 1 ] || room=unlimited # sanitizers map far more than they use
on box bash -c "ulimit -v $room; serviola xray -o $T/now.xray"
serviola explain --json "$T/now.xray" >"$T/now.found" || [ $? = 1 ]
[ "$(serviola xray show "$T/now.xray" socket 127.0. --json | wc -l)" -ge 30000 ]
is_not shows now self_loop "come from its own"
serviola xray explain "$T/now.xray" --html -o "$T/now.html"
python3 - "$T/now.html" <<'PYTHON'
import sys, xml.dom.minidom
page = open(sys.argv[1]).read()
drawing = page[page.index("<svg"):page.index("</svg>") + 6]
assert len(drawing) < 200 << 10, len(drawing)
assert drawing.count("<rect") <= 50, drawing.count("<rect")
xml.dom.minidom.parseString(drawing)
PYTHON
