#!/bin/bash
# A service that is lost twice before serviola is started anew, and once after it, comes and goes: that is told once in
# each life, until the service is steady.  Twin: one that is lost once in each life does not.
#   us 10.1.0.1 --- web 10.1.0.2
# shellcheck source=tests/scene/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/scene/web.lib.sh
. "$SCENES/web.lib.sh"
host us web
cable us 10.1.0.1/24 web 10.1.0.2/24
start ears web python3 -c '
import socket, threading
def serve(port):
    s = socket.create_server(("10.1.0.2", port))
    while True:
        s.accept()[0].close()
threading.Thread(target=serve, args=(25,)).start()
serve(80)'
until_true 10 prints :25 on web ss -ltn
until_true 10 prints :80 on web ss -ltn
probes_on us "
    flaps: { probe: tcp, to: '10.1.0.2:80', every: 1s, within: 1s, steady: 9s }
    twin: { probe: tcp, to: '10.1.0.2:25', every: 1s, within: 1s, steady: 9s }"
until_true 15 are watch.service_seen "flaps twin"

blinks() # NAME PORT: is lost, and back
{
    on web nft "add table ip shut; add chain ip shut in { type filter hook input priority 0; }; add rule ip shut in tcp dport $2 reject with tcp reset"
    until_true 8 value_is "service.$1.up" 0
    on web nft 'delete table ip shut'
    until_true 8 value_is "service.$1.up" 1
}

anew()
{
    finish serviola-us || true
    start serviola-us us serviola run --no-console
    until_true 30 value_is service.flaps.up 1
    until_true 30 value_is service.twin.up 1
}

blinks flaps 80
blinks flaps 80
blinks twin 25
are watch.service_lost "flaps flaps twin"
[ "$(events us watch.service_flapping)" = 0 ]

say "the third loss is in the next life"
anew
blinks flaps 80
until_true 5 are watch.service_flapping flaps
blinks twin 25

say "who comes and goes is still known in the life after it, and told anew"
anew
until_true 5 are watch.service_flapping "flaps flaps"
blinks flaps 80
until_true 5 are watch.service_blinked "flaps flaps"
until_true 25 are watch.service_steady flaps
are watch.service_flapping "flaps flaps" || fail "it was told again, or of the twin"
are watch.service_lost "flaps flaps twin twin" || fail "single losses were told of one that comes and goes"
