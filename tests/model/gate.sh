#!/bin/bash
# gate.sh: the connections that one client can cause are bounded (gate.pml); and without any of the fences they are not.
set -eu
model=$(cd "$(dirname "$0")" && pwd)/gate.pml
command -v spin >/dev/null || { echo "skipped: spin is not installed"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# `errors WORDS -D...`: how many errors the exhaustive search finds; it must have been exhaustive.
errors()
{
    spin -a "$@" "$model" >spin.log 2>&1 || { cat spin.log; exit 1; }
    gcc -std=gnu99 -O1 -w -DSAFETY -o pan pan.c
    ./pan -m100000 >pan.log
    ! grep -q 'max search depth too small\|out of memory' pan.log || { cat pan.log; exit 1; }
    sed -n 's/.*errors: \([0-9]*\).*/\1/p' pan.log
}

hold()
{
    local what=$1 states

    shift
    [ "$(errors "$@")" = 0 ] || { echo "NOT TRUE: $what"; cat pan.log; exit 1; }
    states=$(sed -n 's/ *\([0-9]*\) states, stored.*/\1/p' pan.log)
    echo "true in all $states states: $what"
}

fail()
{
    local what=$1

    shift
    [ "$(errors "$@")" != 0 ] || { echo "NOT TRUE: $what"; exit 1; }
    echo "found: $what"
}

hold "two gates with different secrets: at most 2 mails, 2 connections to a server, 3 callbacks"
hold "two gates with one secret: at most 2 mails, 2 connections to a server, 2 callbacks" -DSHARED=1
fail "without the look at our own address, mail goes round" -DSELF=0
fail "without memory of callbacks, two gates call each other without end" -DMEMORY=0
fail "without the token, gates of one secret call each other back" -DSHARED=1 -DTOKEN=0
