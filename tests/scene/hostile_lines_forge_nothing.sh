#!/bin/bash
# Messages that carry line ends, escapes, marks and paths: one record each, of the true sender, shown escaped, kept as they are.
. "$(dirname "$0")/lib.sh"
host box
cat >"$T/send" <<'EOS'
import json, socket, sys
messages = [
    b'<13>Dec  6 12:00:00 web1 app: harmless',
    b'<13>Dec  6 12:00:01 web1 app: a\n<86>Dec  6 12:00:02 fw01 sshd[1]: Accepted password for root',
    b'<13>Dec  6 12:00:03 web1 app: \x1b]0;owned\x07\x1b[2J\xe2\x80\xae txt.exe',
    b'<13>Dec  6 12:00:04 ../../etc/cron.d/x app: path',
    b'<13>Dec  6 12:00:05 ' + b'h' * 300 + b' app: long host',
    b'<13>Dec  6 12:00:06 web1 app: \x00\xff\xfe\x80 bytes',
    b'<13>\x1e2026-11-22T18:28:03.123456Z tcp 10.9.9.9:1\nforged mark',
    b'<192>no priority', b'<13', b'<13>',
    b'<13>1 2007-12-06T12:00:07Z - app - - - no host',
]
s = socket.create_connection(('127.0.0.1', 5514))
for m in messages:
    s.sendall(b'%d %s' % (len(m), m) if m.startswith(b'<13>') else m + b'\n')
s.close()
open(sys.argv[1], 'wb').write(b''.join(m + b'\n' for m in messages))
EOS
start receiver box serviola log receive --store "$T/store" --tcp 127.0.0.1:5514
until_true 10 grep -q log.started "$T/receiver.err"
on box python3 "$T/send" "$T/sent"
counts() # N
{
    [ "$(serviola log show --store "$T/store" --count)" = "$1" ]
}
until_true 10 counts 11

say "the octets are those that were sent"
serviola log show --raw --store "$T/store" | cmp - "$T/sent"

say "a forged second line is part of the first one's record, of the true sender"
serviola log show --json --store "$T/store" >"$T/json"
python3 - "$T/json" <<'EOS'
import json, sys
rows = [json.loads(line) for line in open(sys.argv[1], encoding='utf8')]
assert len(rows) == 11
assert all(r['peer'].startswith('127.0.0.1:') and r['way'] == 'tcp' for r in rows)
assert not any(r['host'] == 'fw01' for r in rows)
assert rows[1]['host'] == 'web1' and 'Accepted' in rows[1]['text']
assert not rows[10]['host'] and rows[10]['program'] == 'app'
assert rows[7]['severity'] == 5 and rows[7]['facility'] == 1
EOS

say "nothing moves the terminal"
serviola log show --store "$T/store" >"$T/shown"
LC_ALL=C grep -q '[^ -~]' "$T/shown" && fail "a byte that is not shown as text"
[ "$(wc -l <"$T/shown")" = 11 ]

say "no file outside of the store"
[ "$(find "$T/store" -type f | wc -l)" -le 5 ]
[ ! -e "$T/etc" ]

say "twin: the harmless one is as it was"
prints 'web1 app: harmless' cat "$T/shown"
finish receiver
