#!/bin/bash
# The same, with gates that meet on IPv6.
# shellcheck disable=SC2034
six=yes
. "$(dirname "$0")/gate_two_gates_do_not_call_each_other_round.sh"
