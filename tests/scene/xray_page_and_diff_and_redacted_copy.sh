#!/bin/bash
# What changed is said in words; the page holds no script and nothing hostile; the copy for strangers holds no name of ours.
. "$(dirname "$0")/lib.sh"
host box other
configure box # with a journal that nobody has begun
cable box 10.1.0.2/24 other 10.1.0.1/24
xray box before
cp /bin/sleep "$T/evil<b>"
start evil box "$T/evil<b>" 60
start server other python3 -m http.server 8080
until_true 5 on other sh -c 'ss -Htln | grep -q :8080'
start client box python3 -c 'import socket, time
s = socket.create_connection(("10.1.0.1", 8080)); time.sleep(60)' maria@example.org
until_true 5 on box sh -c 'ss -Htn state established | grep -q :8080'
xray box now

say "in words"
serviola xray diff "$T/before.xray" "$T/now.xray" >"$T/changes" || [ $? = 1 ]
grep -q 'evil<b> runs: 1 process' "$T/changes"
grep -q 'listens now: tcp port 0.0.0.0:8080' "$T/changes"
serviola xray diff "$T/now.xray" "$T/now.xray"
(serviola xray diff --json "$T/before.xray" "$T/now.xray" || [ $? = 1 ]) | python3 -c '
import json, sys
assert all({"part", "how", "grade", "text"} <= set(json.loads(line)) for line in sys.stdin)'

say "as a page"
serviola xray explain "$T/now.xray" --html -o "$T/now.html"
is_not serviola xray explain "$T/now.xray" --html -o "$T/now.html"
is_not grep -q '<script\|<b>\|src=\|href=' <(sed 's/<b>\((likely) \)\?<\/b>//g' "$T/now.html")
grep -q 'evil&lt;b&gt;' "$T/now.html"
is_not grep -qP '[\x00-\x09\x0b-\x1f\x7f]' "$T/now.html"

say "for strangers"
serviola xray redact "$T/now.xray" -o "$T/public.xray"
tar --zstd -xOf "$T/public.xray" >"$T/public.txt"
is_not grep -qF 10.1.0. "$T/public.txt"
is_not grep -qF maria "$T/public.txt"
tar --zstd -xOf "$T/public.xray" manifest.json host.jsonl >"$T/who.txt"
[ "$(grep -c host-1 "$T/who.txt")" = 2 ]
is_not grep -qF "\"name\":\"$(hostname)\"" "$T/who.txt"
grep -qF 198.18.0. "$T/public.txt"

say "whom it is signed by"
prints "not signed" serviola xray show "$T/now.xray"
