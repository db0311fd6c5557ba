# shellcheck shell=bash
# lib - what a scene is written with: hosts, cables, a worm, a mail server, serviola, and conditions to wait for.
#
# A scene runs again inside namespaces of its own (network, mounts, processes), with its folder in memory there:
# when it ends, also by kill -9, the kernel takes hosts, cables, files and processes away, and scenes may run side by
# side.  Nothing is ever sent outside of them.  Exit code 0: true; 77: skipped, the last line says why; else: not true.
#
#   host NAME                        a host of its own; `on NAME COMMAND` runs there
#   cable A ADDR/LEN B ADDR/LEN      a cable; its end at A is the interface `B`, and the other way round;
#                                    A's default route goes over B unless it has one
#   house                            the usual picture, drawn there
#   start NAME HOST COMMAND          in the background, output in $T/NAME.out and .err; `pid_of NAME`, `finish NAME [SIGNAL]`
#   until_true SECONDS COMMAND       waits for a condition, and fails without it
#   serviola_on HOST [YAML]          configures and starts serviola there, waits until it listens on every cable
#   sink_on HOST [ARGUMENT]          a mail server; `delivered [ADDR]` counts what it accepted
#   worm                             bin/worm: see there
set -eEuo pipefail

SCENE_SELF=$(basename "$0" .sh)
SCENES=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TOP=$(cd "$SCENES/../.." && pwd)
SERVIOLA_BUILD=$(cd "${SERVIOLA_BUILD:-$TOP/build-check}" 2>/dev/null && pwd) || {
    echo "no build in ${SERVIOLA_BUILD:-build-check}: run ./check --build-only first" >&2
    exit 3
}
[ -x "$SERVIOLA_BUILD/serviola" ] || {
    echo "no serviola in $SERVIOLA_BUILD: run ./check --build-only first" >&2
    exit 3
}

if [ -z "${SCENE_INSIDE-}" ]; then
    [ "$(id -u)" = 0 ] || {
        echo "scenes need root: they make namespaces"
        exit 77
    }
    T=$(mktemp -d)
    trap 'rmdir "$T"' EXIT
    status=0
    SCENE_INSIDE=1 T=$T unshare --net --mount --pid --fork --mount-proc --kill-child=TERM bash "$0" "$@" || status=$?
    exit $status
fi

exec 3>&2 # for `fail`, also from within a condition whose output nobody wants
export T SERVIOLA_BUILD
export PATH=$SERVIOLA_BUILD:$SCENES/bin:$PATH
export PYTHONDONTWRITEBYTECODE=1
export LC_ALL=C.UTF-8
unset SERVIOLA_CONF
mount -t tmpfs -o mode=0755,size=512m scene "$T"
mkdir -p /run/netns
mount -t tmpfs -o mode=0755 netns /run/netns

say()
{
    printf -- '- %s\n' "$*"
}

fail()
{
    printf 'not true: %s\n' "$*" >&3
    exit 1
}

skip()
{
    printf 'skipped: %s\n' "$*"
    exit 77
}

# Who stops reading a pipe ends who writes into it, and with pipefail that counts: the rest is read, too.
grep() # options without a space, as in -m1
{
    local word options=yes words=0 status=0

    for word; do
        [ "$options" = yes ] && [[ $word == -* ]] || words=$((words + 1))
        [ "$word" != -- ] || options=no
    done
    command grep "$@" || status=$?
    [ "$words" -gt 1 ] || ! [ -p /dev/stdin ] || cat >/dev/null
    return $status
}

head()
{
    command head "$@"
    ! [ -p /dev/stdin ] || [ -e "${!#}" ] || cat >/dev/null
}

# --- hosts and cables

host()
{
    local name

    for name in "$@"; do
        ip netns add "$name"
        # Nobody else is there: an IPv6 address need not wait until it knows that.
        # Datagrams that wait in a UNIX socket: as many as on a host with systemd.  With the kernel's ten, Postfix's
        # postlogd waits for ever to tell itself something, and all that log wait for it.
        ip netns exec "$name" sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0 net.unix.max_dgram_qlen=512
        ip -n "$name" link set lo up
    done
}

on()
{
    local name=$1

    shift
    if [ -e "$T/$name.conf" ]; then
        SERVIOLA_CONF=$T/$name.conf ip netns exec "$name" "$@"
    else
        ip netns exec "$name" "$@"
    fi
}

