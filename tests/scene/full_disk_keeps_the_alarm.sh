#!/bin/bash
# The log store's disk is full: that is an alarm, the sender is held and nothing of it lost; with room it goes on by itself.
. "$(dirname "$0")/lib.sh"
host box
mkdir "$T/small" "$T/roomy"
mount -t tmpfs -o size=12m small "$T/small"
mount -t tmpfs -o size=64m roomy "$T/roomy"
chmod 755 "$T/small" "$T/roomy"
cat >"$T/send" <<'EOS'
import socket
s = socket.create_connection(('127.0.0.1', 5514))
for i in range(60000):
    s.sendall(b'<13>Dec  6 12:00:00 h1 fill[1]: seq=%d %s\n' % (i, b'x' * 400))
EOS
conf() # FOLDER
{
    echo "
hunt: { mode: off }
log: { mode: keep, folder: $1/log, tcp: \"127.0.0.1:5514\", keep: { segment_size: 64MiB, memory: 2MiB, reserve: 1MiB } }"
}
up()
{
    answers box && event box log.started
}

configure box "$(conf "$T/small")"
start serviola-box box serviola run --no-console
until_true 10 up
start sender box python3 "$T/send"

say "12 MiB for 26 MB of lines: the alarm comes"
until_true 20 event box log.disk_full
kill -0 "$(pid_of sender)" || fail "the sender was not held"

say "room again: all lines are there, and it says so"
mount -o remount,size=100m "$T/small"
until_true 20 event box log.disk_back
counts() # N
{
    [ "$(serviola log show --store "$1" --count)" = "$2" ]
}
until_true 20 counts "$T/small/log" 60000
finish serviola-box || true
serviola log verify "$T/small/log" >/dev/null

say "twin: with room there is no alarm"
rm -r "$T/box.state"
configure box "$(conf "$T/roomy")"
start serviola-box box serviola run --no-console
until_true 10 up
start sender box python3 "$T/send"
until_true 20 counts "$T/roomy/log" 60000
is_not event box log.disk_full
finish serviola-box || true
