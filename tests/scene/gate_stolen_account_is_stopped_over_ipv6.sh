#!/bin/bash
# The same, with the users, the policy service and the DNS list on IPv6.
# shellcheck disable=SC2034
six=yes
. "$(dirname "$0")/gate_stolen_account_is_stopped.sh"
