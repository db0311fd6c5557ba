#!/bin/bash
# Lines of a megabyte, ten thousand header lines, loops of commands without mail, words that the server knows and clients
# must not, other protocols: each gets a reply or an end, one event a session, and the gate's memory and descriptors are
# as before.  Long lines of a message pass in pieces, byte for byte.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gate.lib.sh"
gate_house
mx_sink_on
gate_on "greet_after: 0, checks: { $quiet }" '  limits: { rate_address: 0, rate_network: 0 }'
gate_takes_mail

gate_pid
mail=("EHLO far.test" "MAIL FROM:<a@far.test>" "RCPT TO:<b@example.com>" DATA)
on far smtp 44.1.0.1 25 "${mail[@]}" "@mail 1000" QUIT >/dev/null
before=$(descriptors)

say "lines of 998, 999, 65,536 and a million bytes, and ten thousand header lines: as they were sent"
on far python3 - <<'END' >"$T/sums"
import hashlib, smtplib
for text in (b"x" * 998, b"x" * 999, b"x" * 65536, b"x" * 1000000, b"\r\n".join(b"X-%d: y" % i for i in range(10000)), b"a\r\n..b\r\n.c"):
    text = b"Subject: long\r\n\r\n" + text + b"\r\n"
    s = smtplib.SMTP("44.1.0.1", 25, timeout=20)
    s.ehlo("far.test")
    s.sendmail("long@far.test", ["b@example.com"], text)
    s.quit()
    sent = text.replace(b"\r\n.", b"\r\n..")
    print(len(sent), hashlib.sha256(sent).hexdigest())
END
[ "$(grep -c . "$T/sums")" = 6 ] || fail "$(cat "$T/sums")"
while read -r size sum; do
    grep -q " $size $sum\$" "$T/mail" || fail "$size bytes did not arrive as they were sent: $(cat "$T/mail")"
done <"$T/sums"

say "a command of a megabyte is refused, and a loop of any of these ends"
on far python3 - <<'END' >"$T/heard" || fail "$(cat "$T/heard")"
import socket
loops = {"long": b"E" * 1000000, "noop": b"NOOP\r\n" * 10000, "rset": b"RSET\r\n" * 10000, "vrfy": b"VRFY x\r\n" * 10000,
         "ehlo": b"EHLO x\r\n" * 10000, "mail": b"MAIL FROM:<a@b.test>\r\nRSET\r\n" * 5000, "unknown": b"WHAT\r\n" * 10000, "helo": b"HELO\r\n" * 10000,
         "http": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "connect": b"CONNECT x:25 HTTP/1.0\r\n\r\n",
         "tls": bytes.fromhex("1603010200010001fc0303") + b"\0" * 500, "proxy": b"PROXY TCP4 44.9.9.9 44.1.0.1 4711 25\r\n",
         "nul": b"EHLO a\0b\r\n" * 200, "lf": b"EHLO x\n" * 200, "cr": b"EHLO x\r" * 2000 + b"\r\n" * 200,
         "eight": b"EHLO \xff\xfe\r\n" * 200}
good = True
for name, data in loops.items():
    s = socket.create_connection(("44.1.0.1", 25), 20)
    heard = s.recv(1000)
    step = 6 if name in ("noop", "rset", "ehlo", "vrfy", "unknown", "helo", "mail") else 4096
    lines = [line + b"\r\n" for line in data.split(b"\r\n")[:-1]] if step == 6 else [data]
    replies = b""
    try:
        for line in lines: # one at a time, as it is allowed
            s.sendall(line)
            if len(lines) > 1:
                more = s.recv(4096)
                replies += more
                if not more:
                    break
        while True:
            more = s.recv(65536)
            if not more:
                break
            replies += more
    except ConnectionError:
        pass
    except socket.timeout:
        replies += b"SILENCE"
    last = replies.strip().split(b"\r\n")[-1][:70]
    print(name, len(replies), last)
    good = good and last[:1] in (b"4", b"5") and len(replies) < 100000
raise SystemExit(not good)
END
tells "was refused with 421: too many bad commands" 44.1.0.2

say "words of servers among themselves are not for clients, and are not offered"
on far python3 - <<'END' >"$T/offer"
import smtplib
s = smtplib.SMTP("44.1.0.1", 25, timeout=10)
print(s.ehlo("far.test")[1].decode())
for line in "XCLIENT ADDR=127.0.0.1", "XFORWARD ADDR=127.0.0.1", "AUTH PLAIN AGEAYg==", "ETRN x", "EXPN x":
    print(*s.docmd(line))
s.quit()
s = smtplib.SMTP("44.1.0.1", 25, timeout=10)
s.ehlo("far.test")
print(*s.docmd("BDAT 5 LAST"))
END
is_not grep -qE 'CHUNKING|XNONSENSE|^AUTH|XCLIENT NAME' "$T/offer"
[ "$(grep -cE '^50[0-9] ' "$T/offer")" = 5 ] || fail "$(cat "$T/offer")"
grep -q '^521' "$T/offer" || fail "$(cat "$T/offer")"
tells "BDAT was not offered" 44.1.0.2

say "nothing stays behind: descriptors $before, then $(descriptors)"
until_true 10 eval '[ "$(descriptors)" -le "$before" ]'
was=$pid
gate_pid
[ "$pid" = "$was" ] || fail "the gate died"
until_true 5 prints gate.session on mx serviola events --kind gate.session_refused
say "memory $(memory_kb) KiB; $(ended) sessions told"
[ -n "${SCENE_SLOW-}" ] || [ "$(memory_kb)" -lt 120000 ] || fail "memory grew"

say "who talks before the greeting is no mail server"
configure mx "$(gate_yaml "greet_after: 2s, checks: { $quiet }")"
kill -HUP "$(pid_of serviola-mx)"
until_true 20 prints "554 5.5.1" on far smtp --before 'EHLO far.test\r\n' 44.1.0.1 25 QUIT
tells "talking before the greeting" 44.1.0.2
