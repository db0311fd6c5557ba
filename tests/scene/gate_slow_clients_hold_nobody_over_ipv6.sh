#!/bin/bash
# The same, with clients and name server on IPv6.
# alone, since it takes both processors
# shellcheck disable=SC2034
six=yes
. "$(dirname "$0")/gate_slow_clients_hold_nobody.sh"
