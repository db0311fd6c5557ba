#!/bin/bash
# A thief has the store and its true keys: he cuts the tail, writes other lines and lets it be sealed. By itself it verifies; against what the vault cosigned it does not.
#   web 10.1.0.2 --- 10.1.0.1 vault
. "$(dirname "$0")/lib.sh"
host web vault
cable web 10.1.0.2/24 vault 10.1.0.1/24
configure web "
hunt: { mode: off }
log: { mode: keep, folder: $T/web.state/log, tcp: \"127.0.0.1:5514\", keep: { segment_age: 1s }, forward: { vault: { to: \"10.1.0.1:2515\" } } }"
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

cosigned() # COUNT: so many sealed heads of web's, in both copies; an open one promises no key
{
    python3 - "$1" "$store"/cosigned-* "$vault"/cosigned-* <<'EOS'
import os, sys
for name in sys.argv[2:]:
    rows = open(name, "rb").read() if os.path.exists(name) else b""
    sealed = [i for i in range(0, len(rows) - 255, 256) if any(rows[i + 88:i + 120])]
    if len(sealed) < int(sys.argv[1]):
        sys.exit(1)
EOS
}

verifies() # FOLDER [OPTION...]
{
    local folder=$1

    shift
    serviola log verify "$@" "$folder" >"$T/verified" 2>&1
}

is_refused() # FOLDER [OPTION...]
{
    local code=0

    verifies "$@" || code=$?
    [ "$code" -eq 1 ]
}

runs vault
runs web
send login 200
until_true 20 cosigned 1
finish serviola-web || true

say "the thief takes all of it as it is, with the keys of the hour; then a line comes that he does not like"
cp -a "$store" "$T/stolen"
runs web
send attack 100
until_true 20 cosigned 2
finish serviola-web || true

say "untouched it is what the vault cosigned"
verifies "$store" --witness "$vault"
grep -q 'segment [0-9]* is cosigned by .* own copy' "$T/verified"
verifies "$store"
grep -q 'the key that was kept when the two first met' "$T/verified"
verifies "$store" --witness-key "$(cat "$vault/witness.pub")"
grep -q 'by the key that was given' "$T/verified"

say "the end is cut off: back to how it was"
cp -a "$store" "$T/true"
verifies "$T/stolen"
is_refused "$T/stolen" --witness "$vault"
grep -q 'cut .*segment [0-9]*, up to 300, whose head .* cosigned at .* is not here' "$T/verified"

say "other lines in its place, sealed by serviola itself with the true keys; the vault does not sign those"
rm -rf "$store"
cp -a "$T/stolen" "$store"
runs web
send nothing 100
until_true 20 event vault log.head_refused
until_true 20 event web log.history_differs
finish serviola-web || true
rm -f "$store"/cosigned-*
verifies "$store"
is_refused "$store" --witness "$vault"
grep -q 'changed .*the head of segment [0-9]* is not the one that .* cosigned at ' "$T/verified"

say "twin: what was put aside untouched still is what was cosigned"
verifies "$T/true" --witness "$vault"
finish serviola-vault || true
