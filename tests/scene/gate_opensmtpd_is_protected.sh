#!/bin/bash
# gate_exim_is_protected.sh with OpenSMTPD, which takes LF.LF for the end of a message, and knows no loops.
mta=opensmtpd
. "$(dirname "$0")/gate_exim_is_protected.sh"
