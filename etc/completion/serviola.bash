# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# Completion of serviola's commands and options for bash; as /usr/share/bash-completion/completions/serviola.

# The words after COMMAND; options as its --help prints them.
_serviola_options() # COMMAND
{
    case $1 in
    run) echo "-c -m -i --config --mode --interface --no-console --help" ;;
    hunt) echo "-c -i -l -r --config --interface --lan --block --hold --learn --read --mails --json --help" ;;
    events) echo "-c -f -s -u -k -g -n --config --follow --since --until --kind --src --grade --limit --json --help" ;;
    block) echo "-c -f -w --config --for --why --json --help" ;;
    ack) echo "-c -w --config --why --json --help" ;;
    unblock) echo "-c -w --config --why --json --help" ;;
    allow) echo "-c -r -w --config --remove --why --json --help" ;;
    check) echo "-c -d --config --defaults --json --help" ;;
    log) echo "-c -o -C --config --id --head --ids --output --key --verify --folder --root --most --json --help" ;;
    mail) echo "-c --config --server --server-config --no-queue --all --json --help" ;;
    watch) echo "-c -s -u -l --config --since --until --calm --list --json --help" ;;
    top) echo "-c -a -p -n --config --at --play --lines --json --help" ;;
    xray) echo "-c -f -o -a --at --config --force --output --json --help" ;;
    explain) echo "-c -l --config --list --json --help" ;;
    status) echo "-c -s --config --since --json --help" ;;
    blocks | why) echo "-c --config --json --help" ;;
    esac
}

_serviola_interfaces()
{
    local path

    for path in /sys/class/net/*; do
        echo "${path##*/}"
    done
}

# What may stand behind an option; false when it takes nothing.
_serviola_argument() # COMMAND OPTION WORD
{
    case $1:$2 in
    *:-c | *:--config | mail:--server-config | hunt:-r | hunt:--read | xray:-o | xray:--output) mapfile -t COMPREPLY < <(compgen -f -- "$3") ;;
    log:-o | log:--output | log:--key) mapfile -t COMPREPLY < <(compgen -f -- "$3") ;;
    log:-C | log:--folder) mapfile -t COMPREPLY < <(compgen -d -- "$3") ;;
    run:-m | run:--mode) mapfile -t COMPREPLY < <(compgen -W "off observe learn block hold" -- "$3") ;;
    run:-i | hunt:-i | *:--interface) mapfile -t COMPREPLY < <(compgen -W "$(_serviola_interfaces)" -- "$3") ;;
    events:-g | events:--grade) mapfile -t COMPREPLY < <(compgen -W "note warn alarm" -- "$3") ;;
    events:-s | events:--since | events:-u | events:--until)
        mapfile -t COMPREPLY < <(compgen -W "today yesterday 5min 1h 2h 1d 7d" -- "$3") ;;
    events:-k | events:--kind)
        mapfile -t COMPREPLY < <(compgen -W "serviola. role. conf. scribe. journal. hunt. rule. act." -- "$3") ;;
    block:-f | block:--for) mapfile -t COMPREPLY < <(compgen -W "30min 1h 2h 1d 7d" -- "$3") ;;
    events:-n | events:--limit | events:--src | hunt:-l | hunt:--lan | log:--id | log:--head | log:--root | log:--most | *:-w | *:--why) COMPREPLY=() ;;
    *) return 1 ;;
    esac
}

_serviola()
{
    local word=${COMP_WORDS[COMP_CWORD]}
    local command=${COMP_WORDS[1]}

    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W "run hunt status events why blocks xray explain watch top block unblock allow ack mail check log help --version" -- "$word")
        return
    fi
    if _serviola_argument "$command" "${COMP_WORDS[COMP_CWORD - 1]}" "$word"; then
        return
    fi
    if [[ $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_serviola_options "$command")" -- "$word")
        return
    fi
    case $command in
    help) mapfile -t COMPREPLY < <(compgen -W "run hunt status events why blocks xray explain watch top block unblock allow ack mail check log" -- "$word") ;;
    log) if [ "$COMP_CWORD" -eq 2 ]; then
             mapfile -t COMPREPLY < <(compgen -W "verify templates pack unpack" -- "$word")
         else
             mapfile -t COMPREPLY < <(compgen -f -- "$word")
         fi ;;
    mail) [ "$COMP_CWORD" -ne 2 ] || mapfile -t COMPREPLY < <(compgen -W "list hold release purge guard" -- "$word") ;;
    xray) if [ "$COMP_CWORD" -eq 2 ]; then
              mapfile -t COMPREPLY < <(compgen -W "show explain" -- "$word")
          else
              mapfile -t COMPREPLY < <(compgen -f -- "$word")
          fi ;;
    why) mapfile -t COMPREPLY < <(compgen -W "last" -- "$word") ;;
    check | explain) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
    unblock) # who is blocked now; without the right to ask, nobody
        mapfile -t COMPREPLY < <(compgen -W "$(serviola blocks --json 2>/dev/null | sed -n 's/.*"host":"\([0-9a-f.:]*\)".*/\1/p')" -- "$word") ;;
    esac
}

complete -o filenames -F _serviola serviola
