#!/bin/bash
# Who is not root, but in the group serviola, gets a whole picture from the running serviola; a stranger hears why not.
. "$(dirname "$0")/lib.sh"
host box
serviola_on box "hunt: { mode: off }
watch: { triggers: {} } # other scenes write into the kernel's log, and a picture more would be taken for it"
install -d -m 0777 "$T/desk"
start other box setpriv --reuid 23456 --regid 23456 --clear-groups perl -MIO::Socket::INET -e \
    'my $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1:4711", Listen => 5) or die; sleep 600'
listens_there()
{
    prints 4711 on box ss -Hltn
}
until_true 10 listens_there

as() # GROUP COMMAND: a user of that group who is nothing else
{
    on box setpriv --reuid 12345 --regid 12345 --groups "$1" --inh-caps=-all --bounding-set=-all "${@:2}"
}
member=$(getent group serviola | cut -d: -f3)
program=$(command -v serviola)
owned() # FILE: it knows whose the socket of another user is
{
    prints "pid=$(pid_of other) " serviola xray show "$1" socket LISTEN 127.0.0.1:4711
}

say "a member's picture shows whose the sockets of others are"
as "$member" "$program" xray -o "$T/desk/member.xray" 2>"$T/member.said"
[ ! -s "$T/member.said" ]
owned "$T/desk/member.xray"
[ "$(stat -c %u:%a "$T/desk/member.xray")" = 12345:600 ]
[ "$(events box xray.asked)" = 1 ]
prints 'uid 12345' on box serviola events --kind xray.asked
cause=$(on box serviola events --kind xray.asked --json | sed 's/.*"seq":\([0-9]*\).*/\1/')
prints "\"cause\":$cause" on box serviola events --kind xray.taken --json
is_not test -e "$T/box.state/journal/xray"

say "without -o it is explained, and kept beside those that triggers take"
status=0
as "$member" "$program" xray >"$T/told" 2>"$T/member.said" || status=$?
[ $status -le 1 ]
[ ! -s "$T/member.said" ]
is_not grep -q 'may not be read' "$T/told"
kept=$(sed -n 's/^The picture is kept: //p' "$T/told")
until_true 10 test -s "$kept"
owned "$kept"

say "two at once: one is taken, the other one is told"
before=$(events box xray.taken)
eye=$(pgrep -x serviola-eye)
kill -STOP "$eye"
for n in 1 2; do
    start "asker$n" box setpriv --reuid 12345 --regid 12345 --groups "$member" --inh-caps=-all --bounding-set=-all \
        "$program" xray -o "$T/desk/$n.xray"
done
told()
{
    grep -q 'another picture is being taken' "$T/asker1.err" "$T/asker2.err"
}
until_true 20 told
kill -CONT "$eye"
for n in 1 2; do
    wait "$(pid_of "asker$n")" || fail "asker $n got none"
    owned "$T/desk/$n.xray"
done
[ "$(events box xray.taken)" = $((before + 1)) ]
[ "$(cat "$T"/asker[12].err | grep -c 'another picture')" = 1 ]

say "a member may look into the recorder, too"
past()
{
    as "$member" "$program" xray --at 1s -o "$T/desk/past.xray" --force
}
until_true 20 past

say "a stranger hears why not, and gets what a stranger may see"
partial() # WORDS: and a picture
{
    grep -q "$1" "$T/said"
    grep -q 'member of its group' "$T/said"
    finding incomplete 'may not be read: run as root' <"$T/found" >/dev/null
    [ $status = 1 ]
}
status=0
as 12345 "$program" xray --json >"$T/found" 2>"$T/said" || status=$?
partial 'no permission to talk to serviola'
[ "$(events box xray.taken)" = $((before + 1)) ]

say "so does a member while serviola does not run"
finish serviola-box
status=0
as "$member" "$program" xray --json >"$T/found" 2>"$T/said" || status=$?
partial 'serviola is not running'

say "or while the watch is off"
serviola_on box "
hunt: { mode: off }
watch: { mode: off }"
status=0
as "$member" "$program" xray --json >"$T/found" 2>"$T/said" || status=$?
partial 'took no picture: the watch was off'
