#!/bin/bash
# A pair that waits is not forgotten when everything is killed, nor when its file is cut: what is left of it counts.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gate.lib.sh"
gate_house
mx_sink_on
gate_on 'greet_after: 0, checks: { greylist: all, rdns: off, confirmed: off, generic: off, callback: off, bogus_mx: off }' \
    '  greylist: { delay: 3s, spf: no, entries: 100k }'
gate_takes_mail

brings() # FROM TO
{
    on far smtp --src 44.1.0.2 44.1.0.1 25 "EHLO far.test" "MAIL FROM:<$1>" "RCPT TO:<$2>" QUIT
}
book=$T/mx.state/gate/gate.book

say "who was never seen waits, and hears how long"
prints "451 4.7.1 greylisted" brings a@far.test b@example.com
prints "in 3 seconds" brings c@far.test b@example.com
until_true 5 event mx gate.greylisted --src 44.1.0.2
prints "44.1.0.0/24" on mx serviola events --kind gate.greylisted
prints "a@far.test" on mx serviola why 44.1.0.2

say "a second later it is on disk, readable to its keeper alone"
known()
{
    python3 - "$book" <<'END'
import sys
with open(sys.argv[1], "rb") as f:
    f.seek(4096)
    data = f.read()
entries = sum(1 for i in range(0, len(data), 32) if data[i + 26])
sys.exit(0 if entries >= 2 else 1)
END
}
until_true 5 known
[ "$(stat -c %a "$book")" = 600 ] || fail "others may read the book"

say "kill -9 of everything; a new start reads it back, and the pair passes when its time is over"
crash mx
gate_again
until_true 10 event mx gate.book_read
gate_takes_mail
passes()
{
    prints "250 " brings a@far.test b@example.com && event mx gate.greylist_passed
}
until_true 10 passes

say "twin: a pair that nobody remembers waits anew"
prints "451 4.7.1 greylisted" brings x@far.test b@example.com

say "a file of random bytes is put aside, said aloud, and begun anew; mail is asked to come again"
crash mx
dd if=/dev/urandom of="$book" bs=4096 count=1 conv=notrunc status=none
gate_again
until_true 10 event mx gate.book_damaged
[ -e "$book.damaged" ] || fail "the damaged file is gone"
gate_takes_mail
prints "451 4.7.1 greylisted" brings a@far.test b@example.com

say "the keeper of the book dies alone: it goes on with the same memory"
old=$(pgrep -f 'serviola -x book' | head -n 1 || pgrep serviola-book | head -n 1)
kill -KILL "$old"
until_true 10 event mx role.died
until_true 10 passes
