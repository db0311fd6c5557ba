#!/bin/bash
# The second story, a thousand times as fast: a web server falls silent at 18:28 and the alarm comes within minutes, not in the morning; who is quiet by habit is left in peace.
#   away 10.1.0.2 --- 10.1.0.1 loghost
# alone, since a pause of the machine is a thousand times as long in the story
. "$(dirname "$0")/lib.sh"
command -v cc >/dev/null || skip "no compiler for the fast clock"
[ "${SCENE_SLOW:-1}" = 1 ] || skip "the fast clock can't stand before the sanitizers"
cc -O2 -shared -fPIC -o "$T/fastclock.so" "$SCENES/fastclock.c"
host away loghost
cable away 10.1.0.2/24 loghost 10.1.0.1/24

# hosts: vlnx1 web server; mx1, app1 to app3 the same, all day; backup01 from 2:00 to 2:30 alone; lab1 twice a day.
cat >"$T/replay.py" <<'PYTHON'
import random, socket, sys, time
from calendar import timegm

DAY = 86400
START = timegm((2007, 12, 5, 17, 45, 0))
random.seed(7)
TEXTS = {
    "vlnx1": ("httpd[812]: GET /page/%d 200", "crond[91]: (www) CMD (/usr/bin/report %d)"),
    "mx1": ("postfix/qmgr[77]: queue run %d", "sshd[5%d]: session closed for user ana"),
}

def at(clock):
    h, m = map(int, clock.split(":"))
    return START - START % DAY + h * 3600 + m * 60

def usual(host, gap, begin, end):
    t = begin + random.uniform(0, gap)
    while t < end:
        text = random.choice(TEXTS.get(host, ("app[12]: order %d was taken", "app[12]: order %d was sent")))
        yield t, host, text % random.randint(1, 99)
        t += gap * random.uniform(0.3, 1.7)

