# shellcheck shell=bash
# notice.lib.sh - what scenes of notices have in common: a host with two processes that must run, and who takes the notices;
# behind lib.sh.

N=$T/notices # what came: mail.1, post.1 ...

# `noticed HOST WAYS [MORE]`: configures serviola there, with a trigger for each that is gone
noticed()
{
    mkdir -p "$N"
    configure "$1" "
hunt: { mode: off }
watch:
  must_run: [drudge, second]
  triggers:
    drudge is gone: { when: process.drudge.running < 1, do: [notify], calm: 0, again: 0 }
    second is gone: { when: process.second.running < 1, do: [notify], calm: 0, again: 0 }
notify:
  ways:
$2
${3-}"
    cp "$(command -v sleep)" "$T/drudge"
    cp "$(command -v sleep)" "$T/second"
    works drudge "$1"
    works second "$1"
}

works() # drudge|second HOST: starts it
{
    start "$1" "$2" "$T/$1" 300
}

runs() # HOST: serviola, its watch and its notices
{
    serviola_again "$1"
    until_true 5 event "$1" watch.started
    until_true 5 event "$1" notify.started
    until_true 5 prints 1 on "$1" serviola watch process.second.running
}

came() # mail|post [COUNT]: at least so many
{
    [ -e "$N/$1.${2-1}" ]
}

how_many() # mail|post
{
    find "$N" -name "$1.[0-9]*" ! -name '*.part' | wc -l
}

receiver() # HOST [ARGUMENT...]: see bin/notices
{
    start receiver "$1" notices --folder "$N" "${@:2}"
}
