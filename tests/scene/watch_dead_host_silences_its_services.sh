#!/bin/bash
# A router dies with three services behind it: that is told once, as the router's loss.  When our own cable is out, that is
# told, and none of the services.  One that comes and goes is told once, with the count.
#   us 10.1.0.1 --- 10.1.0.2 router 10.2.0.1 --- web 10.2.0.2
#   us 10.3.0.1 --- far 10.3.0.2
# shellcheck source=tests/scene/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/scene/web.lib.sh
. "$SCENES/web.lib.sh"
host us router web far
cable us 10.1.0.1/24 router 10.1.0.2/24
cable web 10.2.0.2/24 router 10.2.0.1/24
cable us 10.3.0.1/24 far 10.3.0.2/24
ip -n us route replace default via 10.1.0.2
forwards router
web_certificate 10.2.0.2
web_on web
probes_on us "
    router: { probe: echo, to: 10.1.0.2, within: 1s }
    far: { probe: echo, to: 10.3.0.2, within: 1s }
    web: { probe: http, to: 10.2.0.2/health, every: 1s, within: 1s, after: [router] }
    tls: { probe: tls, to: 10.2.0.2, every: 1s, within: 1s, trust: $T/web.pem, after: [router], steady: 3s }
    port: { probe: tcp, to: '10.2.0.2:80', within: 1s, after: [web] }"
until_true 10 are watch.service_seen "far port router tls web"

say "the router dies"
ip -n router link set us down
until_true 8 are watch.service_lost router
until_true 8 are watch.service_hidden "port tls web"
prints 'router is down' on us serviola events --kind watch.service_hidden
lost=$(on us serviola events --kind watch.service_lost --json | sed 's/.*"seq":\([0-9]*\).*/\1/')
prints "\"cause\":$lost," on us serviola events --kind watch.service_hidden --json

say "and lives again"
ip -n router link set us up
until_true 12 are watch.service_back router
until_true 12 are watch.service_shown "port tls web"
are watch.service_lost router || fail "a service behind it was told too"

say "every cable of ours is out: that is ours, and is told once"
ip -n us link set router down
ip -n us link set far down
until_true 10 event us watch.network_lost
until_true 10 are watch.service_hidden "far port port router tls tls web web"
ip -n us link set router up
ip -n us link set far up
ip -n us route replace default via 10.1.0.2
until_true 12 event us watch.network_back
until_true 12 are watch.service_shown "far port port router tls tls web web"
are watch.service_lost router || fail "a service was told although it was our network"
[ "$(events us watch.network_lost)" = 1 ]

say "a port that comes and goes is told once, and each loss is written down"
for _ in 1 2 3 4; do
    on web nft 'add table ip shut; add chain ip shut in { type filter hook input priority 0; }; add rule ip shut in tcp dport 443 reject with tcp reset'
    until_true 8 value_is service.tls.up 0
    on web nft 'delete table ip shut'
    until_true 8 value_is service.tls.up 1
done
until_true 5 event us watch.service_flapping
[ "$(events us watch.service_flapping)" -ge 1 ]
until_true 10 event us watch.service_steady
prints 'refused' on us serviola events --kind watch.service_blinked
