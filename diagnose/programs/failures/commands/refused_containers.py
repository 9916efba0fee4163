"""Commands about one container that the engine refuses because of the state the container is in."""

from diagnose.programs.failures.recognition import NO_WORD, Failure

_REMOVAL = (
    Failure(
        name="memory-above-swap",
        mark="memoryswap",
        pattern=r"Memory limit should be smaller than already set memoryswap limit",
        cause="the container has a limit for memory and swap together, and the new limit for memory is above it",
        cure="give both: docker update --memory 1g --memory-swap 1g CONTAINER; the same value allows no swap, -1 any",
    ),
    Failure(
        name="marked-for-removal",
        mark="marked for removal",
        pattern=r"marked for removal(?: and cannot be (?P<verb>\w+))?",
        cause="an earlier removal of the container has begun and not ended: it is dead, and can only be removed",
        cure="docker rm -f CONTAINER, and create another one; where the removal fails again, its message says what holds "
        "the container's files",
        confirmed_by="container.dead",
    ),
    Failure(
        name="removal-under-way",
        mark="already in progress",
        pattern=r"removal of container (?P<name>[\w.-]{1,255}) is already in progress",
        cause="another removal of the container {name} has not ended: it runs, or a mount or process holds it up",
        cure="wait a minute and look at docker ps -a; if {name} stays, diagnose check container.dead names what holds it",
        confirmed_by="container.dead",
    ),
    Failure(
        name="remove-busy",
        mark=("busy", "not empty"),
        pattern=r"(?:failed to remove root filesystem|unable to remove filesystem|cleanup: failed to)[^\n]{0,300}"
        r"(?:device or resource busy|directory not empty)",
        cause="a mount of the container's files is still in use: a process of the host or of another container has it "
        "in its own mount namespace",
        cure="grep -l CONTAINER_ID /proc/[0-9]*/mountinfo names the processes; when they have ended or restarted, "
        "docker rm works",
        source="moby/moby#22260",
        confirmed_by="container.dead",
    ),
)

_STATE = (
    Failure(
        name="process-already-ended",
        mark=("process", "cannot exec", "cannot start a", "no running task"),
        pattern=r"process already finished|cannot (?:start|exec in) a (?:stopped|deleted) (?:process|container|state)"
        r"|no running task|no such process: (?:unknown|not found)|cannot exec in a stopped (?:state|container)",
        cause="the process had ended before the command reached it: the container stopped, or restarts, at that moment",
        cure="docker ps -a shows its state and exit code; where it is shown as running and stays so, restart the engine",
    ),
    Failure(
        name="init-ended-before-start",
        mark="cannot start a container that has stopped",
        pattern=r"cannot start a container that has stopped",
        cause="the first process was made, and ended or was killed before the runtime let it run: most often for lack "
        "of memory",
        cure="docker start it once more; dmesg -T | grep -i oom shows whether the kernel has killed runc or its init",
    ),
    Failure(
        name="exec-into-lost-namespace",
        mark="setns process",
        pattern=r"executing setns process(?: caused)?[: \"]{1,4}exit status \d{1,3}",
        cause="the runtime could not enter the container's namespaces: its first process is ending or stuck, the runtime was upgraded "
        "while the container ran, or memory ran out",
        cure="docker top CONTAINER shows its processes; docker restart CONTAINER makes its namespaces again",
        source="moby/moby#40835",
    ),
    Failure(
        name="attach-to-stopped",
        mark="cannot attach to a",
        pattern=r"cannot attach to a (?P<state>stopped|paused|restarting) container",
        cause="the container is {state}, and attach works with a running one only",
        cure="docker start -ai CONTAINER starts it and attaches; docker unpause if it is paused",
    ),
    Failure(
        name="paused",
        mark="paused",
        pattern=r"[Cc]ontainer " + NO_WORD + r"(?P<name>\S{1,255}) is paused",
        cause="container {name} is paused: its processes get no time, and no command can enter it",
        cure="docker unpause {name}",
        confirmed_by="container.paused",
    ),
    Failure(
        name="network-of-stopped",
        mark=("namespace of", "join"),
        pattern=r"(?:join(?:ing)?|cannot join) (?P<kind>network|ipc|pid|IPC|PID)(?: namespace)? of (?:a )?(?:non[- ]running )?container:? "
        r"(?:cannot join \w+ namespace of a non running container: )?(?:container )?(?P<peer>[\w.-]{1,255})",
        cause="the container uses the {kind} namespace of container {peer}, which is not running",
        cure="start that one first: docker start {peer}",
    ),
    Failure(
        name="no-exit-event",
        mark="did not receive an exit event",
        pattern=r"did not receive an exit event",
        cause="the engine sent SIGKILL, and did not hear that the process ended: AppArmor forbids the signal, it hangs in "
        "the kernel (state D, as on a dead NFS server), or containerd has lost it",
        cure="ps -eo pid,stat,wchan:30,args | grep ' D' shows processes that hang; if there are none, restart "
        "containerd, then the engine",
        source="moby/moby#38969",
        confirmed_by="security.stop-denied",
    ),
)

