#!/bin/bash
# The same, with clients on IPv6.
# shellcheck disable=SC2034
six=yes
. "$(dirname "$0")/gate_restart_refuses_no_connection.sh"
