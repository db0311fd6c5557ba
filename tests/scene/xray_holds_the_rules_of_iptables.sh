#!/bin/bash
# Rules that iptables-legacy made are in the picture as iptables-save writes them, with their counters, also those of
# another namespace; what iptables-nft left to nft_compat has its words; and a table that is not there is not made.
. "$(dirname "$0")/lib.sh"
host box other bare
rules() # HOST iptables|ip6tables: its arguments a line, on standard input
{
    while read -r line; do
        eval "on $1 $2 -w 5 $line"
    done
}
on other iptables-legacy -w 5 -P FORWARD DROP 2>"$T/why" || skip "no iptables-legacy in this kernel: $(tail -n 1 "$T/why")"
rules other iptables-legacy <<'RULES'
-N f2b-sshd
-A f2b-sshd -s 203.0.113.9 -j REJECT --reject-with icmp-port-unreachable
-A f2b-sshd -j RETURN
-A INPUT -p tcp -m multiport --dports 22,2222:2230 -j f2b-sshd
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT ! -s 192.0.2.0/24 -i eth+ -p tcp --dport 25 --syn -m limit --limit 3/min --limit-burst 7 -m comment --comment 'the "worm"' -j LOG --log-prefix 'gusano: '
-A INPUT -p icmp --icmp-type 8 -j ACCEPT
-A INPUT -p udp --sport 53
-A INPUT -m iprange --src-range 10.0.0.1-10.0.0.9 -g f2b-sshd
-A OUTPUT -p tcp --dport 1024:65535 -m owner --uid-owner 33 -m mark ! --mark 0x1 -j f2b-sshd
-t nat -A PREROUTING -p tcp --dport 25 -j REDIRECT --to-ports 2525
-t nat -A PREROUTING -p tcp --dport 80 -j DNAT --to-destination 10.1.1.1:8080
-t nat -A POSTROUTING -s 10.0.0.0/8 -j MASQUERADE
RULES
rules other ip6tables-legacy <<'RULES'
-A INPUT -s 2001:db8::/32 -p tcp --dport 25 -j REJECT --reject-with tcp-reset
-A INPUT -p ipv6-icmp --icmpv6-type 128 -j ACCEPT
-A INPUT ! -i lo -d 2001:db8::25 -j DROP
RULES
# Of one family and one size of its own: what is counted stands there.
on other iptables-legacy -w 5 -A OUTPUT -d 127.0.0.25 -j DROP
on other bash -c 'echo worm >/dev/udp/127.0.0.25/9' 2>/dev/null || true
on box iptables-nft -A INPUT -p tcp -m multiport --dports 25,465 -m conntrack --ctstate NEW -j LOG --log-prefix 'door: '

names() # HOST
{
    on "$1" cat /proc/net/ip_tables_names /proc/net/ip6_tables_names
}
[ -z "$(names bare)" ]
on bare sleep 60 &
xray box now
kill $!
[ -z "$(names bare)" ] || fail "to look made tables: $(names bare)"

tar --zstd -C "$T" -xf "$T/now.xray" rule.jsonl note.jsonl
python3 - "$T/rule.jsonl" >"$T/seen" <<'PYTHON'
import json, sys
for r in map(json.loads, open(sys.argv[1])):
    if r["family"] in ("iptables", "ip6tables") and "hook" not in r:
        print(r["family"], r["table"], "-A", r["chain"], r["text"])
    elif r["family"] in ("iptables", "ip6tables"):
        print(r["family"], r["table"], r["hook"], r["policy"])
PYTHON
for program in iptables ip6tables; do
    on other $program-legacy-save | awk -v program=$program '/^\*/ { table = substr($0, 2) }
        /^-A/ { $0 = $0 " "; gsub(program == "iptables" ? "/32 " : "/128 ", " "); sub(" $", ""); print program, table, $0 }'
done >"$T/expected"
[ "$(wc -l <"$T/expected")" -eq 16 ] || fail "expected: $(cat "$T/expected")"
diff <(sort "$T/expected") <(grep -- ' -A ' "$T/seen" | sort) || fail "the picture has other rules than iptables-save"
grep -qx 'iptables filter forward drop' "$T/seen"
grep -qx 'iptables filter input accept' "$T/seen"
on box serviola xray show "$T/now.xray" rule 127.0.0.25 | grep -q 'packets=1  bytes=33'
on box serviola xray show "$T/now.xray" rule door | grep -qF -- '-m multiport --dports 25,465'
on box serviola xray show "$T/now.xray" rule door | grep -qF -- '--ctstate NEW'
! grep -q iptables "$T/note.jsonl" || fail "$(grep iptables "$T/note.jsonl")"
