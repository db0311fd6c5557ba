#!/bin/bash
# A mail server that is sent to ::1 finds nobody there.
# shellcheck disable=SC2034
six=yes
. "$(dirname "$0")/gate_local_programs_find_the_front_door_shut.sh"
