#!/bin/bash
# The same, with clients and name server on IPv6.
# shellcheck disable=SC2034
six=yes
. "$(dirname "$0")/gate_smuggling_reaches_nobody.sh"