cable()
{
    local a=$1 a_address=$2 b=$3 b_address=$4

    ip -n "$a" link show "$b" >/dev/null 2>&1 || {
        ip link add "$b" netns "$a" type veth peer name "$a" netns "$b"
        ip -n "$a" link set "$b" up
        ip -n "$b" link set "$a" up
    }
    address "$a" "$a_address" "$b"
    address "$b" "$b_address" "$a"
    ip -n "$a" "$(family "$a_address")" route add default via "${b_address%/*}" 2>/dev/null || true
}

family()
{
    case $1 in
    *:*) echo -6 ;;
    *) echo -4 ;;
    esac
}

address() # HOST ADDR/LEN INTERFACE
{
    case $2 in
    *:*) ip -n "$1" addr add "$2" dev "$3" nodad ;;
    *) ip -n "$1" addr add "$2" dev "$3" ;;
    esac
}

forwards()
{
    on "$1" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
}

#   pc 10.1.0.2, also .3 .4 .25 --- 10.1.0.1 wall 10.2.0.1 --- 10.2.0.2 out
#   pc fd01::2                  --- fd01::1  wall fd02::1  --- fd02::2  out
house()
{
    local more

    host pc wall out
    cable pc 10.1.0.2/16 wall 10.1.0.1/16
    cable pc fd01::2/64 wall fd01::1/64
    cable wall 10.2.0.1/24 out 10.2.0.2/24
    cable wall fd02::1/64 out fd02::2/64
    ip -n out route add default via 10.2.0.1
    ip -n out -6 route add default via fd02::1
    for more in 3 4 25; do
        address pc "10.1.0.$more/16" wall
    done
    forwards wall
}

# --- waiting and running

until_true()
{
    local deadline=$((${EPOCHREALTIME/./} + $1 * 1000000)) seconds=$1

    shift
    until "$@" >/dev/null 2>&1; do
        if [ "${EPOCHREALTIME/./}" -gt $deadline ]; then
            "$@" || true
            fail "within $seconds s: $*"
        fi
        sleep 0.02
    done
}

# `is_not COMMAND`: fails when it holds; for use under set -e, where `!` is forgiven.
is_not()
{
    if "$@" >/dev/null 2>&1; then
        fail "this holds, and must not: $*"
    fi
}

# `prints WORDS COMMAND`: the command's output contains them.
prints()
{
    local words=$1 text

    shift
    text=$("$@" 2>&1) || true
    [[ $text == *"$words"* ]] || {
        printf '%s\n' "$text" | head -n 20
        return 1
    }
}

start()
{
    local name=$1 place=$2

    shift 2
    # The shell becomes the command, so that the pid is the command's own.
    (
        [ ! -e "$T/$place.conf" ] || export SERVIOLA_CONF=$T/$place.conf
        exec ip netns exec "$place" "$@"
    ) >"$T/$name.out" 2>>"$T/$name.err" </dev/null &
    echo $! >"$T/$name.pid"
}

pid_of()
{
    cat "$T/$1.pid"
}

part_pid() # HOST PART: gate, log, watch...
{
    on "$1" serviola status --json | python3 -c 'import json, sys; print([p["pid"] for p in json.load(sys.stdin)["parts"] if p["name"] == sys.argv[1]][0])' "$2"
}

finish() # NAME [SIGNAL]: its exit code
{
    local status=0 pid

    pid=$(pid_of "$1")
    kill "-${2:-TERM}" "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || status=$?
    return $status
}

# --- serviola

# Sections that the YAML has are its own; the others are the scene's.
configure() # HOST [YAML]
{
    local yaml=${2-}

    {
        [[ $yaml =~ (^|$'\n')serviola: ]] || printf 'serviola:\n  control: %s\n' "$T/$1.state/control"
        [[ $yaml =~ (^|$'\n')journal: ]] || printf 'journal:\n  folder: %s\n' "$T/$1.state/journal"
        printf '%s\n' "$yaml"
    } >"$T/$1.conf"
    install -d -m 0755 "$T/$1.state"
}

serviola_on() # HOST [YAML [ARGUMENT...]]
{
    local place=$1

    configure "$place" "${2-}"
    serviola_again "$place" "${@:3}"
}

serviola_again() # HOST [ARGUMENT...]: with the configuration that is there
{
    local place=$1

    start "serviola-$place" "$place" serviola run --no-console "${@:2}"
    until_true 10 is_up "$place"
}

is_up() # HOST
{
    kill -0 "$(pid_of "serviola-$1")" || fail "serviola did not start on $1"
    answers "$1" && listens "$1"
}

settled() # the last that a start begins waits: nothing else wants the processors
{
    [ "$(ps -o state= -C serviola-spare)" = S ]
}

