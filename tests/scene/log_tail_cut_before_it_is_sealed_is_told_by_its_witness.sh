#!/bin/bash
# A thief takes the last lines out of a segment that is not sealed yet, with the true keys: the vault has signed how far it was.
#   web 10.1.0.2 --- 10.1.0.1 vault
. "$(dirname "$0")/lib.sh"
host web vault
cable web 10.1.0.2/24 vault 10.1.0.1/24
configure web "
hunt: { mode: off }
log: { mode: keep, folder: $T/web.state/log, tcp: \"127.0.0.1:5514\", keep: { head_age: 1s }, forward: { vault: { to: \"10.1.0.1:2515\" } } }"
configure vault "
hunt: { mode: off }
log: { mode: keep, folder: $T/vault.state/log, peers: \"10.1.0.1:2515\" }"
store=$T/web.state/log
vault=$T/vault.state/log

up() # HOST
{
    answers "$1" && event "$1" log.started
}

runs() # HOST
{
    start "serviola-$1" "$1" serviola run --no-console
    until_true 20 up "$1"
}

send() # WORD COUNT: to web
{
    on web python3 - "$1" "$2" <<'EOS'
import socket, sys
s = socket.create_connection(('127.0.0.1', 5514))
s.sendall(b''.join(b'<13>Dec  6 12:00:00 app1 app[7]: %s %d\n' % (sys.argv[1].encode(), i) for i in range(int(sys.argv[2]))))
EOS
}

verifies() # FOLDER [OPTION...]
{
    local folder=$1

    shift
    serviola log verify "$@" "$folder" >"$T/verified" 2>&1
}

cosigned_up_to() # LINE, in both copies
{
    verifies "$store" --witness "$vault" && grep -q "the head of segment 1 up to $1 is cosigned by .* own copy" "$T/verified" &&
        verifies "$store" && grep -q "the head of segment 1 up to $1 is cosigned by" "$T/verified"
}

is_refused() # FOLDER [OPTION...]
{
    local code=0

    verifies "$@" || code=$?
    [ "$code" -eq 1 ]
}

names_the_lines()
{
    is_refused "$store" --witness "$vault" &&
        grep -q 'changed .*the lines up to 300 are not those whose head .* cosigned at ' "$T/verified"
}

say "the head of what is not sealed yet is cosigned"
runs vault
runs web
send login 200
until_true 20 cosigned_up_to 200
finish serviola-web || true

say "the thief takes all of it as it is; then lines come that he does not like"
cp -a "$store" "$T/stolen"
runs web
send attack 100
until_true 20 cosigned_up_to 300
finish serviola-web KILL || true
cp -a "$store" "$T/true"

say "back to how it was: by itself it verifies, against what the vault cosigned it does not"
verifies "$T/stolen"
is_refused "$T/stolen" --witness "$vault"
grep -q 'up to 300, whose head .* cosigned at .* is not here as it was' "$T/verified"

say "fewer lines in their place: the vault hears of it at once"
rm -rf "$store"
cp -a "$T/stolen" "$store"
runs web
send nothing 50
until_true 20 event vault log.head_refused
until_true 20 event web log.history_differs
is_refused "$store" --witness "$vault"

say "as many and more: the vault can't see it, but signed is signed"
send nothing 100
until_true 20 names_the_lines
finish serviola-web || true

say "twin: what was put aside untouched still is what was cosigned"
verifies "$T/true" --witness "$vault"
finish serviola-vault || true
