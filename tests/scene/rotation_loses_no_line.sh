#!/bin/bash
# A file is followed while it is renamed, packed, cut to nothing, and while the follower restarts: each line once.
. "$(dirname "$0")/lib.sh"
host box
mkdir "$T/var"
log=$T/var/app.log
n=0

write() # COUNT
{
    local to=$((n + $1))

    for n in $(seq $((n + 1)) $to); do echo "line $n of the application"; done >>"$log"
}

follow()
{
    : >"$T/receiver.err"
    start receiver box serviola log receive --store "$T/store" "$log"
    until_true 10 grep -q log.started "$T/receiver.err"
}

all_there()
{
    [ "$(serviola log show --store "$T/store" --count)" = $n ]
}

write 100
follow
until_true 10 all_there

say "renamed in the middle, the writer goes on for a moment in the old file"
write 50
exec 5>>"$log"
mv "$log" "$log.1"
echo "line $((n += 1)) of the application" >&5
exec 5>&-
until_true 10 all_there
write 50
until_true 10 all_there
gzip "$log.1"
write 10
until_true 10 all_there

say "cut to nothing, as copytruncate does"
cp "$log" "$log.1"
: >"$log"
write 5
until_true 10 all_there

say "rotated while nobody follows: the rest of the known file is read first"
finish receiver
write 20
follow
until_true 10 all_there

say "each line once, in its order"
serviola log show --raw --store "$T/store" | grep -oE '^line [0-9]+' | cut -d' ' -f2 >"$T/there"
seq 1 "$n" | cmp - "$T/there"
finish receiver

say "twin: a last line without its end waits for it, and is one line"
follow
printf 'half a ' >>"$log"
write 1 # ends it
n=$((n))
until_true 10 all_there
prints "half a line $n of the application" serviola log show --raw --store "$T/store"
finish receiver
