#!/bin/bash
# Debian's Postfix, Dovecot and unbound are each asked in their own language: what answers well is there, what answers wrong is
# not, and it is said why; so are programs and DNS lists; a server that says nothing at all delays nobody.
#   us 10.1.0.1 --- mx 10.1.0.2
# shellcheck source=tests/scene/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/scene/web.lib.sh
. "$SCENES/web.lib.sh"
# shellcheck source=tests/scene/dns.lib.sh
. "$SCENES/dns.lib.sh"
host us mx
cable us 10.1.0.1/24 mx 10.1.0.2/24
web_certificate 10.1.0.2 3
names_on mx 'www.example.test. A 10.1.0.2' 'example.test. MX 10 mx.example.test.' '2.0.1.10.bl.test. A 127.0.0.4' \
    '1.0.0.127.all.test. A 127.0.0.2' '2.0.1.10.all.test. A 127.0.0.2'
echo nameserver 10.1.0.2 >"$T/resolv.conf"
mount --bind "$T/resolv.conf" /etc/resolv.conf
printf '#!/bin/sh\necho "DISK CRITICAL: $1 is full"\nprintf "\\033[2J" >&2\nexit 2\n' >"$T/check"
printf '#!/bin/sh\nsleep 60\n' >"$T/sleeper"
chmod 0755 "$T/check" "$T/sleeper"
[ -x /usr/sbin/postfix ] || skip "Postfix is not installed"
[ -x /usr/sbin/dovecot ] || skip "Dovecot is not installed"

mkdir -p "$T/postfix" "$T/spool" "$T/postlib" "$T/dovecot"
chown postfix: "$T/postlib"
cp /etc/postfix/master.cf.proto "$T/postfix/master.cf" 2>/dev/null || cp /usr/share/postfix/master.cf.dist "$T/postfix/master.cf"
sed -i '/^[a-z0-9.:].*unix/ s/^\([^ ]*  *[^ ]*  *[^ ]*  *[^ ]*  *\)y/\1n/; s/^smtp  *inet.*/smtp inet n - n - - smtpd/' "$T/postfix/master.cf"
grep -q '^postlog' "$T/postfix/master.cf" || echo 'postlog unix-dgram n - n - 1 postlogd' >>"$T/postfix/master.cf"
cat >"$T/postfix/main.cf" <<CONF
queue_directory = $T/spool
data_directory = $T/postlib
myhostname = mx.example.test
mydestination =
inet_interfaces = all
alias_maps =
alias_database =
smtpd_peername_lookup = no
smtpd_tls_security_level = may
smtpd_tls_chain_files = $T/web.key, $T/web.pem
maillog_file = $T/maillog
maillog_file_prefixes = /tmp, $T
compatibility_level = 3.6
CONF
on mx postfix -c "$T/postfix" start >"$T/postfix.err" 2>&1
scene_after()
{
    on mx postfix -c "$T/postfix" stop >/dev/null 2>&1 || true
}
cat >"$T/dovecot.conf" <<CONF
base_dir = $T/dovecot
log_path = $T/dovecot.log
protocols = imap pop3
listen = 10.1.0.2
ssl = yes
ssl_cert = <$T/web.pem
ssl_key = <$T/web.key
mail_location = mbox:$T/none
passdb {
    driver = static
    args = nopassword=y
}
userdb {
    driver = static
    args = uid=65534 gid=65534 home=$T
}
CONF
start dovecot mx dovecot -F -c "$T/dovecot.conf"
# One that takes every connection and says nothing, and one that says too much.
start mute mx python3 -c '
import socket, threading, time
def chatter():
    s = socket.create_server(("10.1.0.2", 2001))
    while True:
        c, _ = s.accept()
        try:
            c.sendall(b"220-" + b"\xff\x1b[2J" * 100000 + b"\r\n")
        except OSError:
            pass
        c.close()
threading.Thread(target=chatter, daemon=True).start()
s = socket.create_server(("10.1.0.2", 2000))
kept = []
while True:
    kept.append(s.accept())'
