#!/bin/bash
# A part that cannot be jailed does not start, and the text says what to do.
. "$(dirname "$0")/lib.sh"
house

refuses() # WORDS COMMAND: ends by itself with an error that contains the words
{
    local words=$1 status=0

    shift
    configure wall 'hunt: { mode: block }'
    SERVIOLA_CONF=$T/wall.conf timeout 8 ip netns exec wall "$@" serviola run --no-console >"$T/said" 2>&1 </dev/null || status=$?
    cat "$T/said"
    case $status in
    0) fail "it ran and ended without an error" ;;
    124) fail "it runs" ;;
    esac
    grep -qiE "$words" "$T/said" || fail "the text does not say: $words"
    is_not on wall serviola status
}

for user in serviola serviola-hunt serviola-hand serviola-scribe; do
    say "without the user $user"
    grep -v "^$user:" /etc/passwd >"$T/passwd"
    mount --bind "$T/passwd" /etc/passwd
    refuses "$user"
    umount /etc/passwd
done

say "without the right to change the user, so that every part would stay root"
refuses 'setuid|setgid|user' setpriv --bounding-set -setuid,-setgid
say "without the right to touch the network"
refuses 'net_admin|net_raw' setpriv --bounding-set -net_admin,-net_raw

say "twin: with all of it, it starts"
serviola_on wall 'hunt: { mode: block }'
