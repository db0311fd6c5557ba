#!/bin/bash
# A trigger fires: within seconds a mail, three kinds of hooks, a program and syslog say what happened and where, in the words
# of `serviola why`; its end is told, with how long it was; and nobody hears of what does not say notify.
. "$(dirname "$0")/lib.sh"
. "$SCENES/notice.lib.sh"
host box
cat >"$T/page" <<END
#!/bin/sh
cat >"$T/paged/\$\$.part" && mv "$T/paged/\$\$.part" "$T/paged/\$\$.json"
END
chmod 755 "$T/page"
install -d -m 777 "$T/paged"
noticed box "
    mail: { by: mail, to: 'admin@example.org, night@example.org', server: 'smtp://127.0.0.1:2525', tls: off }
    plain: { by: hook, url: 'http://127.0.0.1:8080/plain' }
    chat: { by: slack, url: 'http://127.0.0.1:8080/chat' }
    alerts: { by: alertmanager, url: 'http://127.0.0.1:8080' }
    onward: { by: alertmanager_hook, url: 'http://127.0.0.1:8080/onward' }
    pager: { by: run, command: $T/page }
    lines: { by: syslog, to: '127.0.0.1:5514' }"
sed -i 's/^notify:/    quiet one: { when: process.drudge.running < 1, do: [xray], calm: 0 }\nnotify:/' "$T/box.conf"
receiver box --smtp 127.0.0.1:2525 --http 127.0.0.1:8080
start lines box python3 -uc '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 5514))
while True: print(s.recv(65536).decode())'
until_true 5 on box bash -c 'exec 4<>/dev/tcp/127.0.0.1/2525'
runs box

say "what must run is killed"
finish drudge KILL || true
until_true 4 came mail 1
until_true 4 came post 4
paged()
{
    compgen -G "$T/paged/*.json" >/dev/null
}
until_true 4 paged
until_true 4 grep -q serviola "$T/lines.out"

say "the mail says it in its first line"
mail=$N/mail.1
grep -q "^Subject: \[$(hostname)\] alarm: the watch found: drudge is gone: process.drudge.running is 0 (< 1), since" "$mail"
grep -q '^To: admin@example.org, night@example.org' "$mail"
[ "$(grep -c '^X-Envelope: RCPT TO:' "$mail")" = 2 ]
grep -q '^Auto-Submitted: auto-generated' "$mail"
fired=$(on box serviola events --kind watch.triggered --json | grep 'drudge is gone' | sed 's/.*"seq":\([0-9]*\).*/\1/')
grep -q "serviola why $fired" "$mail"

say "each hook has the shape that its receivers know"
python3 - "$N" "$fired" <<'END'
import glob, json, sys
folder, fired = sys.argv[1:]
posts = {}
for name in glob.glob(folder + "/post.*"):
    head, body = open(name).read().split("\n\n", 1)
    if "drudge is gone" in body: # what a picture shows may follow by itself
        posts[head.split("\n")[0]] = (head, json.loads(body))
plain = posts["/plain"][1]
assert plain["notices"][0]["first"] == int(fired) and plain["notices"][0]["stage"] == "began", plain
assert plain["journal"] == "fine" and "drudge is gone" in plain["text"], plain
assert 'Idempotency-Key: "%s"' % plain["key"] in posts["/plain"][0], posts["/plain"][0]
assert list(posts["/chat"][1]) == ["text"] and "is 0 (&lt; 1)" in posts["/chat"][1]["text"], posts["/chat"][1]
alert = posts["/api/v2/alerts"][1][0]
assert alert["labels"]["severity"] == "critical" and alert["labels"]["incident"] == fired, alert
assert alert["endsAt"] > alert["startsAt"], alert
onward = posts["/onward"][1]
assert onward["version"] == "4" and onward["status"] == "firing" and onward["alerts"][0]["status"] == "firing", onward
END
grep -q '"name":"drudge is gone"' "$T"/paged/*.json
grep -qE '^<26>1 [0-9T:.Z-]+ [^ ]+ serviola - watch.triggered - .*alarm: .*drudge is gone' "$T/lines.out"
event box notify.sent

say "it is back: its end is told, and how long it was"
works drudge box
# In a line of the body: what a picture shows may come at the same moment, and the subject is the first notice's.
over_by_mail()
{
    grep -qsE '^over: drudge is gone: it is over after [0-9]+ ' "$N"/mail.*
}
resolved()
{
    grep -qs '"status":"resolved"' "$N"/post.*
}
until_true 10 over_by_mail
until_true 10 resolved

say "what does not say notify is an event and no notice, and nothing is told twice"
event box watch.triggered
prints 'quiet one' on box serviola events --kind watch.triggered
is_not grep -l 'quiet one' "$N"/mail.* "$N"/post.*
[ "$(cat "$N"/mail.* | grep -cE '^(alarm: the watch found|over): drudge is gone')" = 2 ]
is_not event box notify.stuck
prints "250 2.0.0 queued as 1" on box serviola events --kind notify.sent
prints 'HTTP/1.0 200 OK' on box serviola events --kind notify.sent