def evening(begin, end):
    lines = []
    for host, gap in (("vlnx1", 20), ("mx1", 15), ("app1", 20), ("app2", 20), ("app3", 20)):
        lines += usual(host, gap, begin, end)
    for day in range(int(begin) // DAY, int(end) // DAY + 1):
        lines += [l for l in usual("backup01", 10, day * DAY + 7200, day * DAY + 9000) if begin <= l[0] < end]
        lines += [(t, "lab1", "ntpd[4]: synchronized, stratum %d" % random.randint(2, 4))
                  for t in sorted(day * DAY + random.randint(0, DAY - 1) for _ in range(2)) if begin <= t < end]
    return lines

def written(t, host, text):
    return "%s %s %s" % (time.strftime("%b %e %H:%M:%S", time.gmtime(t)), host, text)

if sys.argv[1] == "history":
    for line in sorted(evening(START - 9 * DAY, START)):
        print(written(*line))
    sys.exit()

STORY = (
    "syslogd 1.4.1: restart.",
    "kernel: Linux version 2.6.18-8.el5 (mockbuild@builder) #1 SMP",
    "kernel: Memory: 4042312k/4194304k available",
    "kernel: cciss: cmd 0000010037e04380 has CHECK CONDITION sense key = 0x3",
    "kernel: Buffer I/O error on device cciss/c0d0p3, logical block 1289",
)
send = []
for t, host, text in evening(START, at("23:45")):
    if host == "vlnx1" and at("18:28") <= t < at("21:20"):
        continue
    when = at("20:00") if host.startswith("app") and at("19:30") <= t < at("20:00") else t  # held back on the way
    send.append((when, t, host, text))
send += [(at("21:20") + i / 10, at("21:20"), "vlnx1", text) for i, text in enumerate(STORY)]
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
first, times = int(sys.argv[2]) / 1e6, int(sys.argv[3])
for when, t, host, text in sorted(send):
    wait = first + (when - START) / times - time.time()
    if wait > 0:
        time.sleep(wait)
    s.sendto(("<13>" + written(t, host, text)).encode(), ("10.1.0.1", 5514))
PYTHON

say "nine days of these hosts' logs are learned from"
python3 "$T/replay.py" history >"$T/history.log"
configure loghost "
hunt: { mode: off }
watch: { mode: off }
log: { mode: keep, folder: $T/loghost.state/log, udp: \"10.1.0.1:5514\" }"
install -d -o serviola-log "$T/loghost.state/log"
serviola log analyse --year 2007 --memory "$T/loghost.state/log/learned" "$T/history.log" >"$T/before" || true
cat "$T/before"
cp "$T/loghost.state/log/learned" "$T/memory"

began_us=${EPOCHREALTIME/./}
story_us=$(date -u +%s -d "2007-12-05 17:45")000000
start replay away nice -n -10 python3 "$T/replay.py" live "$began_us" 1000
export FASTCLOCK="log 1000 $began_us $story_us"
(
    export LD_PRELOAD=$T/fastclock.so
    start serviola-loghost loghost nice -n -10 serviola run --no-console
)
until_true 10 event loghost log.started

# `found KIND RULE NAME`: how many; `when KIND RULE NAME`: the story's time of the first, in seconds since 1970.
found()
{
    on loghost serviola events --kind "$1" --json | grep "\"rule\":\"$2\"" | grep -c "\"name\":\"$3\"" || true
}
when()
{
    date +%s -d "$(on loghost serviola events --kind "$1" --json | grep "\"rule\":\"$2\"" | grep -m1 "\"name\":\"$3\"" | sed 's/.*"at":"\([^"]*\)".*/\1/')"
}
is_found()
{
    [ "$(found "$@")" -ge 1 ]
}
story_is_at() # HH:MM
{
    [ $((story_us / 1000000 + (${EPOCHREALTIME/./} - began_us) / 1000)) -ge "$(date -u +%s -d "2007-12-05 $1")" ]
}

say "18:28: the web server's last line; the alarm names it"
until_true 20 is_found log.found silence vlnx1
minutes=$((($(when log.found silence vlnx1) - $(date -u +%s -d '2007-12-05 18:28')) / 60))
say "told $minutes minutes after its last line, while the others go on"
[ $minutes -ge 5 ] && [ $minutes -le 20 ]

say "19:30: three hosts at once are one matter, the network; at 20:00 what was held back comes, and it was late"
network()
{
    on loghost serviola events --kind log.found --json | grep -q '"rule":"network_silence"'
}
until_true 20 network
late()
{
    on loghost serviola events --kind log.found_over --json | grep -q '"rule":"late"'
}
until_true 20 late

say "20:40: our own part dies by kill -9 and comes again: it blames nobody for what it did not hear, and repeats nothing"
until_true 20 story_is_at 20:40
kill -KILL "$(pgrep -f '^[^ ]*serviola -x log')"
again()
{
    [ "$(events loghost log.started)" = 2 ]
}
until_true 10 again

say "21:20: it is back, and nobody had shut it down; its controller says what it had never said"
until_true 20 is_found log.found reboot_unclean vlnx1
until_true 20 is_found log.found hardware vlnx1
until_true 20 is_found log.found first_seen vlnx1
until_true 20 is_found log.found_over silence vlnx1
until_true 20 story_is_at 22:00

say "each of it once; twins: the host that speaks at night alone, the quiet one, and all the others were never called silent"
on loghost serviola events --kind log.
counted() # KIND WORDS...: events with all of them
{
    local kind=$1 list word

    shift
    list=$(on loghost serviola events --kind "$kind" --json)
    for word in "$@"; do
        list=$(grep "$word" <<<"$list" || true)
    done
    grep -c . <<<"$list" || true
}
[ "$(counted log.found '"rule":"silence"')" = 1 ]
[ "$(counted log.found_over '"rule":"silence"')" = 1 ]
[ "$(counted log.found '"rule":"network_silence"' 'T19:')" = 1 ]
[ "$(counted log.found '"rule":"program_silence"')" = 0 ]
[ "$(counted log.found '"rule":"reboot_unclean"')" = 1 ]
prints 'CHECK CONDITION' on loghost serviola events --kind log.proof
prints 'cciss' on loghost serviola why vlnx1
silence=$(on loghost serviola events --kind log.found --json | grep -m1 '"rule":"silence"' | sed 's/.*"seq":\([0-9]*\).*/\1/')
prints 'It was over' on loghost serviola why "$silence"
finish serviola-loghost || true

say "afterwards the same is read from what is kept"
serviola log analyse --memory "$T/memory" --store "$T/loghost.state/log" >"$T/read" || true
cp "$T/loghost.state/log/learned" "$T/memory"
grep -q 'vlnx1 was silent from' "$T/read"
grep -q 'nobody had shut it down' "$T/read"
serviola log new --since reboot --host vlnx1 --memory "$T/memory" --store "$T/loghost.state/log" >"$T/new" || true
head -n 1 "$T/new" | grep 'CHECK CONDITION'
