#!/bin/bash
# Figures can be read over HTTP on a loopback port, in the form and with the names that Prometheus wants; hostile names forge
# nothing in them; only GET /metrics is answered, a client that says nothing holds nobody; without `metrics:` nothing listens.
. "$(dirname "$0")/lib.sh"
host box
configure box "
hunt: { mode: off }
watch: { must_run: ['x\"y'] }
metrics: { listen: '127.0.0.1:9464' }"
serviola_again box
until_true 5 event box metrics.started
until_true 5 event box watch.started

fetch() # PATH [METHOD]: status line, headers, body
{
    on box python3 - "$1" "${2-GET}" <<'END'
import http.client, sys
c = http.client.HTTPConnection("127.0.0.1", 9464, timeout=5)
c.request(sys.argv[2], sys.argv[1], body=b"x" * 100000 if sys.argv[2] == "POST" else None)
r = c.getresponse()
print(r.status, r.getheader("Content-Type"))
print(r.read().decode())
END
}

samples()
{
    fetch /metrics | sed 1d | sed '$d' | exposition >"$T/samples"
}

measured()
{
    samples && grep -q '^serviola_watch_fs_used_ratio 0' "$T/samples"
}
until_true 5 measured
say "$(wc -l <"$T/samples") figures"
prints '200 text/plain; version=0.0.4' fetch /metrics
grep -qx 'serviola_up 1' "$T/samples"
grep -qx 'serviola_part_up{part="watch"} 1' "$T/samples"
grep -q '^serviola_events_total{kind="watch.started",grade="note"} 1$' "$T/samples"
grep -q '^serviola_watch_process_each_running{name="x.*"} 0$' "$T/samples"

say "what happens is counted"
on box serviola block 192.0.2.1 --for 1h >/dev/null || true
counted()
{
    samples && grep -q '^serviola_events_total{kind="act.block' "$T/samples"
}
until_true 5 counted

say "nothing else is there"
prints '404 text/plain' fetch /
prints '404 text/plain' fetch /metrics/../etc/passwd
prints '405 text/plain' fetch /metrics POST
prints '405 text/plain' fetch /metrics DELETE
start silent box python3 -c '
import socket, time
held = [socket.create_connection(("127.0.0.1", 9464)) for _ in range(8)]
time.sleep(60)'
until_true 5 samples
[ "$(on box ss -Hltn | wc -l)" = 1 ]
[ "$(ps -o user:20= -C serviola-metrics)" = serviola-metrics ] || [ "$(pgrep -c -u serviola-metrics)" = 1 ]

say "without metrics nothing listens"
sed -i '/^metrics:/d' "$T/box.conf"
kill -HUP "$(pid_of serviola-box)"
nothing_listens()
{
    [ "$(on box ss -Hltn | wc -l)" = 0 ]
}
until_true 5 nothing_listens
