#!/bin/bash
# Thirty triggers fire at once: one notice, with all of them.  One flaps: its beginning and its end are told, then how often, in
# windows that grow.  More different things than may go out in a row are gathered, and it is said that they are.
. "$(dirname "$0")/lib.sh"
. "$SCENES/notice.lib.sh"
host box
noticed box "
    hook: { by: hook, url: 'http://127.0.0.1:8080/' }
  wait: 500ms
  window: 4s
  burst: 2
  each: 6s"
for i in $(seq 10 39); do
    sed -i "s/^notify:/    service $i is gone: { when: process.second.running < 1, do: [notify], calm: 0, again: 0 }\nnotify:/" "$T/box.conf"
done
receiver box --http 127.0.0.1:8080
until_true 5 on box bash -c 'exec 4<>/dev/tcp/127.0.0.1/8080'
runs box

say "thirty things happen at once"
finish second KILL || true
all_fired()
{
    [ "$(events box watch.triggered)" -ge 31 ]
}
until_true 5 all_fired
until_true 4 came post 1
grep -q 'and 30 more' "$N/post.1"
for i in 10 25 39; do
    grep -q "service $i is gone" "$N/post.1"
done
works second box
until_true 5 came post 2
[ "$(how_many post)" = 2 ]
grep -o '"stage":"over"' "$N/post.2" | wc -l | grep -qx 31

say "one flaps, and is counted"
for round in 1 2 3 4; do
    finish drudge KILL || true
    fired()
    {
        [ "$(on box serviola events --kind watch.triggered --json | grep -c 'drudge is gone')" -ge "$round" ]
    }
    until_true 5 fired
    works drudge box
    calm()
    {
        [ "$(on box serviola events --kind watch.recovered --json | grep -c 'drudge is gone')" -ge "$round" ]
    }
    until_true 5 calm
done
counted()
{
    grep -qs 'more in .*drudge is gone' "$N"/post.*
}
until_true 20 counted
[ "$(how_many post)" -le 6 ]

say "the limit was reached, and said"
until_true 5 event box notify.limited
is_not event box notify.lost
