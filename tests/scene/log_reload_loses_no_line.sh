#!/bin/bash
# A reload opens and closes where lines are received, changes who may send, and the certificates; connections that may stay
# stay, no line is lost, and what changes with the next start only is told.
. "$(dirname "$0")/lib.sh"
host box
cd "$T"
for who in ours others; do
    openssl req -x509 -newkey rsa:2048 -nodes -keyout "$who.key" -out "$who.pem" -days 2 -subj "/CN=$who" >"$T/openssl.out" 2>&1
done
chmod 600 ./*.key

with() # LINES
{
    configure box "
hunt: { mode: off }
watch: { mode: off }
log:
  mode: keep
  folder: $T/box.state/log
  analyse: { on: no }
$1"
}
tls_by() # NAME
{
    echo "  tls: \"127.0.0.1:6514\"
  certificates: { certificate: $T/$1.pem, key: $T/$1.key, client: any }"
}
with "  udp: \"127.0.0.1:514\"
  tcp: \"127.0.0.1:5514\"
$(tls_by ours)"
start serviola-box box serviola run --no-console
until_true 20 event box log.started

lines()
{
    serviola log show --store "$T/box.state/log" "$@"
}
shown() # COUNT WORD
{
    [ "$(lines | grep -c "$2" || true)" = "$1" ]
}
reload() # LINES
{
    local before

    before=$(grep -c 'the configuration is in force' "$T/serviola-box.err") || true
    with "$1"
    kill -HUP "$(pid_of serviola-box)"
    until_true 20 grows "$before"
}
grows()
{
    [ "$(grep -c 'the configuration is in force' "$T/serviola-box.err")" -gt "$1" ]
}
server_is() # NAME: whose certificate a new TLS client sees
{
    on box timeout 5 openssl s_client -connect 127.0.0.1:6514 </dev/null 2>/dev/null | grep -q "subject=CN = $1"
}

say "a connection that sends all the time, over three reloads"
cat >"$T/steady.py" <<'PYTHON'
import os, socket, ssl, sys, time
tcp = socket.create_connection(("127.0.0.1", 5514))
tls = ssl._create_unverified_context().wrap_socket(socket.create_connection(("127.0.0.1", 6514)))
n = 0
while not os.path.exists(sys.argv[1]):
    n += 1
    for s in (tcp, tls):
        text = b"<13>1 - web1 app 7 - - steady %d" % n
        s.sendall(b"%d %s" % (len(text), text))
    time.sleep(0.002)
print(n)
PYTHON
start steady box python3 "$T/steady.py" "$T/enough"
until_true 20 prints "steady 10" lines
server_is ours

say "another port, other certificates; the connections stay"
reload "  udp: [\"127.0.0.1:514\", \"127.0.0.1:515\"]
  tcp: \"127.0.0.1:601\"
$(tls_by others)"
until_true 20 event box log.listening
until_true 20 server_is others
talks_to()
{
    on box python3 -c 'import socket, sys; socket.create_connection(("127.0.0.1", int(sys.argv[1]))).sendall(b"<13>1 - web1 app - - - by %s\n" % sys.argv[1].encode())' "$1" 2>/dev/null
}
until_true 20 talks_to 601
on box python3 -c 'import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"<13>1 - web1 app - - - by 515", ("127.0.0.1", 515))'
until_true 20 prints "by 601" lines
until_true 20 prints "by 515" lines
if talks_to 5514; then fail "5514 is named no more"; fi

say "what cannot change is told, what is wrong leaves all as it is"
reload "  udp: \"127.0.0.1:514\"
  tcp: \"127.0.0.1:601\"
  kernel: yes
$(tls_by others)"
grep -q 'log.kernel changes with the next start; all else is in force' "$T/serviola-box.err"
with "$(tls_by nobody)"
kill -HUP "$(pid_of serviola-box)"
until_true 20 grep -q 'log.certificates.certificate: .*nobody.pem.*the running configuration stays in force' "$T/serviola-box.err"
touch "$T/enough"
until_true 20 test -s "$T/steady.out"
sent=$(cat "$T/steady.out")
until_true 20 shown $((2 * sent)) 'steady'

say "who may send: the others are refused and counted"
reload "  udp: \"127.0.0.1:514\"
  tcp: \"127.0.0.1:601\"
  senders: [10.0.0.0/8]"
on box python3 -c 'import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for n in range(50): s.sendto(b"<13>1 - thief app - - - stranger", ("127.0.0.1", 514))'
talks_to 601
told()
{
    on box serviola events --kind log.client_refused --json | grep 'not among the senders' | grep -o '"count":[0-9]*' | awk -F: '{ n += $2 } END { exit n < 51 }'
}
until_true 20 told
shown 0 stranger
shown 1 'by 601'
finish serviola-box || true
