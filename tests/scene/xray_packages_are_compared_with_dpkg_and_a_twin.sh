#!/bin/bash
# A file of a package that was changed, one that is gone, one with other rights and one of no package are told, each with what it is;
# and the same, seen from a healthy twin's list.
. "$(dirname "$0")/lib.sh"
[ -s /var/lib/dpkg/info/coreutils.md5sums ] || skip "dpkg knows no sums of coreutils here"
host box
(cd / && sha256sum usr/bin/who usr/bin/nice usr/bin/ls usr/bin/env >"$T/twin")
changeable() # FOLDER
{
    local room

    room=$(mktemp -d -p "$T")
    mkdir "$room/upper" "$room/work"
    mount -t overlay overlay -o "lowerdir=$1,upperdir=$room/upper,workdir=$room/work" "$1" ||
        skip "an overlay can't be mounted here"
}
# Within an hour of unpacking rights are still the package's own doing (MODE_SLACK_S): a fresh Debian can't show them.
rights="mode /usr/bin/ls"
[ "$(stat -c %Z /var/lib/dpkg/info/coreutils.list)" -lt $(($(date +%s) - 3700)) ] || rights=
changeable /usr/bin
changeable /var/lib/dpkg/info
find /var/lib/dpkg/info -name '*.md5sums' ! -name coreutils.md5sums -delete # the others are only time
[ ! -d /var/lib/serviola ] || mount -t tmpfs cache /var/lib/serviola # what it remembers is not to stay

told() # NAME: kind and path, of those in /usr/bin (packages may still call it /bin)
{
    tar --zstd -xOf "$T/$1.xray" package.jsonl | python3 -c '
import json, sys
for p in map(json.loads, sys.stdin):
    if p["path"].startswith(("/usr/bin/", "/bin/")):
        print(p["what"], "/usr/bin/" + p["path"].rpartition("/")[2])' | sort
}
say "before"
on box serviola xray --packages --force -o "$T/before.xray"
told before >"$T/before.list"

printf X | dd of=/usr/bin/who bs=1 seek=200 conv=notrunc status=none
rm /usr/bin/nice
chmod 4755 /usr/bin/ls
cp /usr/bin/env /usr/bin/lz

say "after"
on box serviola xray --packages --force -o "$T/own.xray"
serviola explain --json "$T/own.xray" >"$T/own.found" || [ $? = 1 ]
told own | comm -13 "$T/before.list" - >"$T/own.list"
printf '%s\n' "changed /usr/bin/who" "missing /usr/bin/nice" ${rights:+"$rights"} "unpackaged /usr/bin/lz" |
    diff - "$T/own.list" || fail "other lists than the four"
shows own changed_package "/usr/bin/who (coreutils"
shows own changed_package "/usr/bin/nice (coreutils"
[ -z "$rights" ] || shows own changed_package "/bin/ls"
shows own changed_package "/usr/bin/lz"

say "from the twin's list"
on box serviola xray --against "$T/twin" --force -o "$T/twin.xray"
told twin | grep -v unpackaged >"$T/twin.list"
printf '%s\n' "changed /usr/bin/who" "missing /usr/bin/nice" | diff - "$T/twin.list" || fail "the twin tells otherwise"
