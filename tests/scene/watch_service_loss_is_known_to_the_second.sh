#!/bin/bash
# A web server ends and comes back: the loss is told within three seconds of two missed probes, both times are right to the second.
#   us 10.1.0.1 --- web 10.1.0.2
# shellcheck source=tests/scene/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/scene/web.lib.sh
. "$SCENES/web.lib.sh"
host us web
cable us 10.1.0.1/24 web 10.1.0.2/24
web_on web
probes_on us "
    web: { probe: http, to: 10.1.0.2/health, content: 'is ok', every: 1s, within: 2s }
    web tls: { probe: https, to: 10.1.0.2/health, every: 1s, within: 2s, trust: $T/web.pem }
    slow: { probe: tcp, to: '10.1.0.2:80', every: 1s }"

until_true 10 are watch.service_seen "slow web web tls"
[ "$(events us watch.service_lost)" = 0 ]
until_true 3 prints service.web.latency on us serviola watch
until_true 3 prints service.web_tls.days on us serviola watch

say "the server ends"
web_gone web
lost_us=${EPOCHREALTIME/./}
until_true 6 are watch.service_lost "slow web web tls"
say "told after $(((${EPOCHREALTIME/./} - lost_us) / 1000)) ms"

say "and comes back"
sleep 0.1 # so that nobody is back before it was gone
web_on web
back_us=${EPOCHREALTIME/./}
until_true 6 are watch.service_back "slow web web tls"

# shellcheck disable=SC2046 # a word each
near "$lost_us" $(times watch.service_lost)
# shellcheck disable=SC2046
near "$back_us" $(times watch.service_back)
