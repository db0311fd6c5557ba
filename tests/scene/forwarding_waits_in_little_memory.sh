#!/bin/bash
# The other serviola is away while many lines come, and this one dies and comes again meanwhile: how many wait is told, they wait
# on the disk and not in memory, and when the other is back each arrives once, each source's in its order.
#   web 10.1.0.2 --- 10.1.0.1 vault
. "$(dirname "$0")/lib.sh"
host web vault
cable web 10.1.0.2/24 vault 10.1.0.1/24
configure web "
hunt: { mode: off }
watch: { mode: off }
log:
  mode: keep
  folder: $T/web.state/log
  tcp: \"127.0.0.1:5514\"
  analyse: { on: no }
  keep: { segment_size: 4MiB }
  forward: { vault: { to: \"10.1.0.1:2515\" } }"
configure vault "
hunt: { mode: off }
watch: { mode: off }
log: { mode: keep, folder: $T/vault.state/log, peers: \"10.1.0.1:2515\", analyse: { on: no } }"

up() # HOST
{
    answers "$1" && event "$1" log.started
}
runs() # HOST
{
    start "serviola-$1" "$1" serviola run --no-console
    until_true 10 up "$1"
}
memory() # KiB of web's log part that are its own
{
    local pid

    pid=$(pgrep -P "$(pid_of serviola-web)" -f '^[^ ]*serviola -x log')
    awk '/^Private_Dirty/ { n += $2 } END { print n }' "/proc/$pid/smaps_rollup"
}
n=0
send() # COUNT: from three sources
{
    on web python3 - "$n" "$1" <<'PYTHON'
import socket, sys
first, count = int(sys.argv[1]), int(sys.argv[2])
s = socket.create_connection(("127.0.0.1", 5514))
for at in range(first, first + count, 1000):
    s.sendall(b"".join(b"<13>1 - app%d app 7 - - number %d %0100d\n" % (i % 3, i, i * 7919) for i in range(at, at + 1000)))
PYTHON
    n=$((n + $1))
    until_true 30 have web "$n"
}
have() # HOST COUNT
{
    [ "$(serviola log show --store "$T/$1.state/log" --count)" -ge "$2" ]
}
runs vault
runs web
send 20000
until_true 10 have vault 20000
before=$(memory)

say "the vault is away: 300,000 lines, 50 MB, and half way this one dies"
finish serviola-vault || true
send 150000
until_true 10 event web log.forward_lost
kill -KILL "$(pgrep -P "$(pid_of serviola-web)" -f '^[^ ]*serviola -x log')"
again()
{
    [ "$(events web log.started)" = 2 ]
}
until_true 10 again
send 150000
while_away=$(memory)
say "memory: $before KiB before, $while_away KiB with 300,000 lines that wait"
# Under sanitizers what was freed is kept for a while, so that its use is seen.
[ "${SCENE_SLOW:-1}" != 1 ] || [ "$while_away" -le $((before + 24 * 1024)) ]

say "it is back: how many waited is told, and each line is there once, in its order"
runs vault
until_true 60 have vault "$n"
until_true 10 event web log.forward_back
waited=$(on web serviola events --kind log.forward_back --json | tail -n 1)
say "$waited"
[ "$(grep -oE '"count":[0-9]+' <<<"$waited" | cut -d: -f2)" -ge 150000 ]
serviola log show --raw --store "$T/vault.state/log" | grep -oE 'number [0-9]+' | cut -d' ' -f2 >"$T/there"
seq 0 $((n - 1)) | cmp - "$T/there"
finish serviola-web || true
finish serviola-vault || true
