#!/bin/bash
# Completion offers what the program understands, today's commands included: it asks the program itself.
. "$(dirname "$0")/lib.sh"
# shellcheck source=/dev/null
. "$(dirname "$0")/../../etc/completion/serviola.bash"

set +E # compgen fails when it finds nothing
offered() # WORD...: what stands behind the last of them
{
    COMP_WORDS=(serviola "$@")
    COMP_CWORD=$#
    _serviola
    printf '%s\n' "${COMPREPLY[@]}"
}

say "every command of the table, and help"
serviola help | sed -n 's/^  serviola \([a-z]*\) .*/\1/p' >"$T/commands"
[ "$(wc -l <"$T/commands")" -gt 15 ]
offered '' >"$T/offered"
while read -r name; do
    grep -qx "$name" "$T/offered"
    if [ "$name" != log ]; then # its options belong to its words
        offered "$name" -- >"$T/options"
        grep -qx -- --help "$T/options"
    fi
done <"$T/commands"
grep -qx help "$T/offered"

say "the words of log, and the options of each"
[ "$(offered log '' | wc -l)" -gt 9 ]
for name in $(offered log ''); do
    offered log "$name" --h | grep -qx -- --help
done
offered log search --sin | grep -qx -- --since
is_not grep -qx -- --since <(offered log unpack --)

say "what an option takes"
offered block 10.1.0.2 --for '' | grep -qx 2h
offered events -g '' | grep -qx alarm
touch "$T/a.pcap"
offered hunt --read "$T/a" | grep -qx "$T/a.pcap"
is_not grep -q . <(offered block 10.1.0.2 --why '')
