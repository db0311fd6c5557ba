#!/bin/bash
# The same with networks of IPv6.
# shellcheck disable=SC2034
six=yes
. "$(dirname "$0")/gate_stolen_account_in_two_countries.sh"
