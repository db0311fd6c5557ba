#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# gate_banner.sh - how long 500 and 1,000 clients at once wait for the greeting beyond the wait that is meant (none here):
# through the gate, through HAProxy, and of the mail server itself (Postfix's smtp-sink), in turn.
# usage: gate_banner.sh [PAUSE-MS]   what each client waits before each thing it says (200); ROUNDS (3)
# Needs root, HAProxy and smtp-sink.
# shellcheck disable=SC2119 # functions with arguments that may be left out
# shellcheck source=tests/scene/lib.sh
. "$(dirname "$0")/../scene/lib.sh"
# shellcheck source=tests/scene/gate.lib.sh
. "$(dirname "$0")/../scene/gate.lib.sh"
pause=${1:-200} rounds=${ROUNDS:-3}
command -v haproxy >/dev/null || skip "no haproxy: tools/install bench"

gate_house
on far ip route add local 44.2.0.0/16 dev lo
start sink mx smtp-sink -u nobody -m 5000 0.0.0.0:2525 4096
until_true 5 on mx bash -c 'exec 3<>/dev/tcp/127.0.0.1/2525'
cat >"$T/haproxy.cfg" <<'CONF'
global
    maxconn 8000
defaults
    mode tcp
    timeout connect 5s
    timeout client 60s
    timeout server 60s
listen smtp
    bind 44.1.0.1:2600
    server sink 127.0.0.1:2525
CONF
start haproxy mx haproxy -db -f "$T/haproxy.cfg"
gate_on "greet_after: 0, identity: none, relay_test: no, checks: { $quiet }" '  limits: { places: 4000, per_address: 100, per_network: 4000, rate_address: 0, rate_network: 0 }'
gate_takes_mail
for clients in 500 1000; do
    for ((round = 0; round < rounds; round++)); do
        for way in gate:25 haproxy:2600 server:2525; do
            printf '%-8s %4s clients  ' "${way%:*}" "$clients"
            on far "$SERVIOLA_BUILD/tests/bench/banner" 44.1.0.1 "${way#*:}" 44.2.1.0 "$clients" $((5 * clients)) "$pause" || true
        done
    done
done
