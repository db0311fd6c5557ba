#!/bin/bash
# The journal's disk is full, then its writer hangs until more was said than memory holds, then it dies: mail goes through
# as ever, and afterwards the journal says how much is missing and where.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gate.lib.sh"
gate_house
mx_sink_on
mkdir "$T/small"
mount -t tmpfs -o size=600k small "$T/small"
chmod 755 "$T/small"
configure mx "journal: { folder: $T/small/journal }
watch: { mode: off }
serviola: { control: $T/mx.state/control, memory_events: 1024, restarts: 100 }
$(gate_yaml "greet_after: 0, checks: { $quiet }" '  limits: { rate_address: 0, rate_network: 0, per_address: 5000, per_network: 5000 }')"
gate_again
gate_takes_mail
start follow mx serviola events --follow --json

mails_pass() # N
{
    local had

    had=$(delivered)
    on far python3 - "$1" <<'END'
import smtplib, sys
for i in range(int(sys.argv[1])):
    s = smtplib.SMTP("44.1.0.1", 25, timeout=20)
    s.sendmail("a@far.test", ["b@example.com"], "Subject: %d\r\n\r\nx\r\n" % i)
    s.quit()
END
    [ "$(delivered)" = $((had + $1)) ] || fail "$(delivered) messages arrived, not $((had + $1))"
}
said()
{
    grep -q "\"$1\"" "$T/follow.out"
}

say "the disk is full"
dd if=/dev/zero of="$T/small/fill" bs=4k status=none 2>/dev/null || true
mails_pass 50
until_true 20 said scribe.failed
mails_pass 50
rm "$T/small/fill"
mount -o remount,size=64m "$T/small"

say "there is room again: what was said meanwhile is on the disk"
kept()
{
    [ "$(events mx gate.session_passed)" -ge "$1" ]
}
until_true 30 kept 100
tells "from <a@far.test>" gate.session_passed

say "its writer hangs, and more is said than memory holds"
scribe=$(pgrep -f '^serviola -x scribe$')
kill -STOP "$scribe"
mails_pass 1500
until_true 10 said scribe.stuck
kill -CONT "$scribe"
until_true 20 event mx journal.lost
prints '"count":' on mx serviola events --kind journal.lost --json

say "it dies: another one goes on, and mail with it"
kill -KILL "$(pgrep -f '^serviola -x scribe$')"
mails_pass 50
until_true 10 event mx role.died
before=$(events mx gate.session_passed)
mails_pass 5
until_true 10 kept $((before + 5))

say "what is there is whole"
finish serviola-mx || true
on mx serviola log verify "$T/small/journal" >/dev/null
