#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# gate_new.sh - clients that the gate has never seen, with every check on: reverse name, generic name, DNS list, bogus MX,
# callback to the client's own port 25, greylist; names and callbacks are answered in the same network of namespaces.
# usage: gate_new.sh [SESSIONS]      prints CPU seconds of all of serviola for 10,000 sessions, greylisted and passed,
#                                    beside those of floor.c, which only copies bytes: in turn, medians of ROUNDS (3)
# Needs root, unbound, Postfix's smtp-sink, and smtpload.c and floor.c of SERVIOLA_DATA/../bench/gate; without that it is skipped.
# shellcheck disable=SC2119 # functions with arguments that may be left out
# shellcheck source=tests/scene/lib.sh
. "$(dirname "$0")/../scene/lib.sh"
# shellcheck source=tests/scene/gate.lib.sh
. "$(dirname "$0")/../scene/gate.lib.sh"
# shellcheck source=tests/scene/dns.lib.sh
. "$(dirname "$0")/../scene/dns.lib.sh"
sessions=${1:-5000} rounds=${ROUNDS:-3}
bench=${SERVIOLA_DATA:-$TOP/../shared/data}/../bench/gate
[ -e "$bench/smtpload.c" ] || skip "no load maker at $bench"
[ $((sessions <= 6000 && rounds <= 10)) = 1 ] || fail "at most 6000 sessions and 10 rounds: each has addresses of its own"
cc -O2 -o "$T/smtpload" "$bench/smtpload.c"
cc -O2 -o "$T/floor" "$bench/floor.c"

cpu() # PID...: seconds of all of them, so far
{
    local pid

    for pid; do
        awk '{ print $14 + $15 }' "/proc/$pid/stat"
    done | awk -v hz="$(getconf CLK_TCK)" '{ n += $1 } END { print n / hz }'
}

once() # NAME PORT FIRST-ADDRESS "PID..." [ARGUMENT of smtpload...]: CPU seconds for 10,000 into NAME
{
    local name=$1 port=$2 first=$3 pids=$4 before

    shift 4
    # shellcheck disable=SC2086 # one word a process
    before=$(cpu $pids)
    on far "$T/smtpload" -x -n "$sessions" -c 50 -s "$first" -k "$sessions" -l 1024 -t 100 -i 30000 "$@" 44.1.0.1 "$port" >>"$T/$name.said" || true # its exit code speaks of failed sessions, and so does its line
    sleep 1
    # shellcheck disable=SC2086
    awk -v cpu="$(cpu $pids)" -v before="$before" -v n="$sessions" 'BEGIN { printf "%.2f\n", (cpu - before) * 10000 / n }' >>"$T/$name"
}

median() # FILE
{
    sort -n "$1" | awk '{ at[NR] = $1 } END { print at[int((NR + 1) / 2)] }'
}

sum() # NAME WORD
{
    grep -o " $2=[0-9]*" "$T/$1.said" | awk -F = '{ n += $2 } END { print n + 0 }'
}

run() # WHAT FIRST-NETWORK [ARGUMENT of smtpload...]
{
    local what=$1 network=$2 ours floor

    shift 2
    rm -f "$T/ours" "$T/floor.cpu" "$T/ours.said" "$T/floor.cpu.said"
    for ((round = 0; round < rounds; round++)); do
        once ours 25 "$network.$((24 * round)).1" "$(serviola_processes)" "$@"
        once floor.cpu 2600 "$network.$((24 * round)).1" "$(pid_of floor)"
    done
    ours=$(median "$T/ours") floor=$(median "$T/floor.cpu")
    awk -v what="$what" -v ours="$ours" -v floor="$floor" -v said="ok $(sum ours ok), rejected $(sum ours rejected), failed $(sum ours failed); floor: failed $(sum floor.cpu failed)" '
        BEGIN { printf "%-28s CPU %.2f s per 10,000   floor %.2f   ratio %.2f   %s\n", what, ours, floor, ours / floor, said }'
}

gate_house
on far ip route add local 44.2.0.0/15 dev lo
names_on far 'client.test. MX 10 mail.client.test.' 'mail.client.test. A 44.1.0.5' 'example.com. A 44.1.0.5'
start calls far smtp-sink -u nobody 0.0.0.0:25 1024
start sink mx smtp-sink -u nobody 127.0.0.1:2525 1024
until_true 5 on mx bash -c 'exec 3<>/dev/tcp/127.0.0.1/2525'
start floor mx "$T/floor" 44.1.0.1 2600 127.0.0.1 2525
lists='  dns_lists: { black: { zone: black.test } }
  limits: { places: 4000, per_address: 100, per_network: 4000, rate_address: 0, rate_network: 0 }'
calls='  callback: { in_flight: 1000, per_network: 1000 }'
gate_on 'greet_after: 0, identity: none, relay_test: no' "$lists
$calls"
gate_takes_mail
run "new, all checks, greylisted" 44.2 -X
finish serviola-mx
rm -rf "$T/mx.state"
gate_on 'greet_after: 0, identity: none, relay_test: no, checks: { greylist: off, rdns: note }' "$lists
$calls"
gate_takes_mail
run "new, all checks, passed" 44.3
