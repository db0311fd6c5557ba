#!/bin/bash
# A journal of systemd's gives the same entries as its export; one with flipped bytes gives what is readable, one that is cut
# gives what is before the cut, once, and does no harm to a whole one; neither ends the receiver.
. "$(dirname "$0")/lib.sh"
data=${SERVIOLA_DATA:-$(dirname "$0")/../../../shared/data}/log/journal
[ -e "$data/slice.journal.gz" ] || skip "no journals: $data/slice.journal.gz"
ldconfig -p >"$T/libraries"
grep -q libsystemd.so.0 "$T/libraries" || skip "no libsystemd"
host box
cat >"$T/export.py" <<'PYTHON'
import struct, sys
octets, at = sys.stdin.buffer.read(), 0
while at < len(octets):
    end = octets.index(b"\n", at)
    name, text, value = octets[at:end].partition(b"=")
    at = end + 1
    if name and not text: # a binary one: its length, itself
        length, = struct.unpack_from("<Q", octets, at)
        value = octets[at + 8:at + 8 + length]
        at += 8 + length + 1
    if name == b"MESSAGE":
        print(repr(value))
PYTHON
zcat "$data/slice.export.gz" | python3 "$T/export.py" >"$T/messages"
cat >"$T/lines.py" <<'PYTHON'
import re, sys # the raw lines; what does not begin as one belongs to the one before
for line in re.split(rb"\n(?=<\d+>1 |\Z)", sys.stdin.buffer.read())[:-1]:
    print(repr(re.sub(rb"^<\d+>1 \S+ \S+ \S+ \S+ - - ?", b"", line)))
PYTHON

kept()
{
    serviola log show --store "$T/$1" --count
}
at_rest() # NAME: nothing more comes, of a reader that looks four times a second
{
    local before

    before=$(kept "$1")
    sleep 1
    [ "$before" -gt 0 ] && [ "$(kept "$1")" = "$before" ]
}
take() # NAME [FOLDER]: its messages go to $T/NAME.messages
{
    local folder=$T/${2:-$1.journal}

    install -d "$folder"
    zcat "$data/${1%_beside}.journal.gz" >"$folder/system.journal"
    start "$1" box serviola log receive --store "$T/$1" --journald "$folder"
    until_true 20 grep -q log.started "$T/$1.err"
    until_true 20 at_rest "$1"
    kill -0 "$(pid_of "$1")"
    finish "$1"
    serviola log show --raw --store "$T/$1" | python3 "$T/lines.py" >"$T/$1.messages"
    say "$1: $(wc -l <"$T/$1.messages") of $(wc -l <"$T/messages")"
}
take slice
cmp "$T/messages" "$T/slice.messages"
serviola log show --json --store "$T/slice" >"$T/json"
head -n 1 "$T/json" >"$T/first"
grep -q '"stamp":"2007-11-28T07:59:33' "$T/first"
grep -q '"host":"mx1","program":"CRON","pid":29401' "$T/first"

say "flipped: most of it, each line one of the journal's"
take slice_flipped
[ "$(wc -l <"$T/slice_flipped.messages")" -ge 100 ]
diff "$T/messages" "$T/slice_flipped.messages" >"$T/changed" || true
[ "$(grep -c '^>' "$T/changed" || true)" -le 5 ]

say "cut: what is before the cut, and where it is, is told; a whole one beside it is read, too"
take slice_truncated
count=$(wc -l <"$T/slice_truncated.messages")
[ "$count" -ge 1000 ]
head -n "$count" "$T/messages" | cmp - "$T/slice_truncated.messages"
size=$(stat -c %s "$T/slice_truncated.journal/system.journal")
grep -q "log.file_problem name=system.journal why=.*was cut at byte $size; $count entries" "$T/slice_truncated.err"

say "the same file is read once, also over a restart"
start again box serviola log receive --store "$T/slice_truncated" --journald "$T/slice_truncated.journal"
until_true 20 grep -q log.started "$T/again.err"
until_true 20 at_rest slice_truncated
finish again
[ "$(kept slice_truncated)" = "$count" ]
install -d "$T/slice_truncated.journal/0123456789abcdef0123456789abcdef"
head -c 4100000 "$T/slice_truncated.journal/system.journal" >"$T/slice_truncated.journal/0123456789abcdef0123456789abcdef/system@1.journal"
rm "$T/slice_truncated.journal/system.journal"

take slice_beside slice_truncated.journal
count=$(($(wc -l <"$T/slice_beside.messages") - $(wc -l <"$T/messages")))
[ "$count" -ge 500 ]
[ "$count" -lt 3000 ]
head -n "$count" "$T/messages" | cmp - <(head -n "$count" "$T/slice_beside.messages")
grep -q "log.file_problem name=system@1.journal why=.*was cut at byte 4100000; $count entries" "$T/slice_beside.err"
is_not grep -q log.file_problem "$T/slice.err"
