#!/bin/bash
# Notices go under TLS with a log-in, to a server found by /etc/hosts, and by https; the password is read from a file that only
# its owner may read, and stands nowhere else.  A certificate that nobody vouches for, or a password that everybody can read,
# sends nothing, and the reason is said.
. "$(dirname "$0")/lib.sh"
. "$SCENES/notice.lib.sh"
host box
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$T/key" -out "$T/certificate" -days 2 -subj /CN=mx.notices.test \
    -addext 'subjectAltName=DNS:mx.notices.test' 2>/dev/null
printf '127.0.0.1 localhost\n127.0.0.7 mx.notices.test\n' >"$T/hosts"
mount --bind "$T/hosts" /etc/hosts
printf 'gehe1m-und-lang\n' >"$T/password"
cp "$T/password" "$T/open_password"
chmod 600 "$T/password"
chmod 644 "$T/open_password"
noticed box "
    mail: { by: mail, to: admin@example.org, server: 'smtp://mx.notices.test:2525', user: me, password_file: $T/password, ca_file: $T/certificate }
    hook: { by: hook, url: 'https://mx.notices.test:8443/', ca_file: $T/certificate, token_file: $T/password }
    stranger: { by: hook, url: 'https://mx.notices.test:8443/stranger', token_file: $T/password }
    strange mail: { by: mail, to: admin@example.org, server: 'smtp://mx.notices.test:2525', user: me, password_file: $T/password }
    careless: { by: hook, url: 'https://mx.notices.test:8443/careless', ca_file: $T/certificate, token_file: $T/open_password }"
receiver box --smtp 127.0.0.7:2525 --http 127.0.0.7:8443 --certificate "$T/certificate" --key "$T/key" --user
until_true 5 on box bash -c 'exec 4<>/dev/tcp/127.0.0.7/2525'
runs box

finish drudge KILL || true
until_true 5 came mail 1
until_true 5 came post 1
say "the log-in came under TLS"
grep -q '^X-Auth: 1' "$N/mail.1"
grep -q '^Authorization: Bearer gehe1m-und-lang' "$N/post.1"

say "a stranger's certificate, and a password for everybody, send nothing"
three_stuck()
{
    [ "$(events box notify.stuck)" = 3 ]
}
until_true 5 three_stuck
prints 'certificate' on box serviola events --kind notify.stuck
prints 'chmod 600' on box serviola events --kind notify.stuck
is_not grep -lE '^/(stranger|careless)' "$N"/post.*
[ "$(grep -L '^X-Auth: 1' "$N"/mail.* | wc -l)" = 0 ]

say "but the other ways tell that these are stuck"
told_of_it()
{
    grep -qs 'notices on the way careless find no way out' "$N"/mail.*
}
until_true 5 told_of_it
grep -q 'chmod 600' "$T/serviola-box.err"

say "the password stands nowhere else"
on box serviola events --json >"$T/all"
is_not grep -r gehe1m "$T/all" "$T/serviola-box.err"
finish serviola-box || true
is_not grep -ra gehe1m "$T/box.state"