answers() # HOST: its core does; 1 is a finding
{
    local status=0

    on "$1" serviola status || status=$?
    [ $status -le 1 ]
}

listens() # HOST: on every cable, since the hunt was started last
{
    local cables

    cables=$(ip -n "$1" -o link show type veth up | wc -l)
    on "$1" serviola events --kind role.started,hunt.started,hunt.interface_lost --json | awk -F '"name":"' -v cables="$cables" '
        { name = $2; sub(/".*/, "", name) }
        /"role.started"/ && name == "hunt" { split("", up) }
        /"hunt.started"/ { up[name] = 1 }
        /"hunt.interface_lost"/ { delete up[name] }
        END { for (name in up) cables--; exit cables > 0 }'
}

# Every process of serviola's: this scene's process namespace holds no other.
serviola_processes()
{
    pgrep -f '^[^ ]*serviola(-hand)?( |$)' || true
}

crash() # HOST: kill -9 of all at once; none has time to say that another one is gone
{
    local deadline=$((${EPOCHREALTIME/./} + 5000000))

    # shellcheck disable=SC2046 # one word a process
    kill -STOP $(serviola_processes) 2>/dev/null || true
    while [ -n "$(serviola_processes)" ]; do
        # shellcheck disable=SC2046 # one word a process
        kill -KILL $(serviola_processes) 2>/dev/null || true
        [ "${EPOCHREALTIME/./}" -lt $deadline ] || fail "a process survives kill -9"
    done
    wait "$(pid_of "serviola-$1")" 2>/dev/null || true
}

event() # HOST KIND [ARGUMENT]: there is one
{
    [ -n "$(on "$1" serviola events --kind "$2" "${@:3}")" ]
}

events() # HOST KIND [ARGUMENT]: how many
{
    on "$1" serviola events --kind "$2" --json "${@:3}" | grep -c . || true
}

is_blocked() # HOST ADDR
{
    on "$1" serviola blocks | grep -wF -- "$2" >/dev/null
}

# --- the x-ray

# `xray HOST NAME`: takes a picture there, and leaves what it shows in $T/NAME.found
xray()
{
    local status=0

    on "$1" serviola xray --force -o "$T/$2.xray"
    serviola explain --json "$T/$2.xray" >"$T/$2.found" || status=$?
    [ $status -le 1 ]
}

# `shows NAME ID [WORD...]`: the picture shows it; see bin/finding
shows()
{
    finding "${@:2}" <"$T/$1.found"
}

# --- mail

sink_on() # HOST [ARGUMENT]
{
    local place=$1

    shift
    start sink "$place" sink --log "$T/mail" "$@"
    until_true 5 test -e "$T/mail"
}

delivered() # [ADDR]
{
    if [ $# = 0 ]; then
        wc -l <"$T/mail"
    else
        awk -v a="$1" '$1 == a' "$T/mail" | wc -l
    fi
}

# `few LIMIT`: at most so many messages slipped through.  That is a question of speed: a build with sanitizers
# is that many times slower (SCENE_SLOW).
few()
{
    local slipped

    slipped=$(delivered)
    say "$slipped messages left"
    [ "$slipped" -le $(($1 * ${SCENE_SLOW:-1})) ] || fail "$slipped messages left, more than $1"
}

# --- the end

scene_end()
{
    local status=$? file

    trap - EXIT ERR
    type -t scene_after >/dev/null && scene_after
    for file in "$T"/serviola-*.pid; do
        [ -e "$file" ] || continue
        finish "$(basename "$file" .pid)" || true
    done
    if grep -lE 'Sanitizer:|runtime error:|Assertion .* failed' "$T"/*.err 2>/dev/null; then
        [ $status != 0 ] || status=1
    fi
    if [ $status != 0 ] && [ $status != 77 ]; then
        for file in "$T"/*.err "$T/maillog"; do
            [ -s "$file" ] || continue
            printf '  --- %s\n' "$(basename "$file")"
            tail -n 25 "$file" | sed 's/^/  /'
        done
        for file in "$T"/*.conf; do
            [ -e "$file" ] || continue
            printf '  --- events of %s\n' "$(basename "$file" .conf)"
            on "$(basename "$file" .conf)" timeout 10 serviola events 2>&1 | tail -n 25 | sed 's/^/  /' || true
        done
    fi
    exit $status
}
trap 'printf "not true: %s line %s: %s\n" "$SCENE_SELF" "$LINENO" "$BASH_COMMAND" >&2' ERR
trap scene_end EXIT
trap 'exit 143' TERM INT HUP
