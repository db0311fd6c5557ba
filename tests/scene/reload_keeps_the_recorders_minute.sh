#!/bin/bash
# A reload that the watch can't take over while it runs starts it anew: it ends in order, and the seconds that it had not
# yet written are there afterwards.
. "$(dirname "$0")/lib.sh"
host box
serviola_on box "hunt: { mode: off }"
until_true 8 on box serviola top --at 3s
before=$(date '+%F %T' -d '1 second ago')
was=$(pgrep -P "$(pid_of serviola-box)" -f '^serviola -x watch$')
configure box "hunt: { mode: off }
watch: { read_disks: no }"
kill -HUP "$(pid_of serviola-box)"
another_watcher()
{
    local now

    now=$(pgrep -P "$(pid_of serviola-box)" -f '^serviola -x watch$') && [ "$now" != "$was" ]
}
until_true 10 another_watcher
until_true 5 on box serviola top --at "$before"
[ "$(events box role.died)" = 0 ]
