#!/bin/bash
# A program of this host calls many mail servers at once: the x-ray names it; a mail server that waits for one or two is none.
. "$(dirname "$0")/lib.sh"
host box away
cable box 10.1.0.2/24 away 10.1.0.1/24
on away sysctl -qw net.ipv4.ip_forward=0 # it takes packets for everywhere, and answers none

cat >"$T/call.py" <<'PYTHON'
import socket, sys, time
calls = []
for i in range(int(sys.argv[1])):
    s = socket.socket()
    s.setblocking(False)
    s.connect_ex(("198.51.100.%d" % (i + 1), 25))
    calls.append(s)
time.sleep(60)
PYTHON
cp "$T/call.py" "$T/mailer.py"
start worm box python3 "$T/call.py" 40
start mailer box python3 "$T/mailer.py" 2
calls() # COUNT
{
    [ "$(on box ss -Htn state syn-sent dport = :25 | wc -l)" -ge "$1" ]
}
until_true 5 calls 42
xray box now
shows now worm "call.py (pid $(pid_of worm))" "40 mail servers"
is_not shows now worm mailer.py
