#!/bin/bash
# Rules for lines, logcheck's and our own, are read again while lines come: each line is judged, by the old ones or the new.
. "$(dirname "$0")/lib.sh"
host box
rules=$T/logcheck
install -d -m 0755 "$rules/cracking.d" "$rules/violations.d" "$rules/ignore.d.server"
cat >"$rules/cracking.d/app" <<'RULES'
^\w{3} [ :0-9]{11} [._[:alnum:]-]+ app\[[0-9]+\]: the vault was opened
RULES

with_rules() # YAML
{
    configure box "
hunt: { mode: off }
watch: { mode: off }
log:
  mode: keep
  folder: $T/box.state/log
  tcp: \"127.0.0.1:5514\"
  analyse:
    logcheck: $rules
    rules:
$1"
}
with_rules '      first: { match: "old word [0-9]+", means: attack }'
start serviola-box box serviola run --no-console
until_true 10 event box log.started

sent=0
send() # TEXT [COUNT]
{
    on box python3 - "$1" "${2:-1}" <<'PYTHON'
import socket, sys, time
s = socket.create_connection(("127.0.0.1", 5514))
stamp = time.strftime("%b %e %H:%M:%S")
s.sendall(b"".join(b"<13>%s web1 app[7]: %s %d\n" % (stamp.encode(), sys.argv[1].encode(), n) for n in range(int(sys.argv[2]))))
PYTHON
    sent=$((sent + ${2:-1}))
}

says() # RULE WORDS: it was told
{
    on box serviola events --kind log.found --json | grep "\"rule\":\"$1\"" | grep -q "$2"
}

say "our own rule and logcheck's: both are told"
send 'old word'
send 'the vault was opened'
send 'new word'
until_true 10 says rule_attack 'old word'
until_true 10 says rule_attack 'vault was opened'

say "other rules, while lines come"
with_rules '      second: { match: "new word [0-9]+", means: violation }
      third: { match: "the vault was opened", means: harmless }'
send 'a plain line' 20000 &
kill -HUP "$(pid_of serviola-box)"
wait $!
sent=$((sent + 20000))
until_true 10 grep -q 'rules for lines hold from line [0-9]* on' "$T/serviola-box.err"
hold()
{
    [ "$(grep -c 'rules for lines hold' "$T/serviola-box.err")" -ge 2 ]
}
until_true 10 hold
send 'new word'
until_true 10 says rule_violation 'new word'

say "since a rule says what is harmless, a kind that no rule knows is told: once"
unknown()
{
    [ "$(on box serviola events --kind log.unknown --json | grep -c 'strange news' || true)" = "$1" ]
}
send 'strange news' 50
until_true 10 unknown 1
send 'strange news' 50
send 'new word'
lines_of_status()
{
    on box serviola status --json | grep -o '"lines":{.*}' | grep '"received":20' | grep '"rules":5,' | grep -v '"unknown":0}'
}
until_true 10 lines_of_status
until_true 10 prints 'Analysis    lines behind: 0; rules: 5, ' on box serviola status

say "ten more reloads leave no descriptor open"
descriptors()
{
    find "/proc/$(part_pid box log)/fd" -mindepth 1 | wc -l
}
before=$(descriptors)
for _ in $(seq 10); do
    on box serviola reload
done
hold_again()
{
    [ "$(grep -c 'rules for lines hold' "$T/serviola-box.err")" -ge 3 ]
}
until_true 20 hold_again
as_many()
{
    [ "$(descriptors)" -le "$before" ]
}
until_true 20 as_many

say "rules that are none leave the old ones in force"
with_rules '      broken: { match: "new ((word", means: attack }'
kill -HUP "$(pid_of serviola-box)"
until_true 10 grep -q 'not taken, the old ones stay' "$T/serviola-box.err"

say "no line was lost, and none was told that no rule means"
kept()
{
    [ "$(serviola log show --store "$T/box.state/log" --count)" = "$sent" ]
}
until_true 10 kept
[ "$(on box serviola events --kind log.found --json | grep -c '"rule":"rule_')" = 3 ]
finish serviola-box || true
