#!/bin/bash
# A bounce waits in the greylist as others do, and passes when it comes again, postmaster's mail as well; of a thousand
# recipients in one session each is answered, those beyond the limit with 452, and the message goes to the others.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gate.lib.sh"
gate_house
mx_sink_on
gate_on 'greet_after: 0, checks: { greylist: all, rdns: off, confirmed: off, generic: off, callback: off, bogus_mx: off }' \
    '  greylist: { delay: 1s, window: 1h, spf: no }'
gate_takes_mail

sends() # SENDER RECIPIENT
{
    on far smtp --src "${far}2" "${far}1" 25 "EHLO far.test" "MAIL FROM:<$1>" "RCPT TO:<$2>" DATA "@mail 100" QUIT
}

for to in b@example.com postmaster@example.com; do
    say "a bounce for $to"
    prints "451 4.7.1" sends "" $to
    tells "greylisted, please come again" "${far}2"
    until_true 10 prints queued sends "" $to
done
until_true 5 grep -q '<> <postmaster@example.com>' "$T/mail"
tells "came again" gate.greylist_passed

say "a thousand recipients"
finish serviola-mx
gate_on "greet_after: 0, checks: { $quiet }" '  limits: { recipients: 300 }'
gate_takes_mail
gate_pid
memory=$(memory_kb)
on far python3 - "${far}1" >"$T/codes" <<'END'
import collections, smtplib, sys
s = smtplib.SMTP(sys.argv[1], 25, timeout=30)
s.ehlo("far.test")
s.mail("news@far.test")
print(dict(collections.Counter(s.rcpt("u%d@example.com" % i)[0] for i in range(1000))))
print(s.data("Subject: x\r\n\r\nx\r\n")[0])
s.quit()
END
grep -q '250: 300, 452: 700' "$T/codes" || fail "$(cat "$T/codes")"
grep -qx 250 "$T/codes"
tells "from <news@far.test>" gate.session_passed
until_true 5 eval '[ "$(tail -n 1 "$T/mail" | grep -o "@example.com>" | wc -l)" = 300 ]'
say "memory $memory, then $(memory_kb) KiB"
[ -n "${SCENE_SLOW-}" ] || [ "$(memory_kb)" -le $((memory + 2048)) ] || fail "memory grew"
