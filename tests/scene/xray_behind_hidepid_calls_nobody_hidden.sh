#!/bin/bash
# Where /proc hides other users' processes (hidepid=2), a user is told that; nobody is called hidden, and root sees all.
. "$(dirname "$0")/lib.sh"
host box
chmod 755 "$T"
start keeper box sleep 60
status=0
on box unshare --mount sh -c '
    mount -t proc -o hidepid=2 proc /proc
    exec setpriv --reuid nobody --regid nogroup --clear-groups --inh-caps=-all --bounding-set=-all "$0" xray --json' \
    "$(command -v serviola)" >"$T/nobody.found" 2>"$T/nobody.said" || status=$?
[ $status = 0 ] || [ $status = 1 ] || [ $status = 3 ] || fail "exit $status"
finding incomplete hidepid <"$T/nobody.found"
is_not finding hidden_process <"$T/nobody.found"
is_not finding kernel_thread_impostor <"$T/nobody.found"

say "root sees them all"
on box unshare --mount sh -c 'mount -t proc -o hidepid=2 proc /proc; exec "$0" xray --force -o "$1"' \
    "$(command -v serviola)" "$T/root.xray"
tar --zstd -xOf "$T/root.xray" process.jsonl | grep -q "\"pid\":$(pid_of keeper),"