until_true 10 on mx bash -c 'for p in 25 143 110 993 995 2000 2001; do (exec 3<>/dev/tcp/10.1.0.2/$p) || exit 1; done'

probes_on us "
    smtp: { probe: smtp, to: 10.1.0.2, every: 1s }
    smtp tls: { probe: smtp, to: 10.1.0.2, every: 1s, starttls: yes, trust: $T/web.pem }
    imap: { probe: imap, to: 10.1.0.2, every: 1s }
    imap tls: { probe: imap, to: 10.1.0.2, every: 1s, starttls: yes, trust: $T/web.pem }
    imaps: { probe: imaps, to: 10.1.0.2, every: 1s, trust: any }
    pop3 tls: { probe: pop3, to: 10.1.0.2, every: 1s, starttls: yes, trust: $T/web.pem }
    pop3s: { probe: pop3s, to: 10.1.0.2, every: 1s, trust: $T/web.pem }
    names: { probe: dns, to: 10.1.0.2, ask: www.example.test, content: 10.1.0.2 }
    mx: { probe: dns, to: 10.1.0.2, ask: example.test, type: MX, content: mx.example.test }
    ping: { probe: echo, to: 10.1.0.2 }
    by name: { probe: tcp, to: 'www.example.test:25' }
    no list: { probe: dnslist, to: bl.test, ask: 10.1.0.9 }
    program: { probe: exec, to: /usr/bin/test -d /, every: 1s }
    list: { probe: dnslist, to: bl.test, ask: 10.1.0.2 }
    all list: { probe: dnslist, to: all.test, ask: 10.1.0.2 }
    check: { probe: exec, to: $T/check /var, every: 1s }
    sleeper: { probe: exec, to: $T/sleeper, every: 1s, within: 1s }
    wrong names: { probe: dns, to: 10.1.0.2, ask: www.example.test, content: 10.1.0.3 }
    no name: { probe: dns, to: 10.1.0.2, ask: nobody.example.test }
    unknown: { probe: imaps, to: 10.1.0.2, every: 1s, within: 10s }
    wrong: { probe: imap, to: '10.1.0.2:25', every: 1s, within: 10s }
    mute: { probe: smtp, to: '10.1.0.2:2000', every: 1s, within: 2s }
    chatter: { probe: smtp, to: '10.1.0.2:2001', every: 1s, within: 2s }"
until_true 40 are watch.service_seen "by name imap imap tls imaps mx names no list ping pop3 tls pop3s program smtp smtp tls"
until_true 40 are watch.service_lost "all list chatter check list mute no name sleeper unknown wrong wrong names"
why() # NAME WORDS
{
    on us serviola events --kind watch.service_lost --json | grep "\"name\":\"$1\"" >"$T/why"
    grep -- "$2" "$T/why" || fail "$(cat "$T/why")"
}
why unknown 'certificate: self-signed certificate' >/dev/null
why 'wrong' 'no IMAP' >/dev/null
why 'wrong names' 'but not with 10.1.0.3' >/dev/null
why 'no name' 'does not exist' >/dev/null
why list '10.1.0.2 is on the list (127.0.0.4)' >/dev/null
why 'all list' 'names everybody' >/dev/null
why check 'ended with code 2: DISK CRITICAL: /var is full' >/dev/null
why sleeper 'took too long\|within' >/dev/null
is_not pgrep -u root -f "$T/sleeper"
why mute 'no whole answer within 2 s' >/dev/null
on us serviola events --kind watch.service_lost | grep -q "$(printf '\033')" && fail "bytes of theirs came through"

say "days until the certificate ends are a value, and fewer than 14 are noticed"
until_true 3 prints service.imaps.days on us serviola watch
until_true 5 event us watch.noticed
prints 'certificate ends' on us serviola events --kind watch.noticed

say "Dovecot is killed: what it served is down, and nothing else"
finish dovecot KILL || true
until_true 10 are watch.service_lost "all list chatter check imap imap tls imaps list mute no name pop3 tls pop3s sleeper unknown wrong wrong names"
