#!/bin/bash
# The server's address is asked of the name server each time; when that does not answer any more, the last address holds, and
# before it ever answered the notice waits.
. "$(dirname "$0")/lib.sh"
. "$SCENES/notice.lib.sh"
host box
printf 'nameserver 127.0.0.53\noptions timeout:1\n' >"$T/resolv.conf"
mount --bind "$T/resolv.conf" /etc/resolv.conf
noticed box "
    hook: { by: hook, url: 'http://hook.notices.test:8080/' }
  retry: 200ms
  retry_most: 500ms"
receiver box --http 127.0.0.9:8080
until_true 5 on box bash -c 'exec 4<>/dev/tcp/127.0.0.9/8080'

say "nobody answers: the notice waits"
runs box
finish drudge KILL || true
until_true 15 event box notify.stuck
prints 'the address of hook.notices.test is not known' on box serviola events --kind notify.stuck

say "the name server answers"
start names box python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.53", 53))
while True:
    q, who = s.recvfrom(2048)
    end = q.index(b"\0", 12) + 5
    a = q[end - 4:end - 2] == b"\0\1" and b"hook\7notices\4test" in q.lower()
    s.sendto(q[:2] + b"\x81\x80\0\1" + bytes([0, a]) + b"\0\0\0\0" + q[12:end] + (b"\xc0\x0c\0\1\0\1\0\0\0\x01\0\4\x7f\0\0\x09" if a else b""), who)'
until_true 15 came post 1

say "and does not any more: the last address holds"
finish names KILL || true
finish second KILL || true
told()
{
    grep -qs 'second is gone' "$N"/post.*
}
until_true 15 told
