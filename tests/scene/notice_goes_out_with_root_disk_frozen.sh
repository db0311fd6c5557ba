#!/bin/bash
# The disk on which serviola keeps everything freezes, and then something happens: the notice is out within two seconds, and its
# first line says that the disk does not answer.  Its twin with a healthy disk says nothing of the kind.
. "$(dirname "$0")/lib.sh"
. "$SCENES/notice.lib.sh"
. "$SCENES/disk.lib.sh"
host box
disk_on 64 "$T/disk" serviola-box
noticed box "
    mail: { by: mail, to: admin@example.org, server: 'smtp://127.0.0.1:2525', tls: off }
    hook: { by: hook, url: 'http://127.0.0.1:8080/' }" "
journal: { folder: $disk/journal }"
receiver box --smtp 127.0.0.1:2525 --http 127.0.0.1:8080
until_true 5 on box bash -c 'exec 4<>/dev/tcp/127.0.0.1/2525'
runs box

say "a healthy disk is not spoken of"
finish drudge KILL || true
until_true 4 came mail 1
is_not grep 'has not answered' "$N/mail.1"
until_true 4 came post 1
grep -q '"journal":"fine"' "$N/post.1"
works drudge box
until_true 4 came mail 2

say "the disk freezes, and something that must run is killed"
start follow box serviola events --follow --json
until_true 5 grep -q watch.recovered "$T/follow.out"
fsfreeze -f "$disk"
finish second KILL || true
until_true 4 grep -q '"watch.triggered".*second is gone' "$T/follow.out"
found_us=${EPOCHREALTIME/./}
told_by() # mail|post
{
    grep -qs 'second is gone: process' "$N/$1".*
}
until_true 2 told_by mail
until_true 2 told_by post
say "told after $(((${EPOCHREALTIME/./} - found_us) / 1000)) ms"
mail=$(grep -l 'second is gone: process' "$N"/mail.* | head -n 1)
grep -q '^Subject: \[.*\] the disk of the journal has not answered for [0-9.]* .*; alarm: ' "$mail"
tr -d '\r' <"$mail" | sed '1,/^$/d' | sed -n 1p | grep -q '^the disk of the journal has not answered'
grep -q '"journal":"frozen"' "$(grep -l 'second is gone: process' "$N"/post.* | head -n 1)"

say "the part that tells is killed meanwhile: what was told is not told again, what comes is told all the same"
kill -KILL "$(pgrep -x serviola-notify)"
started_again()
{
    tail -n +1 "$T/follow.out" | grep -q '"notify.started"'
}
until_true 6 started_again
works second box
over()
{
    grep -qs 'over: second is gone' "$N"/mail.*
}
until_true 6 over
[ "$(grep -l '^alarm: .*second is gone: process' "$N"/mail.* | wc -l)" = 1 ]
fsfreeze -u "$disk"
until_true 5 grep -q '"scribe.back"' "$T/follow.out"
