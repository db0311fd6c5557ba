#!/bin/bash
# The same, with sockets of IPv6 in the store.
# shellcheck disable=SC2034
six=yes
. "$(dirname "$0")/gate_restart_of_everything_refuses_no_connection.sh"
