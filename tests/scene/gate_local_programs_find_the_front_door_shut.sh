#!/bin/bash
# A mail server that is sent to 127.0.1.50, as in the story, finds nobody there: the gate's own front door is shut to
# local programs, the server behind it is not.
. "$(dirname "$0")/lib.sh"
self=127.0.1.50
[ -z "${six-}" ] || self=::1
host box
start sink box sink --log "$T/mail" --port 2525
until_true 20 test -e "$T/mail"

gate="gate:
  folder: $T/box.state/gate
  listeners: { mx: { listen: [\"0.0.0.0:25\", \"[::]:25\"], to: 127.0.0.1:2525, identity: none, relay_test: no } }"
serviola_on box "$gate"
until_true 5 event box gate.listening

sees() # WORDS ADDRESS PORT: what a local program that delivers there meets
{
    prints "$1" on box worm --to "$2" --port "$3" --messages 1 --patience 3
}

say "127.0.1.50, 127.0.0.1 and ::1 are reset at once, and the gate hears nothing of it"
until_true 5 sees refused "$self" 25
sees refused 127.0.1.50 25
sees refused 127.0.0.1 25
sees refused ::1 25
[ "$(events box gate.loop_found)" = 0 ]

say "the server behind is reached"
sees "done" 127.0.0.1 2525
prints 'reject with tcp reset' on box nft list chain inet serviola guard

say "a table that somebody flushed comes back with its guard"
on box nft flush chain inet serviola guard 2>/dev/null || true
until_true 5 sees refused "$self" 25

say "twin: switched off, the gate itself sees the loop, and ends it"
configure box "$gate
  outbound_guard: no"
kill -HUP "$(pid_of serviola-box)"
until_true 5 event box conf.loaded
comes_in()
{
    on box worm --to "$self" --messages 1 --patience 3 || true
    event box gate.loop_found
}
until_true 5 comes_in
