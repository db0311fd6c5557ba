#!/bin/bash
# A flood over UDP while the receiver stands still: what the kernel dropped is an event with its number; kept + lost = sent.
. "$(dirname "$0")/lib.sh"
host box
cat >"$T/flood" <<'EOS'
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect(('127.0.0.1', 5514))
for i in range(int(sys.argv[1]), int(sys.argv[2])):
    s.send(b'<13>Dec  6 12:00:00 h1 flood[1]: seq=%d %s' % (i, b'x' * 400))
EOS
start receiver box serviola log receive --store "$T/store" --udp 127.0.0.1:5514
until_true 10 grep -q log.started "$T/receiver.err"

kept()
{
    serviola log show --store "$T/store" --count
}

lost()
{
    awk -F 'count=' '/log.lost/ { n += $2 } END { print n + 0 }' "$T/receiver.err"
}

all_told() # SENT
{
    [ $(($(kept) + $(lost))) = "$1" ]
}

say "twin: what the buffer holds is all kept, and nothing is told"
on box python3 "$T/flood" 0 2000
until_true 10 all_told 2000
[ "$(lost)" = 0 ]

say "the receiver stands still, 150,000 messages come"
kill -STOP "$(pid_of receiver)"
on box python3 "$T/flood" 2000 152000
kill -CONT "$(pid_of receiver)"
until_true 10 eval '[ "$(kept)" -gt 2000 ]'
on box python3 "$T/flood" 152000 152010 # the kernel tells its count with the next message
until_true 10 all_told 152010
say "$(kept) kept, $(lost) lost and told"
[ "$(lost)" -gt 0 ]
finish receiver
