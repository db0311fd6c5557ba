#!/bin/bash
# Lines come in, segments are sealed behind them: who follows sees each line that matches, once and in its order; a search
# finds the same as grep in what was sent; the timeline stands in the order in which things happened.
. "$(dirname "$0")/lib.sh"
host web
configure web "
hunt: { mode: off }
log: { mode: keep, folder: $T/web.state/log, tcp: \"127.0.0.1:5514\", keep: { segment_size: 1MiB } }"
store=$T/web.state/log

up()
{
    answers web && event web log.started
}

send() # FIRST COUNT: to the running part; each thirteenth line speaks of a disk
{
    on web python3 - "$1" "$2" <<'EOS'
import socket, sys, time
first, count = int(sys.argv[1]), int(sys.argv[2])
s = socket.create_connection(('127.0.0.1', 5514))
lines = []
now = time.strftime('%b %e %H:%M:%S', time.gmtime()).encode()
for n in range(first, first + count):
    what = 'disk sd%s fails' % 'abc'[n % 3] if n % 13 == 0 else 'request %d of client %d' % (n, n * 7919 % 100003)
    lines.append(b'<%d>%s app%d app[7]: number %d: %s\n' % (8 + n % 8, now, n % 4, n, what.encode()))
sys.stdout.buffer.write(b''.join(lines))
s.sendall(b''.join(lines))
EOS
}

have() # N
{
    [ "$(serviola log show --store "$store" --count)" -ge "$1" ]
}

sealed() # N: so many segments
{
    [ "$(find "$store" -name '*.zst' | wc -l)" -ge "$1" ]
}

numbers() # FILE
{
    grep -oE 'number [0-9]+' "$1" | cut -d' ' -f2
}

saw() # N: matches
{
    [ "$(wc -l <"$T/followed")" -ge "$1" ]
}

start serviola-web web serviola run --no-console
until_true 10 up
send 0 1000 >"$T/sent"
until_true 10 have 1000

say "who follows begins now"
touch "$T/followed" "$T/follower"
start follower web sh -c "exec serviola log search --store $store --follow disk >$T/followed 2>$T/follower"
# The follower has looked once when it has seen a line of its own; lines before that may not be its.
n=1000
until saw 1; do
    send "$n" 100 >>"$T/sent"
    n=$((n + 100))
    until_true 10 have "$n"
    [ $n -lt 20000 ] || fail "the follower saw nothing"
done
for _ in 1 2 3 4 5 6; do
    send "$n" 20000 >>"$T/sent"
    n=$((n + 20000))
done
until_true 30 have "$n"
until_true 20 sealed 3
numbers "$T/followed" >"$T/seen"
read -r first <"$T/seen"
grep disk "$T/sent" >"$T/disks"
numbers "$T/disks" | awk -v f="$first" '$1 >= f' >"$T/expected"
until_true 20 saw "$(wc -l <"$T/expected")"
numbers "$T/followed" | cmp - "$T/expected"
[ ! -s "$T/follower" ]

say "a search finds what grep finds, the newest first"
same() # GREP-OPTIONS PATTERN SEARCH-OPTIONS...
{
    local pattern=$2

    # shellcheck disable=SC2086 # options
    grep $1 -- "$pattern" "$T/sent" | tac >"$T/grep" || true
    serviola log search --store "$store" --json "${@:3}" "$pattern" | python3 -c '
import json, sys
for line in sys.stdin: print(json.loads(line)["text"])' >"$T/search" || true
    cmp "$T/grep" "$T/search" || fail "$*"
}
same -F "sda fails"
same -Fw "7919" -w
same -E "client [0-9]*99\$" --regex
same -Fi "NUMBER 4711:" -i
same -Fv "e" -v
same -F "no such line"
[ "$(serviola log search --store "$store" --count --host app3 disk)" = "$(grep disk "$T/sent" | grep -c ' app3 ')" ]
[ "$(serviola log search --store "$store" --count --severity 1)" = "$(grep -cE '^<(8|9)>' "$T/sent")" ]
serviola log search --store "$store" -C 2 'number 5005:' >"$T/context"
printf '%s\n' 5003 5004 5005 5006 5007 | cmp - <(numbers "$T/context")

say "exit codes as grep's"
code=0
serviola log search --store "$store" 'no such line' || code=$?
[ "$code" = 1 ]
code=0
serviola log search --store "$store" --regex '(' 2>/dev/null || code=$?
[ "$code" = 2 ]

say "the timeline has every line, with where it lies"
serviola log timeline --store "$store" --from 1h >"$T/timeline"
[ "$(wc -l <"$T/timeline")" -eq "$n" ]
head -n 1 "$T/timeline" | grep -qE '^[0-9T:.-]+Z  \[[0-9a-f]{8}:[0-9]+ [0-9]+/[0-9]+\]  '

say "the active segment and the sealed ones stay whole"
serviola log verify "$store" >/dev/null
finish follower || true
finish serviola-web
