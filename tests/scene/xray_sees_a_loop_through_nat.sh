#!/bin/bash
# The front listens elsewhere and the firewall redirects port 25 to it: no two ends name the same ports, and it is a loop all the same.
. "$(dirname "$0")/lib.sh"
host box
on box nft -f - <<'NFT' || skip "no NAT in this kernel"
table ip nat {
    chain out { type nat hook output priority -100; ip daddr 127.0.0.0/8 tcp dport 25 counter redirect to :2525; }
}
NFT
workers()
{
    pgrep -P "$(pid_of front)" -c || true
}
has_workers() # COUNT
{
    [ "$(workers)" -ge "$1" ]
}
start front box mail_front 2525 12 mail_callback - 25
until_true 5 on box sh -c 'ss -Htln | grep -q :2525'
start delivery box mail_callback 127.0.1.50 25 evil.test
until_true 20 has_workers 12
xray box now
shows now self_loop "mail_front (pid $(pid_of front))" "its own mail_callback" "it began with mail_callback (pid $(pid_of delivery))"
[ "$(serviola xray show "$T/now.xray" track tcp | wc -l)" -ge 12 ]
serviola xray show "$T/now.xray" rule redir | grep -q 'packets='
