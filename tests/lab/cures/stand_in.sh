#!/bin/sh
# systemctl as far as runbook pages need it, in a box without systemd: its units are the processes of the box.
# The command line and the environment of each are noted in /run/lab, so that a unit that has ended is started as it was.
PATH=/usr/sbin:/usr/bin:/sbin:/bin
notes=/run/lab
mkdir -p $notes

pid_of() {
    for status in /proc/[0-9]*/status; do
        pid=${status#/proc/}
        pid=${pid%/status}
        [ "$(cat /proc/$pid/comm 2>/dev/null)" = "$1" ] || continue
        grep -q '^State:.Z' $status 2>/dev/null && continue
        [ "$1" = dockerd ] || [ "$(cat /proc/"$(awk '/^PPid/{print $2}' $status)"/comm 2>/dev/null)" != dockerd ] || continue
        echo $pid
        return
    done
}

note() {
    pid=$(pid_of $1)
    [ -n "$pid" ] || return 0
    cp /proc/$pid/cmdline $notes/$1.argv
    cp /proc/$pid/environ $notes/$1.environ
}

stop() {
    note $1
    pid=$(pid_of $1)
    [ -n "$pid" ] || return 0
    kill -TERM $pid
    for _ in $(seq 200); do
        [ -n "$(pid_of $1)" ] || return 0
        sleep 0.1
    done
    kill -KILL $pid
    sleep 0.2
}

start() {
    [ -z "$(pid_of $1)" ] || return 0
    [ -e $notes/$1.argv ] || printf '%s\0' $1 >$notes/$1.argv
    # a path of the engine's own comes with its environment
    (
        [ ! -e $notes/$1.environ ] || PATH=$(tr '\0' '\n' <$notes/$1.environ | sed -n 's/^PATH=//p')
        [ ! -e $notes/environment ] || . $notes/environment
        export PATH
        xargs -0 sh -c 'setsid "$@" </dev/null >>/var/log/docker.log 2>&1 &' sh <$notes/$1.argv
    )
    for _ in $(seq 400); do
        case $1 in
        dockerd) curl -sf -m 2 --unix-socket /run/docker.sock http://docker/_ping >/dev/null && return 0 ;;
        containerd) [ -S /run/containerd/containerd.sock ] && sleep 1 && return 0 ;;
        esac
        sleep 0.1
    done
    return 1
}

# what a unit of one's own says, with its drop-ins: the last line of a key counts
said() {
    cat /etc/systemd/system/$1 /etc/systemd/system/$1.d/*.conf 2>/dev/null | sed -n "s/^$2=//p" | tail -n 1
}

# a unit whose client ends at once: it stays up only where it is told to remain
own_unit() {
    unit=${2%.service}.service
    [ -e /etc/systemd/system/$unit ] || return 0
    case $1 in
    cat) cat /etc/systemd/system/$unit /etc/systemd/system/$unit.d/*.conf 2>/dev/null ;;
    stop | start | restart)
        [ $1 = start ] || sh -c "$(said $unit ExecStop)" || true
        rm -f $notes/$unit.active
        [ $1 != stop ] || return 0
        sh -c "$(said $unit ExecStart)" || return 1
        case $(said $unit RemainAfterExit) in
        yes | true | 1 | on) touch $notes/$unit.active ;;
        *) sh -c "$(said $unit ExecStop)" ;;
        esac
        ;;
    status | is-active) [ -e $notes/$unit.active ] && echo active ;;
    esac
}

verb=$1
shift
for unit; do
    case $unit in
    docker | docker.service) process=dockerd ;;
    containerd | containerd.service) process=containerd ;;
    -*) continue ;;
    *) own_unit $verb $unit || exit 1; continue ;;
    esac
    case $verb in
    note) note $process ;;
    stop) stop $process ;;
    start) start $process ;;
    restart) stop $process && start $process ;;
    reload) kill -HUP "$(pid_of $process)" ;;
    status) pid_of $process ;;
    esac || exit 1
done
exit 0
