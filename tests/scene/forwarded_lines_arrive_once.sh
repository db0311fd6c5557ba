#!/bin/bash
# Lines go on to another serviola: it is away for a while, both die by kill -9 in the middle; each line arrives once, in its order.
#   web 10.1.0.2 --- 10.1.0.1 vault
. "$(dirname "$0")/lib.sh"
host web vault
cable web 10.1.0.2/24 vault 10.1.0.1/24
configure web "
hunt: { mode: off }
log: { mode: keep, folder: $T/web.state/log, tcp: \"127.0.0.1:5514\", forward: { vault: { to: \"10.1.0.1:2515\" } } }"
configure vault "
hunt: { mode: off }
log: { mode: keep, folder: $T/vault.state/log, peers: \"10.1.0.1:2515\" }"

up() # HOST
{
    answers "$1" && event "$1" log.started
}

runs() # HOST
{
    start "serviola-$1" "$1" serviola run --no-console
    until_true 10 up "$1"
}

dies() # HOST: all its processes
{
    local pid all

    pid=$(pid_of "serviola-$1")
    all="$pid $(pgrep -P "$pid" | tr '\n' ' ')"
    # shellcheck disable=SC2086 # one word a process
    kill -KILL $all 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
    # shellcheck disable=SC2086
    until_true 10 are_gone $all
}

are_gone() # PID...: else they still have their ports
{
    local pid

    for pid in "$@"; do
        [ ! -e "/proc/$pid" ] || return 1
    done
}

n=0
send() # COUNT: to web
{
    on web python3 - "$n" "$1" <<'EOS'
import socket, sys
s = socket.create_connection(('127.0.0.1', 5514))
first, count = int(sys.argv[1]), int(sys.argv[2])
s.sendall(b''.join(b'<13>Dec  6 12:00:00 app1 app[7]: number %d\n' % (first + i) for i in range(count)))
EOS
    n=$((n + $1))
}

have() # HOST N
{
    [ "$(serviola log show --store "$T/$1.state/log" --count)" -ge "$2" ]
}

runs vault
runs web
send 5000
until_true 10 have vault 5000

say "the vault is away; web goes on, and says how many wait"
dies vault
send 20000
until_true 10 have web 25000
until_true 10 event web log.forward_lost
runs vault
until_true 20 have vault 25000
until_true 10 event web log.forward_back

say "kill -9 of either side in the middle of 200,000"
send 100000
dies web
runs web
send 100000
dies vault
runs vault
kept=$(serviola log show --store "$T/web.state/log" --count)
until_true 40 have vault "$kept"

say "each line once, in its order"
numbers()
{
    serviola log show --raw --store "$T/$1.state/log" | grep -oE 'number [0-9]+' | cut -d' ' -f2
}
numbers web >"$T/web.numbers"
numbers vault | cmp - "$T/web.numbers"

say "who sent it there is known here"
serviola log show --store "$T/vault.state/log" >"$T/shown"
head -n 1 "$T/shown" | grep -qE 'peer 10\.1\.0\.2:[0-9]+,[0-9a-f]{16},tcp,127\.0\.0\.1:[0-9]+ '

say "twin: what web did not keep, the vault does not have"
[ "$(serviola log show --store "$T/vault.state/log" --count)" = "$kept" ]
finish serviola-web || true
finish serviola-vault || true
