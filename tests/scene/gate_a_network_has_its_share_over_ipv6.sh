#!/bin/bash
# The same with a /64.
# shellcheck disable=SC2034
six=yes
. "$(dirname "$0")/gate_a_network_has_its_share.sh"
