#!/bin/bash
# A part that died waits a moment before it is started again.  A reload starts it at once, and it is not started twice.
. "$(dirname "$0")/lib.sh"
host box
configure box "serviola:
  control: $T/box.state/control
  restarts: 100
hunt: { mode: off }"
serviola_again box

watcher()
{
    pgrep -P "$(pid_of serviola-box)" -f '^serviola -x watch$'
}

another_watcher() # PID
{
    local now

    now=$(watcher) && [ "$now" != "$1" ]
}

dies()
{
    local was

    was=$(watcher)
    kill -KILL "$was"
    until_true 20 another_watcher "$was"
}

until_true 10 watcher
for _ in 1 2 3 4 5; do dies; done

say "it dies again, and would wait for 0.6 s"
was=$(watcher)
loaded=$(events box conf.loaded)
kill -KILL "$was"
gone()
{
    ! kill -0 "$was" 2>/dev/null
}
until_true 5 gone
kill -HUP "$(pid_of serviola-box)"
another_load()
{
    [ "$(events box conf.loaded)" -gt "$loaded" ]
}
until_true 5 another_load
until_true 5 another_watcher "$was"


say "it runs for longer than the wait would have taken, and nobody takes its place"
now=$(watcher)
is_old()
{
    [ "$(ps -o etimes= -p "$now")" -ge 2 ]
}
until_true 10 is_old
[ "$(watcher)" = "$now" ] || fail "another one was started: $(watcher), not $now"
