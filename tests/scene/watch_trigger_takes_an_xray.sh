#!/bin/bash
# A trigger fires: it is said with value and limit, a picture is taken at once and explained, and its end knows its beginning.
. "$(dirname "$0")/lib.sh"
host box
configure box "
hunt: { mode: off }
watch:
  must_run: [drudge]
  triggers:
    drudge is gone: { when: process.missing > 0 for 1s, do: [xray, notify], calm: 0 }
    never: { when: load.one < 0, do: [xray] }"
cp "$(command -v sleep)" "$T/drudge"
start drudge box "$T/drudge" 300
serviola_again box
until_true 5 event box watch.started
until_true 5 prints 1 on box serviola watch process.drudge.running
is_not event box watch.triggered

say "it is killed"
finish drudge KILL || true
gone_us=${EPOCHREALTIME/./}
until_true 4 event box watch.triggered
until_true 4 event box xray.taken
on box serviola events --kind watch.triggered --json >"$T/triggered"
prints '"name":"drudge is gone"' cat "$T/triggered"
prints 'process.missing is 1 (> 0)' cat "$T/triggered"
prints '"acts":"xray notify"' cat "$T/triggered"
said_us=$(on box serviola events --kind watch.triggered --json | sed 's/.*"since":"\([^"]*\)".*/\1/')
off_ms=$((($(date -d "$said_us" +%s%6N) - gone_us) / 1000))
say "the loss was dated $off_ms ms after it"
[ "$off_ms" -lt 1500 ] || fail "the time of the loss is wrong: $said_us"

say "the picture is whole, and comes from the firing"
fired=$(sed 's/.*"seq":\([0-9]*\).*/\1/' "$T/triggered")
prints "\"cause\":$fired" on box serviola events --kind xray.taken --json
name=$(on box serviola events --kind xray.taken --json | sed 's/.*"name":"\([^"]*\)".*/\1/')
until_true 5 test -s "$T/box.state/journal/xray/$name"
status=0
serviola explain "$T/box.state/journal/xray/$name" >"$T/explained" || status=$?
[ $status -le 1 ]
prints serviola-watch serviola xray show "$T/box.state/journal/xray/$name" process serviola-watch

say "it runs again"
start drudge box "$T/drudge" 300
until_true 4 event box watch.recovered
prints "\"cause\":$fired" on box serviola events --kind watch.recovered --json
[ "$(events box watch.triggered)" = 1 ]

say "the dry run finds the same"
it_was_over()
{
    prints 'process.missing is 1 (> 0); over after' on box serviola watch try 'process.missing > 0 for 1s' --since 1h
}
until_true 8 it_was_over
on box serviola watch try 'process.missing > 1' --since 1h >/dev/null

say "a house in which a part was stopped says that it does not know, not that all was lost"
kill -STOP "$(pgrep -x serviola-watch)"
sleep 4 # what the scene is about: a time that nobody has seen
kill -CONT "$(pgrep -x serviola-watch)"
until_true 3 event box watch.paused
[ "$(events box watch.triggered)" = 1 ]
