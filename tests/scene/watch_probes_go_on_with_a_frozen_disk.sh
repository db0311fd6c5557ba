#!/bin/bash
# The disk on which serviola keeps everything freezes, and then a web server dies: its loss is told from memory in time, and
# stands on the disk when that answers again.
#   us 10.1.0.1 --- web 10.1.0.2
# shellcheck source=tests/scene/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/scene/disk.lib.sh
. "$SCENES/disk.lib.sh"
# shellcheck source=tests/scene/web.lib.sh
. "$SCENES/web.lib.sh"
host us web
cable us 10.1.0.1/24 web 10.1.0.2/24
disk_on 64 "$T/disk" serviola-us
web_on web
# shellcheck disable=SC2154 # of disk_on
configure us "
journal: { folder: $disk/journal }
hunt: { mode: off }
watch:
  read_disks: no
  services:
    web: { probe: https, to: 10.1.0.2/health, content: ok, every: 1s, within: 2s, trust: $T/web.pem }"
start serviola-us us serviola run --no-console
until_true 10 answers us
start follow us serviola events --follow --json
until_true 10 grep -q watch.service_seen "$T/follow.out"

say "the disk freezes, then the server dies"
fsfreeze -f "$disk"
web_gone web
gone_us=${EPOCHREALTIME/./}
until_true 5 grep -q '"watch.service_lost"' "$T/follow.out"
say "told after $(((${EPOCHREALTIME/./} - gone_us) / 1000)) ms"
web_on web
until_true 6 grep -q '"watch.service_back"' "$T/follow.out"
until_true 3 grep -q '"scribe.stuck"' "$T/follow.out"

say "the disk answers again, and knows it afterwards"
fsfreeze -u "$disk"
until_true 5 grep -q '"scribe.back"' "$T/follow.out"
finish follow || true
finish serviola-us || true
status=0
on us serviola status --since 1h --json >"$T/told" || status=$?
[ $status = 1 ]
grep -q '"losses_count":1,' "$T/told"
