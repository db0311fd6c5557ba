#!/bin/bash
# kill -9 of the gate, of the keeper of its book, of both: who waited in the greylist comes in when its time is over,
# as if nothing had happened.
. "$(dirname "$0")/lib.sh"
house
start sink wall sink --log "$T/mail" --port 2525
until_true 20 test -e "$T/mail"
serviola_on wall "serviola:
  control: $T/wall.state/control
  restarts: 100
gate:
  folder: $T/wall.state/gate
  dns: { servers: [10.2.0.2], total: 100ms } # nobody answers there, and nobody is refused for it
  greylist: { delay: 1s, passes: 1000, spf: no }
  listeners:
    mx:
      listen: 10.2.0.1:25
      to: 127.0.0.1:2525
      identity: none
      relay_test: no
      greet_after: 0s
      checks: { rdns: off, confirmed: off, generic: off, callback: off, bogus_mx: off, greylist: all }"
until_true 5 event wall gate.listening

knock() # SENDER
{
    on out worm --to 10.2.0.1 --messages 1 --patience 5 --sender "$1"
}

came() # SENDER
{
    knock "$1" || true
    grep -qF "$1" "$T/mail"
}

pid_of_part() # NAME
{
    pgrep -f "^serviola -x $1\$"
}

dies() # PART...
{
    local part pids=() listening

    listening=$(events wall gate.listening)
    for part in "$@"; do
        pids+=("$(pid_of_part "$part")")
    done
    kill -KILL "${pids[@]}"
    is_back()
    {
        for part in "$@"; do
            pid_of_part "$part" || return 1
        done
        [[ " $* " != *" gate "* ]] || [ "$(events wall gate.listening)" -gt "$listening" ]
    }
    until_true 10 is_back "$@"
}

for who in gate book "gate book"; do
    sender="${who// /-and-}@mail.example"
    say "$who"
    knock "$sender" || true
    until_true 5 event wall gate.greylisted
    if grep -qF "$sender" "$T/mail"; then fail "it did not wait"; fi
    # shellcheck disable=SC2086 # one word a part
    dies $who
    until_true 10 came "$sender"
done
[ "$(events wall gate.greylisted)" = 3 ] || fail "a pair was forgotten: it waited twice"
