#!/bin/bash
# The disk on which serviola keeps everything freezes: the recorder goes on in memory, triggers fire, pictures are taken and
# explained; and when the disk answers again, all of it is there.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/disk.lib.sh"
host box
disk_on 64 "$T/disk" serviola-box

configure box "
journal: { folder: $disk/journal }
hunt: { mode: off }
watch:
  must_run: [drudge]
  recorder: { disk_each: 1s }
  triggers:
    drudge is gone: { when: process.missing > 0, do: [xray] }"
cp "$(command -v sleep)" "$T/drudge"
start drudge box "$T/drudge" 300
serviola_again box
until_true 5 event box watch.started
start follow box serviola events --follow --json
until_true 5 grep -q watch.started "$T/follow.out"
until_true 8 on box serviola top --at 3s # it has a past

say "the disk freezes, and then something happens"
fsfreeze -f "$disk"
frozen=$(date +%H:%M:%S)
finish drudge KILL || true
until_true 3 grep -q '"watch.triggered"' "$T/follow.out"
until_true 3 grep -q '"xray.taken"' "$T/follow.out"
until_true 3 grep -q '"scribe.stuck"' "$T/follow.out"
seconds_of_it()
{
    [ "$(on box serviola top --at "$frozen" --play 20s --lines 1 --json | grep -c .)" -ge 4 ]
}
until_true 10 seconds_of_it
say "every second of it is in memory"

say "the disk answers again"
fsfreeze -u "$disk"
name=$(grep '"xray.taken"' "$T/follow.out" | sed 's/.*"name":"\([^"]*\)".*/\1/')
until_true 5 test -s "$disk/journal/xray/$name"
until_true 5 grep -q '"scribe.back"' "$T/follow.out"
finish follow || true
finish serviola-box || true

say "the end of the day: from the disk alone"
on box serviola top --at "$frozen" --lines 3 >"$T/top"
prints PID cat "$T/top"
[ "$(on box serviola top --at "$frozen" --play 20s --lines 1 --json | grep -c .)" -ge 3 ]
