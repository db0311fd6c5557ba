#!/bin/bash
# A connection ends inside of a message: what came of it is kept, it is said that it is a part, and what the sender says after
# it comes again is not joined to it.
. "$(dirname "$0")/lib.sh"
host box
start receiver box serviola log receive --store "$T/store" --tcp 127.0.0.1:5514
until_true 10 grep -q log.started "$T/receiver.err"
cat >"$T/send" <<'EOS'
import socket, struct, sys
def say(octets, reset=False):
    s = socket.create_connection(("127.0.0.1", 5514))
    s.sendall(octets)
    if reset:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()
if sys.argv[1] == "parts":
    say(b"9 <13>whole" + b"60 <13>Dec  6 12:00:00 web1 app: this ends in the mid")
    say(b"dle of a word\n<13>behind it\n")
    say(b"<13>Dec  6 12:00:01 web1 app: no line end")
    say(b"<13>first of another\n")
else:
    say(b"10 <13>whole2<13>whole3\n10 <13>whole4")
EOS
kept()
{
    [ "$(serviola log show --store "$T/store" --count)" = "$1" ]
}
on box python3 "$T/send" parts
until_true 10 kept 6
sort <<'END' >"$T/expected"
<13>whole
<13>Dec  6 12:00:00 web1 app: this ends in the mid
dle of a word
<13>behind it
<13>Dec  6 12:00:01 web1 app: no line end
<13>first of another
END
serviola log show --raw --store "$T/store" | sort | cmp - "$T/expected"
[ "$(grep -c 'log.frame_broken 127.0.0.1 .*the connection ended within it' "$T/receiver.err")" = 1 ]

say "twin: who ends between messages is not told"
on box python3 "$T/send" whole
until_true 10 kept 9
[ "$(grep -c log.frame_broken "$T/receiver.err")" = 1 ]
finish receiver
