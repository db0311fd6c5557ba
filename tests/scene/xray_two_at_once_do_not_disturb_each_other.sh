#!/bin/bash
# Who takes a picture while another one is being taken is told so, waits for it, and gets its own.
. "$(dirname "$0")/lib.sh"
host box
(
    flock -x 9
    : >"$T/held"
    until [ -e "$T/told" ]; do sleep 0.05; done
) 9>/run/serviola-xray.lock &
until_true 5 test -e "$T/held"
start second box serviola xray --force -o "$T/second.xray"
until_true 5 grep -q 'another picture is being taken' "$T/second.err"
: >"$T/told"
wait "$(pid_of second)" || fail "it was not taken"
serviola explain "$T/second.xray" >/dev/null || [ $? = 1 ]
