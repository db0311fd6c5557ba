#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# How long it takes to compare the files of a small system (the packages that Debian calls required, important and
# standard) with what their packages say: all of them read, and nothing changed since.  Beside it, in turn: SHA-256 of
# the same files, which is the least that one who wants to know what they hold can do, and dpkg's own sums by md5sum.
# usage: packages.sh [ROUNDS]    Needs root: it hides the other packages' lists in a namespace of its own.
# What the picture costs without packages is taken off.  Cold: nothing of the files is in memory.
# With BENCH_STRICT=1 the exit code is 1 when a cold pass takes more than 1.2 times SHA-256, or one with nothing changed
# more than 0.1 s.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
rounds=${1:-5}
serviola=${SERVIOLA_BUILD:-$here/../../build}/serviola
[ "$(id -u)" = 0 ] || { echo "skipped: it makes namespaces, which needs root"; exit 77; }
[ -x "$serviola" ] || { echo "no $serviola: ninja -C ${SERVIOLA_BUILD:-build}"; exit 3; }
if [ -z "${PACKAGES_BENCH_INSIDE-}" ]; then
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    status=0
    PACKAGES_BENCH_INSIDE=$work unshare --mount bash "$0" "$rounds" || status=$?
    exit $status
fi

work=$PACKAGES_BENCH_INSIDE
mkdir "$work/info" "$work/cache"
# shellcheck disable=SC2016 # ${...} is dpkg-query's
dpkg-query -W -f '${Priority} ${Package} ${Architecture}\n' | while read -r priority name arch; do
    case $priority in required | important | standard) ;; *) continue ;; esac
    for of in "$name" "$name:$arch"; do
        for kind in md5sums list; do
            [ ! -f "/var/lib/dpkg/info/$of.$kind" ] || cp -p "/var/lib/dpkg/info/$of.$kind" "$work/info"
        done
    done
done
mount --bind "$work/info" /var/lib/dpkg/info
mkdir -p /var/lib/serviola
mount --bind "$work/cache" /var/lib/serviola
(cd / && cat "$work"/info/*.md5sums | while read -r _ file; do [ ! -f "$file" ] || printf '%s\0' "$file"; done) >"$work/files"
cat "$work"/info/*.md5sums >"$work/sums"
(cd / && du -cDb --files0-from="$work/files") | awk -v lists="$(find "$work/info" -name '*.md5sums' | wc -l)" 'END {
    printf "%d packages, %d files, %.1f MB\n", lists, NR - 1, $1 / 1e6 }'

forget() # all that is in memory of files, when the kernel lets us
{
    sync
    (echo 3 >/proc/sys/vm/drop_caches) 2>/dev/null
}
sha256() { (cd / && xargs -0 openssl dgst -sha256 <"$work/files" >/dev/null); }
md5() { (cd / && md5sum -c --quiet "$work/sums" >/dev/null 2>&1) || true; }
picture() { "$serviola" xray --force -o "$work/a.xray" >/dev/null 2>&1 || [ $? -lt 3 ]; }
with_packages() { "$serviola" xray --packages --force -o "$work/a.xray" >/dev/null 2>&1 || [ $? -lt 3 ]; }
anew() { rm -rf "$work/cache/xray"; }

seconds() # COMMAND
{
    local from

    from=$(date +%s%N)
    "$@"
    awk -v ns=$(($(date +%s%N) - from)) 'BEGIN { print ns / 1e9 }'
}
median() # OF NAME
{
    sort -n "$work/$1" | awk '{ at[NR] = $1 } END { print at[int((NR + 1) / 2)] }'
}

for ((i = 0; i < rounds; i++)); do
    if forget; then
        seconds sha256 >>"$work/sha.cold"
        forget
        seconds md5 >>"$work/md5.cold"
        forget
        seconds picture >>"$work/picture.cold"
        anew
        forget
        seconds with_packages >>"$work/ours.cold"
    fi
    seconds sha256 >>"$work/sha.warm"
    seconds md5 >>"$work/md5.warm"
    seconds picture >>"$work/picture.warm"
    anew
    seconds with_packages >>"$work/ours.warm"
    sleep 0.1 # a cache that was written in the same tick as a file is no proof
    seconds with_packages >>"$work/ours.same"
done
for temperature in cold warm; do
    [ -f "$work/sha.$temperature" ] || { echo "not measured when cold: the kernel does not forget its files here"; continue; }
    awk -v t=$temperature -v sha="$(median sha.$temperature)" -v md5="$(median md5.$temperature)" \
        -v picture="$(median picture.$temperature)" -v all="$(median ours.$temperature)" 'BEGIN {
        ours = all - picture
        printf "%s: ours %.3f s, SHA-256 of the files %.3f (%.2f times), md5sum -c %.3f; the picture itself %.3f\n",
               t, ours, sha, ours / sha, md5, picture
        exit t == "cold" && ours > 1.2 * sha }' || missed=1
done
awk -v picture="$(median picture.warm)" -v all="$(median ours.same)" 'BEGIN {
    printf "nothing changed: %.3f s\n", all - picture
    exit all - picture > 0.1 }' || missed=1
[ -z "${BENCH_STRICT-}" ] || exit "${missed:-0}"
