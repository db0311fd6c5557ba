# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# Completion of serviola's commands and options for bash; as /usr/share/bash-completion/completions/serviola.
# It asks the program for its own help: a list kept here would be wrong with the next version.

_serviola_help() # [COMMAND [WORD]]
{
    LC_ALL=C "${COMP_WORDS[0]}" help "$@" 2>/dev/null
}

# The words of a table of commands, or those that the first line of a command's help names behind a bar.
_serviola_names() # [COMMAND]
{
    _serviola_help "$@" | sed -nE 's/^  serviola (log )?([a-z]+)  .*/\2/p; 1 { s/^serviola [a-z]+/|/; s/\| *([a-z]+)/\n\1\n/g; p }' |
        grep -xE '[a-z]+'
}

_serviola_options() # [COMMAND [WORD]]
{
    _serviola_help "$@" | sed -nE 's/^  (-[a-zA-Z], |    )(--[a-z-]+).*/\2/p; s/^  (-[a-zA-Z]), --.*/\1/p'
}

# What an option takes, as the help writes it: FILE, SPAN, T...; nothing for one that takes nothing.
_serviola_takes() # OPTION [COMMAND [WORD]]
{
    _serviola_help "${@:2}" | sed -nE "s/^  (-[a-zA-Z], |    )?(--[a-z-]+) ([A-Z]+).*/\1 \2 \3/p" |
        awk -v asked="$1" '{ sub(",", "") } $1 == asked || $(NF - 1) == asked { print $NF; exit }'
}

_serviola_values() # OPTION KIND WORD
{
    local words=

    case $1:$2 in
    *:FILE | *:MANIFEST | *:ARCHIVE) mapfile -t COMPREPLY < <(compgen -f -- "$3"); return ;;
    *:FOLDER | *:DIR) mapfile -t COMPREPLY < <(compgen -d -- "$3"); return ;;
    *:MODE) words="off observe learn block hold" ;;
    *:IF) words=$(cd /sys/class/net && echo *) ;;
    --grade:* | -g:*) words="note warn alarm" ;;
    --kind:* | -k:*) words="serviola. role. conf. journal. hunt. rule. act. gate. log. watch. notify." ;;
    *:T) words="today yesterday 5min 1h 2h 1d 7d" ;;
    *:SPAN) words="30min 1h 2h 1d 7d" ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$3")
}

_serviola()
{
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} takes
    local -a command=("${COMP_WORDS[@]:1:1}")

    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_serviola_names) help --version" -- "$word")
        return
    fi
    if [ "${command[0]}" = log ] && [ "$COMP_CWORD" -gt 2 ]; then
        command+=("${COMP_WORDS[2]}")
    fi
    if [[ $before == -* ]]; then
        takes=$(_serviola_takes "$before" "${command[@]}")
        if [ -n "$takes" ]; then
            _serviola_values "$before" "$takes" "$word"
            return
        fi
    fi
    if [[ $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_serviola_options "${command[@]}")" -- "$word")
        return
    fi
    case ${command[0]} in
    help)
        if [ "$COMP_CWORD" -eq 2 ]; then
            mapfile -t COMPREPLY < <(compgen -W "$(_serviola_names)" -- "$word")
        else
            mapfile -t COMPREPLY < <(compgen -W "$(_serviola_names "${COMP_WORDS[2]}")" -- "$word")
        fi
        return ;;
    unblock) # who is blocked now; without the right to ask, nobody
        mapfile -t COMPREPLY < <(compgen -W "$("${COMP_WORDS[0]}" blocks --json 2>/dev/null | sed -n 's/.*"host":"\([0-9a-f.:]*\)".*/\1/p')" -- "$word")
        return ;;
    why) mapfile -t COMPREPLY < <(compgen -W "last" -- "$word") ;;
    esac
    if [ "$COMP_CWORD" -eq 2 ]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_serviola_names "${command[0]}")" -- "$word")
    fi
    [ "${#COMPREPLY[@]}" -gt 0 ] || mapfile -t COMPREPLY < <(compgen -f -- "$word")
}

complete -o filenames -F _serviola serviola
