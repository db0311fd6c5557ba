#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# What the packet ring costs: latency of one frame, CPU and loss at 300,000 a second, and what other traffic costs.
# usage: capture.sh [BUILD]     BUILD holds tests/bench/capture (default: SERVIOLA_BUILD, or build).  Needs root; makes and
# removes one namespace.
set -eu
here=$(dirname "$0")
bench=${1:-${SERVIOLA_BUILD:-$here/../../build}}/tests/bench/capture
ns=serviola-capture-$$

trap 'ip netns del "$ns" 2>/dev/null || :' EXIT
trap 'exit 130' INT TERM
ip netns add "$ns"
ip -n "$ns" link add a0 type veth peer name a1
ip -n "$ns" link set a0 up
ip -n "$ns" link set a1 up
on() { ip netns exec "$ns" "$@"; }

for way in ring v3-1 recv; do on "$bench" lat a0 a1 "$way" 300; done
for way in ring v3-1 v3-8 recv; do on "$bench" load a0 a1 "$way" 300000 3; done
for way in ring v3-8; do on "$bench" other a0 a1 "$way" 300000 2; done
