# What runs on the other side of `diagnose --on`, as any POSIX shell, busybox's too. Variables are set before it:
# version machine room_kb size config_size, and the arguments of the tool as "$@". It is spoken with in turns on stdin and stdout,
# since `head` may read more than it was asked for. When stdin ends, the connection has: the tool is stopped and its folder removed.
LC_ALL=C
umask 077
place='' tool='' watch=''
exec 3<&0

say() { echo "diagnose-reach $*"; }
fail() {
    say failed "$*"
    exit 3
}
clean() {
    trap '' HUP INT TERM PIPE
    [ -z "$tool" ] || kill "$tool" 2>/dev/null
    [ -z "$watch" ] || kill "$watch" 2>/dev/null
    [ -z "$place" ] || rm -rf "$place"
}
trap clean EXIT
trap 'exit 3' HUP INT TERM PIPE

installed() { # the tool in the same version, or nothing
    for program in diagnose /opt/diagnose/diagnose; do
        found=$("$program" --version </dev/null 2>/dev/null)
        [ "$found" != "diagnose $version" ] || { echo "$program"; return; }
    done
}
free_kb() { # folder
    df -Pk "$1" 2>/dev/null | while read -r _ _ _ free _; do echo "$free"; done | tail -n 1
}
free_memory_kb() {
    while read -r name value _; do [ "$name" != MemAvailable: ] || echo "$value"; done </proc/meminfo 2>/dev/null
}
fits() { # folder, KiB: makes a folder in it where programs can run, or says why not
    [ -n "$1" ] && [ -d "$1" ] && [ -w "$1" ] || return 1
    free=$(free_kb "$1")
    [ "${free:-0}" -ge "$2" ] || { why="$why; $1 has ${free:-no} KiB free"; return 1; }
    case $1 in
    /dev/shm | /run*)
        # A host that is short of memory keeps it; twice the room is asked for.
        memory=$(free_memory_kb)
        [ "${memory:-0}" -ge $(($2 * 2)) ] || { why="$why; $1 is memory, of which ${memory:-no} KiB are available"; return 1; }
        ;;
    esac
    made=$1/diagnose.$$.$(date +%s)
    mkdir "$made" 2>/dev/null || { why="$why; $1 cannot be written"; return 1; }
    place=$made
    printf '#!/bin/sh\nexit 0\n' >"$place/runs" && chmod 700 "$place/runs"
    "$place/runs" 2>/dev/null && rm "$place/runs" && return 0
    rm -rf "$place"
    place='' why="$why; $1 is mounted noexec"
    return 1
}
find_room() { # KiB
    why=''
    for base in /dev/shm "${XDG_RUNTIME_DIR:-}" /run /tmp /var/tmp "${HOME:-}"; do
        fits "$base" "$1" && return
    done
    fail "there is no room for $1 KiB that programs can run from${why}"
}

program=$(installed)
if [ -z "$program" ]; then
    here=$(uname -m)
    say ship "$here"
    # The other side knows now for which machine; it answers with the figures, or goes away.
    read -r machine room_kb size <&3 || exit 3
    [ "$machine" = "$here" ] || fail "the folder is for $machine, and this host is $here"
    find_room "$room_kb"
    say send "$place"
    head -c "$size" <&3 | (cd "$place" && tar -xzof -) || fail "the archive cannot be unpacked in $place"
    program=$place/diagnose/diagnose
    [ -x "$program" ] || fail "the archive did not arrive whole in $place"
fi
if [ "$config_size" -gt 0 ]; then
    [ -n "$place" ] || find_room 64
    say config
    head -c "$config_size" <&3 >"$place/config.toml"
    command=$1
    shift
    set -- "$command" --config "$place/config.toml" "$@"
fi
say run "$program"
"$program" "$@" </dev/null &
tool=$!
(
    cat <&3
    kill "$tool"
    sleep 2
    kill -9 "$tool"
    [ -z "$place" ] || rm -rf "$place"
) >/dev/null 2>&1 &
watch=$!
wait "$tool"
code=$?
tool=''
exit "$code"
