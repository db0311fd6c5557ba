#!/bin/bash
# The same, where the users and the guessers come over IPv6.
# shellcheck disable=SC2034
six=yes
. "$(dirname "$0")/gate_stolen_account_in_the_log.sh"
