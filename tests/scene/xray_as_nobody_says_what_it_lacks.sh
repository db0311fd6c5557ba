#!/bin/bash
# Whoever is not root gets a picture, too: of what may be seen, with all that is lacking said, and nobody is called hidden.
. "$(dirname "$0")/lib.sh"
host box
start keeper box sleep 60
chmod 755 "$T"
status=0
on box setpriv --reuid nobody --regid nogroup --clear-groups --inh-caps=-all --bounding-set=-all \
    "$(command -v serviola)" xray --json >"$T/nobody.found" 2>"$T/nobody.said" || status=$?
[ $status = 0 ] || [ $status = 1 ] || [ $status = 3 ] || fail "exit $status"
finding incomplete 'may not be read: run as root' <"$T/nobody.found"
finding incomplete 'lacks' <"$T/nobody.found"
is_not finding hidden_process <"$T/nobody.found"
is_not finding hidden_port <"$T/nobody.found"
is_not finding kernel_thread_impostor <"$T/nobody.found"

say "twin: root lacks nothing of that"
xray box root
is_not shows root incomplete 'run as root'
