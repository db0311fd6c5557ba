#!/bin/bash
# The watch is stopped for five seconds (SIGSTOP), and with it all of serviola: what it probes was not lost in that time; it
# is not known how it was, and that is what is said.  One that really went meanwhile is lost since the first look after it.
#   us 10.1.0.1 --- web 10.1.0.2
# shellcheck source=tests/scene/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/scene/web.lib.sh
. "$SCENES/web.lib.sh"
host us web
cable us 10.1.0.1/24 web 10.1.0.2/24
web_on web
start other web python3 -m http.server --bind 10.1.0.2 8080
until_true 10 prints :8080 on web ss -ltn
probes_on us "
    web: { probe: http, to: 10.1.0.2/health, every: 1s, within: 1s }
    port: { probe: tcp, to: '10.1.0.2:80', within: 1s }
    ping: { probe: echo, to: 10.1.0.2, within: 1s }
    other: { probe: http, to: '10.1.0.2:8080', within: 1s }"
until_true 15 are watch.service_seen "other ping port web"

say "it stands still, and one server ends meanwhile"
serviola=$(pid_of serviola-us)
mapfile -t everybody < <(pgrep -P "$serviola")
stops_us=${EPOCHREALTIME/./}
kill -STOP "$serviola" "${everybody[@]}"
finish other KILL || true
until [ "${EPOCHREALTIME/./}" -gt $((stops_us + 5000000)) ]; do sleep 0.05; done
goes_on_us=${EPOCHREALTIME/./}
kill -CONT "$serviola" "${everybody[@]}"

until_true 15 event us watch.probes_paused
until_true 15 are watch.service_lost other
[ "$(times watch.service_lost)" -ge "$goes_on_us" ] || fail "lost in a time that is not known"
[ "$(events us watch.service_hidden)" = 0 ]
[ "$(events us watch.network_lost)" = 0 ]
unknown() # NAME: for five seconds, and never down
{
    { on us serviola status --since 1h --json || true; } | python3 -c '
import json, sys
for line in sys.stdin:
    s = json.loads(line)
    if s["service"] == sys.argv[1]:
        sys.exit(None if s["unknown_us"] > 4e6 and s["down_us"] == 0 and not s["losses"] else line)
sys.exit("nothing is told of it")' "$1"
}
for name in web port ping; do
    until_true 10 unknown "$name"
done
