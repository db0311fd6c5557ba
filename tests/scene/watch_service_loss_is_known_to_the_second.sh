#!/bin/bash
# A web server ends and comes back: the loss is told within three seconds of two missed probes, both times are right
# to the second although it is asked for a page each ten seconds, and the journal tells it afterwards; one that is slow,
# but alive, is not down; and a server hears of no look at its port.
#   us 10.1.0.1 --- web 10.1.0.2
# shellcheck source=tests/scene/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/scene/web.lib.sh
. "$SCENES/web.lib.sh"
host us web
cable us 10.1.0.1/24 web 10.1.0.2/24
web_on web
start slow web python3 -c '
import http.server, time
class Slow(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        time.sleep(1.5)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"at last")
http.server.ThreadingHTTPServer(("", 8080), Slow).serve_forever()'
start ears web python3 -c '
import socket
s = socket.create_server(("10.1.0.2", 25))
while True:
    s.accept()[0].close()
    print("heard", flush=True)'
until_true 10 prints :25 on web ss -ltn
until_true 10 prints :8080 on web ss -ltn
probes_on us "
    web: { probe: http, to: 10.1.0.2/health, content: 'is ok', within: 2s }
    web tls: { probe: tls, to: 10.1.0.2, within: 2s, trust: $T/web.pem }
    port: { probe: tcp, to: '10.1.0.2:80', every: 1s }
    ears: { probe: tcp, to: '10.1.0.2:25' }
    slow: { probe: http, to: '10.1.0.2:8080', every: 1s, within: 3s }"

until_true 15 are watch.service_seen "ears port slow web web tls"
[ "$(events us watch.service_lost)" = 0 ]
until_true 3 prints service.web.latency on us serviola watch
until_true 3 prints service.web_tls.days on us serviola watch

say "the server ends"
before_us=${EPOCHREALTIME/./}
web_gone web
lost_us=${EPOCHREALTIME/./}
until_true 6 are watch.service_lost "port web web tls"
say "told after $(((${EPOCHREALTIME/./} - lost_us) / 1000)) ms"

say "and comes back"
sleep 0.1 # so that nobody is back before it was gone
starts_us=${EPOCHREALTIME/./}
web_on web
back_us=${EPOCHREALTIME/./}
until_true 6 are watch.service_back "port web web tls"
[ "$(wc -l <"$T/ears.out")" -le 2 ] || fail "the server heard of looks at its port" # where this host was away for 0.2 s
[ "$(wc -l <"$T/web/access.log")" -le 8 ] || fail "a page was asked for each second"

# shellcheck disable=SC2046 # a word each
near "$before_us" "$lost_us" $(times watch.service_lost)
# shellcheck disable=SC2046
near "$starts_us" "$back_us" $(times watch.service_back)

say "what was, is told from the journal: also while nothing runs, and that time is not known"
availability() # NAME EXPRESSION
{
    { on us serviola status --since 1h --json || true; } | python3 -c '
import json, sys
for line in sys.stdin:
    s = json.loads(line)
    if s["service"] == sys.argv[1]:
        sys.exit(None if eval(sys.argv[2], {}, s) else line)
sys.exit("nothing is told of it")' "$1" "$2"
}
lasted=$((back_us - lost_us))
status=0
on us serviola status --since 1h >"$T/told" || status=$?
[ $status = 1 ]
cat "$T/told"
until_true 5 availability web "len(losses) == 1 and abs(losses[0]['span_us'] - $lasted) < 2200000 and down_us == losses[0]['span_us']"
until_true 5 availability port "len(losses) == 1 and 'refused' in losses[0]['why']"
crash us
sleep 1.5 # that is the time
start serviola-us us serviola run --no-console
until_true 30 are watch.service_seen "ears ears port port slow slow web web web tls web tls"
until_true 10 availability web "unknown_us > 1000000 and up_us > 0 and len(losses) == 1"
