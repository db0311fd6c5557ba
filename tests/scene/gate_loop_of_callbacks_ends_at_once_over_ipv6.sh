#!/bin/bash
# The first story where the MX is at ::1.
# shellcheck disable=SC2034
six=yes
. "$(dirname "$0")/gate_loop_of_callbacks_ends_at_once.sh"
