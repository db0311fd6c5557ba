#!/bin/bash
# The same, with clients on IPv6.
# shellcheck disable=SC2034
six=yes
. "$(dirname "$0")/gate_reload_and_stop_drop_no_session.sh"
