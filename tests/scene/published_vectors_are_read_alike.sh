#!/bin/bash
# The messages of rsyslog's and syslog-ng's own tests: priority, stamp, host, program and process are what they expect, or the
# difference is one of those listed here with its reason.
. "$(dirname "$0")/lib.sh"
data=${SERVIOLA_DATA:-$(dirname "$0")/../../../shared/data}/log/vectors
[ -e "$data/syslogng_msgparse.json" ] || skip "no vectors: $data/syslogng_msgparse.json"
host box
cat >"$T/vectors.py" <<'PYTHON'
import json, re, socket, sys, time
data, what = sys.argv[1], sys.argv[2]
vectors = []
for v in json.load(open(data + "/syslogng_msgparse.json")):
    if v["program"] == "syslog-ng" or "EXPECT_HOSTNAME" not in v["flags"] and "PROTOCOL" not in v["flags"]:
        continue # what syslog-ng says itself, and what it is told to read without a host
    expected = {"pri": int(v["pri"]), "host": v["host"] or None, "program": v["program"] or None}
    if v["pid"]:
        expected["pid"] = v["pid"]
    if re.search(r"\d\d:\d\d:\d\d(\.\d+)?([+-]\d\d:\d\d|Z)", v["input"]): # else it is of a zone of their own
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(v["stamp_sec"]))
        expected["stamp"] = "%s.%06dZ" % (stamp, v["stamp_usec"])
    vectors.append((v["input"], expected))
for v in json.load(open(data + "/rsyslog_parse.json")):
    if not v.get("template", "").startswith("%PRI%,") or "%hostname%,%programname%,%syslogtag%" not in v["template"] or "input" not in v:
        continue
    fields = v["expected"].split(",")
    at = 4 if "%timestamp" in v["template"] else 3
    expected = {"pri": int(fields[0]), "host": fields[at], "program": fields[at + 1] or None}
    vectors.append((v["input"], expected))
if what == "send":
    s = socket.create_connection(("127.0.0.1", 5514))
    for text, _ in vectors:
        s.sendall(text.encode("utf8", "surrogateescape") + b"\n")
    print(len(vectors))
    sys.exit()
rows = [json.loads(line) for line in sys.stdin]
assert len(rows) == len(vectors), (len(rows), len(vectors))
known = [tuple(l.split("\t")[:2]) for l in open(sys.argv[3]).read().splitlines()]
bad, seen = 0, set()
for (text, expected), row in zip(vectors, rows):
    found = {"pri": row["facility"] * 8 + row["severity"], "host": row.get("host") or None, "program": row.get("program") or None,
             "pid": str(row.get("pid") or ""), "stamp": row.get("stamp")}
    for key, value in expected.items():
        if value == "$RS_HOSTNAME": # their own name, where the message has none
            value = None
        if found[key] == value:
            continue
        listed = [k for k in known if text.startswith(k[0]) and k[1] == key]
        if listed:
            seen.update(listed)
        else:
            bad += 1
            print("%s\t%s\texpected %r, found %r" % (text[:60], key, value, found[key]))
for k in known:
    if k not in seen:
        bad += 1
        print("no difference any more:", k)
sys.exit(bad > 0)
PYTHON
# beginning, field, reason
cat >"$T/known" <<'END'
<7>2006-10-29T02:00:00.156+01:00 %bzorp	host	a name is a name, whatever characters are in it
<7>2006-10-29T02:00:00.156+01:00 %bzorp	program	the same
<7>2006-10-29T02:00:00.156+01:00 ctld	host	that test lists this word as no host
<7>2006-10-29T02:00:00.156+01:00 ctld	program	the same
<7> Aug 29 02:00:00.156789 ctld	host	the same
<7> Aug 29 02:00:00.156789 ctld	program	the same
<7> Aug 29 02:00:00 ctld	host	the same
<7> Aug 29 02:00:00 ctld	program	the same
<132>1 2006-10-29T01:59:59.156+01:00 mymachine evntslog aaaa	pid	a process is a number
<167>AUG 10 22:18:24 host tag	program	a word without colon or number behind it belongs to the text
<6>AUG 10 22:18:24 host tag	program	the same
<167>Oct  8 23:05:06 10.321.1.123	program	the same
Feb 18 16:01:59 serverX	program	the same
<14>2010-08-30T23:00:05Z X4711 AAAA	program	the same
<6>AUG 10 22:18:24 2009	host	a year is no host
<14>Aug 30 23:00:05 X4711	host	a word alone may be a host or a text: it is left as a text
<14>2010-08-30T23:00:05Z X4711	host	the same
END
start receiver box serviola log receive --store "$T/store" --tcp 127.0.0.1:5514
until_true 10 grep -q log.started "$T/receiver.err"
on box python3 "$T/vectors.py" "$data" send >"$T/sent"
kept()
{
    [ "$(serviola log show --store "$T/store" --count)" = "$(cat "$T/sent")" ]
}
until_true 10 kept
serviola log show --json --store "$T/store" | python3 "$T/vectors.py" "$data" compare "$T/known"
say "$(cat "$T/sent") messages, $(wc -l <"$T/known") fields that differ on purpose"
finish receiver