_FILES = (
    Failure(
        name="copy-into-read-only",
        mark="marked read-only",
        pattern=r"(?P<what>container rootfs|mounted volume) is marked read-only",
        cause="docker cp was to write to the {what} of the container, which is mounted read-only",
        cure="copy to a volume that is writable, or change the files at their source on the host",
    ),
    Failure(
        name="copy-source-missing",
        mark="could not find the file",
        pattern=r"could not find the file (?P<path>[\w./@+-]{1,300}) in container (?P<name>[\w.-]{1,255})",
        cause="container {name} has no {path}",
        cure="docker exec {name} ls -l $(dirname {path}) shows what is there; a path of a volume is not in a created container",
    ),
    Failure(
        name="checkpoint-unsupported",
        mark=("checkpoint", "criu"),
        pattern=r"not been compiled with checkpoint/restore|checkpoint[^\n]{0,200}criu[^\n]{0,80}(?:not found|no such file)"
        r"|criu (?:version|binary)[^\n]{0,80}(?:not found|too old|must be)",
        cause="checkpoints need CRIU, which this host or its runc does not have",
        cure="install criu and a runc that is built with it, or stop and start the container in the ordinary way",
    ),
    Failure(
        name="init-ended-at-once",
        mark=("init-p", "running exec setns process"),
        pattern=r"write init-p: broken pipe|running exec setns process for init[^\n]{0,40}exit status (?P<status>\d{1,3})",
        cause="runc's own first process ended before the container's: this kernel is too old for this runc (kernels before 3.17 and "
        "OpenVZ), or has no memory or no namespaces left",
        cure="uname -r and free -m show both; update the kernel, or take the release of containerd.io that was there before",
        source="docker/for-linux#595",
    ),
    Failure(
        name="device-rules-unlike",
        mark="match target mode",
        pattern=r"resulting devices cgroup doesn't match target mode",
        cause="the runtime could not set the container's device rules: the engine itself runs in a container (LXC, OpenVZ) whose own rules are narrower",
        cure="on the outer host allow all devices for that container (LXC: lxc.cgroup.devices.allow = a), or use cgroup v2 there",
        source="opencontainers/runc#2866",
    ),
    Failure(
        name="last-run-left-behind",
        mark="file exists",
        pattern=r"Cannot start container \w{6,64}: file exists",
        cause="something of the container's last run is still there: a control group, a mount, or its network endpoint",
        cure="docker rm -f and create it again; where that fails too, systemctl restart docker removes what is left",
        source="moby/moby#9027",
    ),
    Failure(
        name="folder-not-listed",
        mark="readdirent",
        pattern=r"(?:response from daemon: |cannot start (?:service|container) )[^\n]{0,300}?readdirent: "
        r"(?P<why>permission denied|no such file or directory|input/output error)",
        cause="the engine could not list a folder that the container mounts, or one of its volumes ({why})",
        cure="docker inspect CONTAINER --format '{{range .Mounts}}{{.Source}} {{end}}' names them: ls -la each as root; a share (NFS, FUSE) "
        "has to allow root",
    ),
    Failure(
        name="command-empty",
        mark="args must not be empty",
        pattern=r"args must not be empty",
        cause="the container has no command to run: its image has none, and none was given",
        cure="write the command behind the image's name (compose: command), or build the image with CMD",
        source="podman's own message",
    ),
    Failure(
        name="log-server-refuses",
        mark="initialize logging driver",
        pattern=r"failed to initialize logging driver: dial (?P<protocol>tcp|udp|unix(?:gram)?) (?P<server>[^\s\"]{1,200}): "
        r"(?P<why>[^\n\"]{1,120})",
        cause="the container is not started, because the server of its log driver, {server}, is not reached ({why})",
        cure="start that server, or recreate the container with --log-driver local; with fluentd, --log-opt fluentd-async=true starts "
        "it without the server",
        source="moby/moby#20063",
        confirmed_by="logging.driver-blocks-start",
    ),
    Failure(
        name="log-journal-missing",
        mark="journald is not enabled",
        pattern=r"failed to initialize logging driver: journald is not enabled on this host",
        cause="the container is not started, because its log driver journald needs systemd's journal, which does not run on this host",
        cure="recreate the container with --log-driver local (compose: logging.driver), or start systemd-journald",
        source="moby/daemon/logger/journald",
        confirmed_by="logging.driver-blocks-start",
    ),
    Failure(
        name="plugin-not-there",
        mark="plugin",
        pattern=r"""(?x)
            (?:response\ from\ daemon:\ |looking\ up\ \w{1,20}\ plugin\ |legacy\ plugin:\ )
              [^\n]{0,200}?(?:
                  find\ plugin\ "?(?P<plugin>[\w./:-]{1,200})
                | plugin\ "?(?P<plugin_quoted>[\w./:-]{1,200}?)"?[ ]
                    (?:not\ found|is\ disabled|found\ but\ disabled)
              )
        """,
        cause="the engine has no plugin {plugin}, or has it disabled",
        cure="docker plugin ls shows which it has: docker plugin enable {plugin}, or docker plugin install {plugin}",
        confirmed_by="daemon.plugin-gone",
    ),
    Failure(
        name="init-not-first",
        mark="tini is not running as pid 1",
        pattern=r"Tini is not running as PID 1",
        cause="the image starts tini by itself, and docker's --init or a shell stands before it; tini then collects no ended processes, "
        "and the program runs all the same",
        cure="leave out --init (compose: init: true); where a shell has to stand before tini, set TINI_SUBREAPER=1",
        source="krallin/tini#8",
    ),
    Failure(
        name="share-options-refused",
        mark="mount //",
        pattern=r"mount (?P<share>//[^\s:]{1,200}):/[^\n]{0,400}: invalid argument",
        cause="the kernel does not accept the options of the volume for share {share}: one is misspelt, or addr= is missing where the "
        "server has a name",
        cure="dmesg -T | tail names the option; docker volume inspect VOLUME shows what was given (o=addr=ADDRESS,vers=3.0,username=...)",
    ),
    Failure(
        name="log-driver-unreadable",
        mark="does not support reading",
        pattern=r"configured logging driver does not support reading",
        cause="the logs of the container go to a driver that cannot be read back (none, syslog, gelf and others)",
        cure="read them where the driver sends them, or recreate the container with --log-driver local",
        confirmed_by="logging.driver-unreadable",
    ),
    Failure(
        name="log-unreadable",
        mark=("grabbing logs", "streaming logs"),
        pattern=r"error (?:grabbing|streaming) logs: (?P<why>[^\n]{1,300})",
        cause="the engine cannot read the container's log file on ({why}): it was cut, emptied or written to from outside, or the "
        "host lost power in the middle of a line",
        cure="diagnose check logging.file-damaged says which file, and what repairs it",
        confirmed_by="logging.file-damaged",
    ),
    Failure(
        name="user-not-in-image",
        mark="no matching entries in",
        pattern=r"unable to find (?P<kind>user|group) (?P<name>[^\s:]{1,99}): no matching entries in (?P<file>passwd|group) file",
        cause='the container should run as {kind} "{name}", and /etc/{file} of its image has no such {kind}',
        cure="correct --user (compose: user), or write the number of its id: numbers need no entry",
        confirmed_by="container.start-refused",
    ),
    Failure(
        name="image-of-other-processor",
        mark="does not match the detected host platform",
        pattern=r"requested image's platform \((?P<image>[\w/.]{1,40})\) does not match the detected host platform \((?P<host>[\w/.]{1,40})\)",
        cause="the image is built for {image}, and this host is {host}: its programs run only where an emulator is installed, "
        "and slowly; without one they end with `exec format error`",
        cure="pull or build the image for this host (docker pull --platform, docker buildx build --platform); "
        "docker run --privileged --rm tonistiigi/binfmt --install all installs the emulators",
        confirmed_by="image.platform-mismatch",
    ),
    Failure(
        name="ids-not-mapped",
        mark="newuidmap",
        pattern=r"newuidmap[^\n]{0,200}(?:Operation not permitted|not found|not allowed|could not get)",
        cause="the rootless engine may not map its user's ids: newuidmap is missing or has lost its right (setuid, or the "
        "capability setuid), or /etc/subuid gives the user no ids",
        cure="install uidmap; grep $USER /etc/subuid /etc/subgid shows the ids; getcap $(command -v newuidmap) the right",
    ),
    Failure(
        name="user-namespaces-forbidden",
        mark="unshare",
        pattern=r"unshare(?:\(\w{0,40}\))?: (?:write failed |failed )?[^\n]{0,60}Operation not permitted",
        cause="the kernel forbids this user to make a namespace: sysctl (kernel.unprivileged_userns_clone, or AppArmor's "
        "kernel.apparmor_restrict_unprivileged_userns of Ubuntu 24.04), or the seccomp filter of a container",
        cure="sysctl -a 2>/dev/null | grep userns shows it; of a rootless engine, give rootlesskit an AppArmor profile with "
        "the rule userns; in a container, --security-opt seccomp=unconfined tries it",
    ),
    Failure(
        name="old-cgroups",
        mark="cgroup v1",
        pattern=r"(?i)(?:support for )?cgroup v1[^\n]{0,40}is deprecated",
        cause="a warning: this host uses version 1 of control groups, which later engines and systemd no longer support; "
        "containers run all the same",
        cure="nothing has to be done now; before the next major upgrade boot with systemd.unified_cgroup_hierarchy=1",
    ),
    Failure(
        name="filter-unknown",
        mark="filter",
        pattern=r"invalid filter '?(?P<filter>[^'\s]{1,99})",
        cause='the option --filter does not accept "{filter}"',
        cure="the command with --help lists the filters; exited= takes a number, and status= a state",
    ),
    Failure(
        name="shm-of-host-missing",
        mark="--ipc=host",
        pattern=r"is not mounted, but must be for --ipc=host",
        cause="the container was to share the host's /dev/shm (--ipc=host), and the host has none",
        cure="mount -t tmpfs shm /dev/shm, or leave out --ipc=host",
    ),
)

REFUSED_CONTAINERS = (*_REMOVAL, *_STATE, *_FILES)
"""The first row that fits counts."""
