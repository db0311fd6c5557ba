#!/bin/bash
# 3,000 clients without a reverse name come at once: no more callbacks are under way than the budget has, the rest of
# them are asked to come again, and a client with a name is served meanwhile.
# alone
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gate.lib.sh"
gate_house
on far ip route add local 45.1.0.0/16 dev lo
on mx ip route add 45.1.0.0/16 via 44.1.0.2
on far nft -f - <<'END'
table inet deaf {
  chain input {
    type filter hook input priority 0; policy accept;
    ip daddr 45.1.0.0/16 tcp dport 25 drop
  }
}
END
cat >"$T/unbound.conf" <<END
server:
  interface: 44.1.0.2
  access-control: 0.0.0.0/0 allow
  do-daemonize: no
  username: ""
  chroot: ""
  directory: "$T"
  pidfile: ""
  use-syslog: no
  local-zone: "." static
  local-data: "friend.example. A 44.1.0.3"
  local-data-ptr: "44.1.0.3 friend.example"
END
start dns far unbound -c "$T/unbound.conf"
until_true 5 on far sh -c 'ss -Hlun | grep -q 44.1.0.2'
mx_sink_on
gate_on 'greet_after: 0, checks: { greylist: flagged, rdns: note, generic: off, callback: refuse, limits: off }' \
    '  callback: { connect: 3s, in_flight: 40 }
  dns: { servers: ["44.1.0.2:53"], try: 1s, total: 3s }
  limits: { places: 4000 }'
gate_takes_mail

say "they all say EHLO, MAIL and RCPT"
cat >"$T/storm.py" <<'END'
import asyncio, collections, sys

many, answers = int(sys.argv[1]), collections.Counter()

async def client(n):
    try:
        r, w = await asyncio.open_connection("44.1.0.1", 25, local_addr=("45.1.%d.%d" % (n % 250, n // 250 + 1), 0))
        await r.readline()
        w.write(b"EHLO storm.test\r\n")
        while (await r.readline())[3:4] == b"-":
            pass
        for line in b"MAIL FROM:<>\r\n", b"RCPT TO:<b@example.com>\r\n":
            w.write(line)
            said = await r.readline()
        answers[said[:3].decode()] += 1
        w.close()
    except OSError as e:
        answers[type(e).__name__] += 1

async def main():
    await asyncio.gather(*(client(n) for n in range(many)))

asyncio.run(main())
print(dict(answers))
END
start storm far python3 "$T/storm.py" 3000
most=0
while [ -d "/proc/$(pid_of storm)" ]; do
    now=$(on mx ss -Htn state syn-sent '( dport = :25 )' | grep -c . || true)
    [ "$now" -le "$most" ] || most=$now
    [ -n "${friend-}" ] || friend=$(on far smtp --src 44.1.0.3 --wait 5 44.1.0.1 25 "EHLO friend.example" "MAIL FROM:<>" "RCPT TO:<b@example.com>" QUIT | tail -n 2 | head -n 1)
done
cat "$T/storm.out"
say "at most $most callbacks at once"
[ "$most" -ge 10 ] || fail "nobody was called back"
[ "$most" -le 40 ] || fail "$most callbacks at once"
[[ $friend == 250* ]] || fail "a client with a name heard: $friend"
until_true 5 event mx gate.callback_budget
grep -qx "{'451': 3000}" "$T/storm.out" || fail "not everybody was asked to come again"
