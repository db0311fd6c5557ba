#!/bin/bash
# The same, with clients and name server on IPv6.
# shellcheck disable=SC2034
six=yes
. "$(dirname "$0")/gate_proxy_header_cannot_be_forged.sh"
