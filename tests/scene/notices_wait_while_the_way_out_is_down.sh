#!/bin/bash
# The mail server refuses, the hook answers 503: notices are kept and tried again, it is said that no way leads out, and
# kill -9 of the part that tells, and then of everything, loses none of them; when the ways are open again all are told.
. "$(dirname "$0")/lib.sh"
. "$SCENES/notice.lib.sh"
host box
noticed box "
    mail: { by: mail, to: admin@example.org, server: 'smtp://127.0.0.1:2525', tls: off }
    hook: { by: hook, url: 'http://127.0.0.1:8080/' }
  retry: 100ms
  retry_most: 500ms
  settle: 3s"
receiver box --smtp 127.0.0.1:2525 --http 127.0.0.1:8080
until_true 5 on box bash -c 'exec 4<>/dev/tcp/127.0.0.1/2525'
runs box
touch "$N/down"

say "no way leads out: it is said, and tried again"
finish drudge KILL || true
until_true 4 event box watch.triggered
stuck()
{
    [ "$(events box notify.stuck)" = 2 ]
}
until_true 5 stuck
prints '451' on box serviola events --kind notify.stuck
prints '503' on box serviola events --kind notify.stuck

say "the part that tells is killed"
kill -KILL "$(pgrep -x serviola-notify)"
until_true 5 event box role.died
started_again()
{
    [ "$(events box notify.started)" -ge "$1" ]
}
until_true 5 started_again 2
is_not came mail 1
is_not came post 1

say "everything is killed, and something else happens after it"
crash box
serviola_again box
until_true 5 started_again 3
until_true 5 prints 1 on box serviola watch process.second.running
finish second KILL || true
second_is_told()
{
    prints 'second is gone' on box serviola events --kind watch.triggered
}
until_true 5 second_is_told
is_not came mail 1

say "the ways are open again: nothing is missing"
rm "$N/down"
all_came() # mail|post
{
    grep -qs 'the watch found: drudge is gone' "$N/$1".* && grep -qs 'the watch found: second is gone' "$N/$1".*
}
until_true 10 all_came mail
until_true 10 all_came post
until_true 5 event box notify.back
back()
{
    [ "$(events box notify.back)" -ge 2 ]
}
until_true 5 back

say "after another crash nothing is told twice, and what is not so any more is over"
until_true 3 event box notify.sent
told=$(how_many post)
crash box
works drudge box
works second box
serviola_again box
until_true 5 started_again 4
over()
{
    grep -qs 'not found any more since serviola was started anew: the watch found: drudge is gone' "$N"/post.*
}
until_true 8 over
for file in $(seq -f "$N/post.%.0f" $((told + 1)) "$(how_many post)"); do
    is_not grep '"stage":"began".*is gone' "$file"
done
