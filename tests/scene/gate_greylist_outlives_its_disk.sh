#!/bin/bash
# The disk of the greylist freezes, then is full: that is said, mail is answered as before, and what happened meanwhile is
# on the disk as soon as it takes it.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/disk.lib.sh"
. "$(dirname "$0")/gate.lib.sh"
gate_house
mx_sink_on
disk_on 16 "$T/mx.state/gate" serviola-mx

gate_on 'greet_after: 0, checks: { greylist: all, rdns: off, confirmed: off, generic: off, callback: off, bogus_mx: off }' \
    '  greylist: { delay: 1s, spf: no, entries: 20k }'
gate_takes_mail
until_true 10 test -e "$disk/gate.book"

brings() # FROM
{
    on far smtp --src 44.1.0.2 --wait 5 44.1.0.1 25 "EHLO far.test" "MAIL FROM:<$1>" "RCPT TO:<b@example.com>" QUIT
}
more() # KIND N: it was said more than N times
{
    [ "$(events mx "$1")" -gt "$2" ]
}
passes() # FROM: EHLO, MAIL and RCPT are answered so
{
    [ "$(brings "$1" | grep -c '^250')" = 3 ]
}

say "the disk freezes: the next pair waits and passes all the same"
fsfreeze -f "$disk"
prints "451 4.7.1 greylisted" brings frozen@far.test
until_true 10 event mx gate.book_stuck
until_true 5 passes frozen@far.test
fsfreeze -u "$disk"
until_true 10 event mx gate.book_back

say "the disk is full: said again, and the pair is known"
for _ in 1 2 3; do # what was reserved for the first round is free after it
    dd if=/dev/zero bs=1k status=none conv=fsync 2>/dev/null >>"$disk/fill" || true
done
prints "451 4.7.1 greylisted" brings full@far.test
until_true 10 more gate.book_stuck 1
prints "No space left" on mx serviola events --kind gate.book_stuck --json
tells "No space left on device, it goes on in memory" gate.book_stuck
until_true 5 passes full@far.test
tells "<full@far.test>" gate.greylist_passed
rm "$disk/fill"
until_true 40 more gate.book_back 1

say "after kill -9 both pairs are known"
crash mx
gate_again
until_true 10 event mx gate.book_read
gate_takes_mail
passes frozen@far.test
passes full@far.test
