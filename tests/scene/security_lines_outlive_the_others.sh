#!/bin/bash
# Lines of a class live longer than the others: when these have left the store, its own has them, once each, and it is sound.
. "$(dirname "$0")/lib.sh"
host box
with() # FACILITY
{
    configure box "
hunt: { mode: off }
watch: { mode: off }
log:
  mode: keep
  folder: $T/box.state/log
  tcp: \"127.0.0.1:5514\"
  analyse: { on: no }
  keep:
    segment_age: 1s
    age: 1s
    classes:
      security: { facilities: [$1], age: 1830d }
      grave: { severity: err, hosts: [web1] }"
}
with autpriv
SERVIOLA_CONF=$T/box.conf serviola check >"$T/check.out" 2>&1 && fail "a facility that is none passes"
grep -q 'log.keep.classes.security: there is no facility "autpriv"' "$T/check.out"
with authpriv
start serviola-box box serviola run --no-console
until_true 20 event box log.started

send() # PRIORITY HOST TEXT COUNT
{
    on box python3 - "$@" <<'PYTHON'
import socket, sys
priority, host, text, count = sys.argv[1:]
s = socket.create_connection(("127.0.0.1", 5514))
s.sendall(b"".join(b"<%s>1 - %s app 7 - - %s %d\n" % (priority.encode(), host.encode(), text.encode(), n) for n in range(int(count))))
PYTHON
}
count() # FOLDER WORD
{
    serviola log show --store "$1" | grep -c "$2" || true
}
store=$T/box.state/log
say "80 and 81 are authpriv, 11 is an error of a user's program"
send 81 web1 'login' 20
send 11 web1 'grave' 3
send 83 web1 'of two classes' 4
send 11 web2 'grave elsewhere' 3
send 14 web1 'a plain line' 500
has() # FOLDER WORD COUNT
{
    [ "$(count "$1" "$2")" = "$3" ]
}
until_true 20 has "$store/kept/security" login 20
until_true 20 has "$store/kept/grave" grave 3
until_true 20 has "$store/kept/grave" 'of two classes' 4
left()
{
    send 14 web1 'time goes by' 1
    has "$store" login 0 && has "$store" 'a plain line' 0
}
until_true 30 left
until_true 10 event box log.expired
has "$store/kept/security" login 20
has "$store/kept/security" plain 0

say "a restart, with kill -9 of all: each line is there once"
send 81 web1 'late login' 7
until_true 20 has "$store/kept/security" 'late login' 7
crash box
start serviola-box box serviola run --no-console
until_true 20 event box log.started
send 81 web1 'third login' 5
until_true 20 has "$store/kept/security" 'third login' 5
has "$store/kept/security" login 32
finish serviola-box || true
serviola log verify "$store" >"$T/verified"
grep -q "^$store/kept/security: " "$T/verified"
cp -r "$store" "$T/copy"
victim=$(find "$T/copy/kept/security" -name '0*' -size +1k | sort | head -n 1)
printf 'X' | dd of="$victim" bs=1 seek=700 conv=notrunc status=none
is_not serviola log verify "$T/copy"
[ "$(serviola log search --store "$store/kept/security" --count login)" = 32 ]

say "a search finds them where they are, each once, in the order of the whole log"
search() # OPTION...
{
    serviola log search --store "$store" "$@"
}
[ "$(search --count login)" = 32 ]
[ "$(search --count 'of two classes')" = 4 ]
search --regex 'login|of two' >"$T/newest"
search --oldest-first --regex 'login|of two' >"$T/oldest"
tac "$T/newest" | cmp - "$T/oldest"
sort -n -c "$T/oldest"
[ "$(cut -d' ' -f1 "$T/oldest" | sort -u | wc -l)" = 36 ]
[ "$(search --most 1 --oldest-first login | grep -c 'login 0$')" = 1 ]
[ "$(search --most 3 login | grep -c 'third login')" = 3 ]
is_not search 'a plain line'
