#!/bin/bash
# What nobody answers is told to others after a while; what somebody takes care of is not; and whoever heard of a beginning
# hears of its end, with how long it was, once.
. "$(dirname "$0")/lib.sh"
. "$SCENES/notice.lib.sh"
host box
noticed box "
    day: { by: hook, url: 'http://127.0.0.1:8080/day' }
    night: { by: hook, url: 'http://127.0.0.1:8080/night' }
  rules:
    all: { to: [day], escalate: 2s, then: [night] }"
receiver box --http 127.0.0.1:8080
until_true 5 on box bash -c 'exec 4<>/dev/tcp/127.0.0.1/8080'
runs box

posts() # PATH WORDS: how many say so
{
    { grep -lE "$2" "$N"/post.[0-9]* 2>/dev/null | xargs -r /bin/grep -lx "/$1" || true; } | wc -l
}
told() # PATH WORDS
{
    [ "$(posts "$@")" = 1 ]
}

say "two things are lost; somebody takes care of one"
finish drudge KILL || true
finish second KILL || true
until_true 4 told day '"stage":"began".*drudge is gone'
until_true 4 told day '"stage":"began".*second is gone'
number=$(grep -hoE 'second is gone[^}]*"first":[0-9]+' "$N"/post.* | grep -oE '[0-9]+$' | head -n 1)
on box serviola ack "$number" --why 'on my way'
event box notify.acknowledged
prints 'on my way' on box serviola why "$number"
is_not on box serviola ack 99999999
is_not on box serviola ack everything

say "the other one is told to others, once"
until_true 5 told night '"stage":"still".*nobody has answered for .*drudge is gone'
works drudge box
works second box
until_true 5 told day '"stage":"over".*drudge is gone: it is over after'
until_true 5 told day '"stage":"over".*second is gone: it is over after'
until_true 5 told night '"stage":"over".*drudge is gone: it is over after'
[ "$(posts night 'second is gone')" = 0 ]
told night still

say "with another configuration nothing is told twice, and what comes goes the new way"
long_ago() # what is younger than 3 s may have been on its way
{
    [ "$(on box serviola events --kind watch.recovered --since 4s --json | wc -l)" = 0 ]
}
until_true 8 long_ago
before=$(how_many post)
sed -i 's/escalate: 2s/escalate: 1min/; s/^    night: .*/    night: { by: hook, url: "http:\/\/127.0.0.1:8080\/late" }/; s/all: { to: \[day\]/all: { to: [day, night]/' "$T/box.conf"
kill -HUP "$(pid_of serviola-box)"
started_again()
{
    [ "$(events box notify.started)" = 2 ]
}
until_true 5 started_again
[ "$(how_many post)" = "$before" ]
until_true 5 prints 1 on box serviola watch process.second.running
