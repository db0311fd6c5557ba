#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# gate_new.sh - clients that the gate has never seen, with every check on: reverse name, generic name, DNS list, bogus MX,
# callback to the client's own port 25, greylist; names and callbacks are answered in the same network of namespaces.
# usage: gate_new.sh [SESSIONS]      prints CPU seconds of all of serviola for 10,000 sessions, greylisted and passed
# Needs root, unbound, Postfix's smtp-sink, and smtpload.c of SERVIOLA_DATA/../bench/gate; without that it is skipped.
# shellcheck disable=SC2119 # functions with arguments that may be left out
# shellcheck source=tests/scene/lib.sh
. "$(dirname "$0")/../scene/lib.sh"
# shellcheck source=tests/scene/gate.lib.sh
. "$(dirname "$0")/../scene/gate.lib.sh"
# shellcheck source=tests/scene/dns.lib.sh
. "$(dirname "$0")/../scene/dns.lib.sh"
sessions=${1:-5000}
load=${SERVIOLA_DATA:-$TOP/../shared/data}/../bench/gate/smtpload.c
[ -e "$load" ] || skip "no load maker at $load"
cc -O2 -o "$T/smtpload" "$load"

cpu() # seconds of all processes of serviola's, so far
{
    local pid

    for pid in $(serviola_processes); do
        awk '{ print $14 + $15 }' "/proc/$pid/stat"
    done | awk -v hz="$(getconf CLK_TCK)" '{ n += $1 } END { print n / hz }'
}

run() # WHAT FIRST-ADDRESS [ARGUMENT of smtpload...]
{
    local what=$1 first=$2 before

    shift 2
    before=$(cpu)
    on far "$T/smtpload" -x -n "$sessions" -c 50 -s "$first" -k "$sessions" -l 1024 -t 100 -i 30000 "$@" 44.1.0.1 25 >"$T/said" || true # its exit code speaks of failed sessions, and so does its line
    sleep 1
    awk -v what="$what" -v cpu="$(cpu)" -v before="$before" -v n="$sessions" '
        { match($0, / ok=[0-9]+/); ok = substr($0, RSTART + 1, RLENGTH); match($0, /rejected=[0-9]+/); no = substr($0, RSTART, RLENGTH)
          match($0, / failed=[0-9]+/); bad = substr($0, RSTART + 1, RLENGTH); match($0, /rate=[0-9]+/); rate = substr($0, RSTART, RLENGTH) }
        END { printf "%-34s CPU %.2f s per 10,000   %s %s %s %s/s\n", what, (cpu - before) * 10000 / n, ok, no, bad, rate }' "$T/said"
}

gate_house
on far ip route add local 44.2.0.0/15 dev lo
names_on far 'client.test. MX 10 mail.client.test.' 'mail.client.test. A 44.1.0.5' 'example.com. A 44.1.0.5'
start calls far smtp-sink -u nobody 0.0.0.0:25 1024
start sink mx smtp-sink -u nobody 127.0.0.1:2525 1024
until_true 5 on mx bash -c 'exec 3<>/dev/tcp/127.0.0.1/2525'
lists='  dns_lists: { black: { zone: black.test } }
  limits: { places: 4000, per_address: 100, per_network: 4000, rate_address: 0, rate_network: 0 }'
calls='  callback: { in_flight: 1000, per_network: 1000 }'
gate_on 'greet_after: 0, identity: none, relay_test: no' "$lists
$calls"
gate_takes_mail
run "new, all checks, greylisted" 44.2.0.1 -X
finish serviola-mx
rm -rf "$T/mx.state"
gate_on 'greet_after: 0, identity: none, relay_test: no, checks: { greylist: off, rdns: note }' "$lists
$calls"
gate_takes_mail
run "new, all checks, passed" 44.3.0.1
