#!/bin/bash
# Stamps without a year get the right one, days that do not exist are no stamp, and what comes late keeps both its times.
. "$(dirname "$0")/lib.sh"
host box
mkdir "$T/old"
cat >"$T/old/syslog.1" <<'END'
Dec 31 23:59:59 vlnx1 su[1]: the last second of the year
Feb 29 10:00:00 vlnx1 su[2]: a day that 2025 does not have
END
cat >"$T/old/syslog" <<'END'
Jan  1 00:00:01 vlnx1 su[3]: the first second of the next
END
touch -d 2026-01-01T00:00:10Z "$T/old/syslog.1"
touch -d 2026-01-01T00:00:20Z "$T/old/syslog"
serviola log import --store "$T/imported" "$T/old" >/dev/null
serviola log show --json --store "$T/imported" >"$T/json"

stamp_of() # PID
{
    grep -F "\"pid\":$1," "$T/json" | grep -oE '"stamp":"[^"]*"' | cut -d'"' -f4
}

[ "$(stamp_of 1)" = 2025-12-31T23:59:59.000000Z ]
[ "$(stamp_of 2)" = "" ]
[ "$(stamp_of 3)" = 2026-01-01T00:00:01.000000Z ]

say "late: the stamp says when, the arrival says when it came"
start receiver box serviola log receive --store "$T/store" --udp 127.0.0.1:5514
until_true 10 grep -q log.started "$T/receiver.err"
late=$(date -u -d '40 minutes ago' +%Y-%m-%dT%H:%M:%SZ)
on box python3 - "$late" <<'EOS'
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.sendto(b'<13>1 %s mx1 app 7 - - late' % sys.argv[1].encode(), ('127.0.0.1', 5514))
EOS
counts() # N
{
    [ "$(serviola log show --store "$T/store" --count)" = "$1" ]
}
until_true 10 counts 1
prints "\"stamp\":\"${late%Z}.000000Z\"" serviola log show --json --store "$T/store"
arrived=$(serviola log show --json --store "$T/store" | grep -oE '"arrived":"[^"]*"' | cut -d'"' -f4)
[ $(($(date -d "$arrived" +%s) - $(date -d "$late" +%s))) -ge 2390 ]

say "a clock that is 420 s ahead is told, once; twin: one that is right is not"
on box python3 - <<'EOS'
import datetime, socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for name, ahead in (('fast', 420), ('right', 0)):
    for i in range(16 * 20):
        t = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=ahead)
        s.sendto(b'<13>1 %s %s app 7 - - tick' % (t.strftime('%Y-%m-%dT%H:%M:%SZ').encode(), name.encode()), ('127.0.0.1', 5514))
EOS
until_true 10 counts 641
grep -qE 'log.clock_changed 127.0.0.1 name=fast why=(6 min 59 s|7 min) ahead' "$T/receiver.err"
is_not prints 'log.clock_changed 127.0.0.1 name=right' cat "$T/receiver.err"
[ "$(grep -c log.clock_changed "$T/receiver.err")" = 1 ]

say "a host that has just started and does not know the time: its stamps say 2000, its lines stand where they arrived"
on box python3 - <<'EOS'
import datetime, socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(16 * 20):
    now = datetime.datetime.now(datetime.timezone.utc)
    for name, stamp in (('boot', '2000-01-01T00:00:%02dZ' % (i % 60)), ('right', now.strftime('%Y-%m-%dT%H:%M:%SZ'))):
        s.sendto(b'<13>1 %s %s app 7 - - after the start' % (stamp.encode(), name.encode()), ('127.0.0.1', 5514))
EOS
until_true 10 counts 1281
until_true 5 grep -q "log.found 127.0.0.1 rule=clock_unset name=boot .*its stamps say 2000-01-01" "$T/receiver.err"
serviola log timeline --store "$T/store" --from 1999-12-01T00:00:00Z --to "$(date -u -d "2 minutes" +%Y-%m-%dT%H:%M:%SZ)" --host boot >"$T/boot"
[ "$(wc -l <"$T/boot")" = 320 ]
is_not grep -E '^(1999|2000)' "$T/boot"
finish receiver
