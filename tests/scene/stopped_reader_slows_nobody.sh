#!/bin/bash
# Who follows the lines stands still (SIGSTOP), then the one that reads its output: lines are taken as fast as before and none is
# lost; when they go on they have each line, or it is said which left the store meanwhile.
. "$(dirname "$0")/lib.sh"
host box
configure box "
hunt: { mode: off }
watch: { mode: off }
log: { mode: keep, folder: $T/box.state/log, tcp: \"127.0.0.1:5514\", keep: { segment_size: 1MiB, size: 12MiB } }"
store=$T/box.state/log
start serviola-box box serviola run --no-console
until_true 10 event box log.started

n=0
send() # COUNT: microseconds until all are kept, in $took
{
    local began=${EPOCHREALTIME/./}

    on box python3 - "$n" "$1" <<'PYTHON'
import random, socket, sys
first, count = int(sys.argv[1]), int(sys.argv[2])
s = socket.create_connection(("127.0.0.1", 5514))
for at in range(first, first + count, 1000):
    s.sendall(b"".join(b"<13>1 - app1 app 7 - - number %d %032x\n" % (i, random.getrandbits(128)) for i in range(at, min(at + 1000, first + count))))
PYTHON
    n=$((n + $1))
    until_true 60 last_is "$((n - 1))"
    took=$((${EPOCHREALTIME/./} - began))
}
last_is() # NUMBER
{
    serviola log search --store "$store" --most 1 -w "$1" | grep -q "number $1 "
}
follow() # NAME COMMAND: what it prints goes to $T/NAME.seen
{
    : >"$T/$1.seen"
    start "$1" box sh -c "$2"
    until follows "$1"; do
        send 100
        [ $n -lt 20000 ] || fail "$1 saw nothing"
    done
}
follows()
{
    [ -s "$T/$1.seen" ]
}
follow stopped "exec serviola log search --store $store --follow number >$T/stopped.seen"
mkfifo "$T/pipe"
start reader box sh -c "exec cat <$T/pipe >$T/piped.seen"
follow piped "exec serviola log search --store $store --follow number >$T/pipe"
send 100000
say "with two who follow: $took us"
with_them=$took

say "both stand still: one itself, one because nobody reads its output"
kill -STOP "$(pid_of stopped)" "$(pid_of reader)"
send 100000
say "while they stand still: $took us"
[ "$took" -lt $((3 * with_them + 2000000)) ]
is_not event box log.lost

say "they go on: each line once, in its order"
kill -CONT "$(pid_of stopped)" "$(pid_of reader)"
has_all() # NAME
{
    tail -n 1 "$T/$1.seen" | grep -q "number $((n - 1)) "
}
for who in stopped piped; do
    until_true 60 has_all $who
    grep -oE 'number [0-9]+' "$T/$who.seen" | cut -d' ' -f2 >"$T/numbers"
    seq "$(head -n 1 "$T/numbers")" $((n - 1)) | cmp - "$T/numbers"
done

say "away until lines have left the store: it says which, and goes on behind them"
kill -STOP "$(pid_of stopped)"
mark=$n
left() # lines that the stopped one has not seen
{
    local first

    first=$(serviola log search --store "$store" --oldest-first --most 1 number | grep -oE 'number [0-9]+' | cut -d' ' -f2)
    [ "${first:-0}" -gt $mark ]
}
for _ in {1..15}; do
    left || send 100000
done
until_true 20 left
event box log.expired
kill -CONT "$(pid_of stopped)"
until_true 60 has_all stopped
grep -qE 'lines [0-9]+ to [0-9]+ left the store' "$T/stopped.err"
serviola log verify "$store" >/dev/null
finish stopped || true
finish piped || true
finish reader || true
