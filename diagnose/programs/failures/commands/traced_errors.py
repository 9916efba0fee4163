"""Errors of docker that leave a trace on the host, where a check finds them too.

A user may paste the message on another machine, or after the trace is gone: so the message is
explained as well. Its values are in the sentence.
"""

from diagnose.programs.failures.recognition import Failure

_BINDING = (
    r"(?:failed to bind host port (?:for )?|listen (?:tcp|udp|sctp)\S? )(?P<address>[\d.:\[\]a-f]{1,60}?):"
    r"(?P<port>\d{1,5})(?::\S{1,80}|/(?:tcp|udp|sctp))?: (?:bind: )?"
)
"""The engine's words about a port of the host at which it cannot listen, before the reason."""

_PORTS = (
    Failure(
        name="port-published-twice",
        mark="already allocated",
        pattern=r"Bind for (?P<address>\S{1,60}:(?P<port>\d{1,5})) failed: port is already allocated",
        cause="another container publishes port {port} of the host already",
        cure="docker ps --filter publish={port} names it; stop that one, or publish another port on the left of the colon",
        confirmed_by="network.port-allocated",
    ),
    Failure(
        name="port-of-a-process",
        mark="address already in use",
        pattern=rf"{_BINDING}address already in use",
        cause="a program of the host, outside docker, listens on port {port} already",
        cure="ss -ltnup 'sport = :{port}' names it; stop it, or publish another port on the left of the colon",
        confirmed_by="network.port-held-by-process",
    ),
    Failure(
        name="address-of-another-host",
        mark="cannot assign requested address",
        pattern=rf"{_BINDING}cannot assign requested address",
        cause="the container publishes port {port} at address {address}, which this host does not have",
        cure="ip -brief address shows the host's addresses; publish at one of them, or leave the address out",
        confirmed_by="network.bind-address-missing",
    ),
    Failure(
        name="proxy-not-started",
        mark="docker-proxy",
        pattern=r"failed to start docker-proxy|docker-proxy[^\n]{0,80}(?:executable file not found|no such file)",
        cause="the engine could not start its helper docker-proxy, which each published port needs: the file is missing, "
        "or belongs to another version of the engine",
        cure='install the engine\'s package again (command -v docker-proxy shows the file), or set "userland-proxy": false '
        "in daemon.json and restart the engine",
    ),
)

_RULES = (
    Failure(
        name="own-rules-of-container",
        mark="resolver start failed",
        pattern=r"Resolver Start failed for container",
        cause="docker's DNS server of the container could not set its rules in the container's own network: names of "
        "other containers do not resolve there",
        cure="restart that container; if it happens each time, the kernel lacks a module for NAT (lsmod | grep nat)",
        confirmed_by="dns.embedded-rules-missing",
    ),
    Failure(
        name="chain-flushed",
        mark="no chain/target/match",
        pattern=r"iptables[^\n]{0,400}No chain/target/match by that name",
        cause="docker's own chains are no longer in iptables: another program (a firewall, iptables -F) has removed them "
        "since the engine started",
        cure="systemctl restart docker writes them again; containers stop and start with it unless live-restore is on",
        confirmed_by="firewall.chains-missing",
    ),
    Failure(
        name="pools-used-up",
        mark="address pool",
        pattern=r"non-overlapping IPv4 address pool|predefined address pools have been fully subnetted",
        cause="no subnet is left for another network: networks use all of the engine's default ones, or routes of the "
        "host (a VPN) overlap with what is left",
        cure="docker network prune removes networks without containers; default-address-pools in daemon.json gives more",
        confirmed_by="network.address-pools-exhausted",
    ),
    Failure(
        name="network-deleted",
        mark="network ",
        pattern=r"network (?P<network>[0-9a-f]{12,64}) not found",
        cause="the container still has a network that was removed since, and whose successor has another id",
        cure="docker compose up -d --force-recreate makes the container with today's network",
        source="docker/compose#5745",
        confirmed_by="container.network-gone",
    ),
    Failure(
        name="overlay-conflicts",
        mark="conflicts in the host",
        pattern=r"overlay subnet (?P<subnet>[\d./]{7,20}) has conflicts in the host",
        cause="the overlay network's subnet {subnet} overlaps with a route of this node",
        cure="create the network with another --subnet; ip route shows what the node has",
    ),
    Failure(
        name="overlay-address-unknown",
        mark="data-plane address",
        pattern=r"local data-plane address is not (?:currently )?known",
        cause="this node does not know its own address for overlay networks: it has not joined the swarm yet, or the "
        "address of its join is gone",
        cure="docker info -f '{{.Swarm.NodeAddr}}' against ip -br addr; leave and join with --advertise-addr if it has changed",
        confirmed_by="swarm.address-gone",
    ),
)

_STARTS = (
    Failure(
        name="device-not-there",
        mark="custom device",
        pattern=r"while adding custom device \"(?P<device>/[\w./@+:-]{1,200})\": (?:no such file|not a device)",
        cause="the container should have the device {device}, which this host does not have (now)",
        cure="ls -l {device}; plug it in or load its driver, and prefer a name below /dev/serial/by-id, which does not change",
        confirmed_by="container.device-missing",
    ),
    Failure(
        name="folder-onto-file",
        mark="mount a directory onto a file",
        pattern=r"error mounting \"(?P<source>[^\"\n]{1,300})\" to rootfs at \"(?P<target>[^\"\n]{1,300})\"[^\n]{0,400}"
        r"Are you trying to mount a directory onto a file",
        cause="of {source} on the host and {target} in the image, one is a folder and the other one a file; docker makes "
        "an empty folder where a source is missing",
        cure="ls -ld of the source: remove the empty folder, put the file there, and start the container again",
        confirmed_by="container.mount-source-missing",
    ),
    Failure(
        name="sysctl-in-lxc",
        mark=("reopen fd", "unsafe procfs", "open /proc/sys/"),
        pattern=r"open sysctl (?P<setting>[\w.]{1,80}) file: (?:unsafe procfs detected|reopen fd \d+: permission denied)"
        r"|container init: open (?P<setting_path>/proc/sys/[\w./-]{1,80}): permission denied",
        cause="docker runs inside an LXC container, whose AppArmor profile refuses how newer runc (1.2.7, 1.3.2 and later) "
        "opens {setting}",
        cure="update LXC and its AppArmor profiles on the outer host (Proxmox: pve-lxc), or go back one release of containerd.io",
        source="containerd/containerd#12484",
        confirmed_by="security.sysctl-denied",
    ),
    Failure(
        name="proc-refused",
        mark=("proc", "sys", 'mounting "'),
        pattern=r"mounting \"(?P<kind>proc|sysfs|cgroup2?|mqueue)\"[^\n]{0,200}(?:permission denied|operation not permitted)"
        r"|(?:can't mask|make|remount|mount src=)[^\n]{0,200}dst=/(?P<kind_below>proc|sys)/?[^\n]{0,200}(?:permission denied|operation not permitted)",
        cause="the engine itself runs in a container (LXC, or docker in docker) that may not mount {kind}",
        cure="on the outer host allow nesting (Proxmox: pct set ID --features nesting=1,keyctl=1), or run the outer "
        "container with --privileged",
    ),
    Failure(
        name="working-folder-gone",
        mark="container breakout",
        pattern=r"current working directory is outside of container mount namespace root",
        cause="the folder that the command starts in is no longer inside the container: it was deleted or mounted over "
        "since the container started; runc refuses that since CVE-2024-21626",
        cure="docker exec -w / works at once; restart the container to have the folder back",
    ),
    Failure(
        name="processes-exhausted",
        mark="resource temporarily unavailable",
        pattern=r"(?:fork/exec|setns process|pthread_create|clone|newosproc)[^\n]{0,120}resource temporarily unavailable",
        cause="no further process may be made: the container's pids limit, the user's limit or the kernel's is reached",
        cure="docker stats --no-stream shows PIDS of each container; stop what multiplies, or raise --pids-limit",
        confirmed_by="resources.pids-exhausted",
    ),
    Failure(
        name="shim-silent",
        mark=("shim", "/run/containerd/s/"),
        pattern=r"failed to start shim: [^\n]{0,200}(?:timeout|context deadline exceeded)|dial unix\S{0,8} ?/run/containerd/s/\S{1,99}: timeout",
        cause="containerd's helper for the container (the shim) did not answer in time: the host is overloaded, or short "
        "of memory or disk",
        cure="uptime, and iostat or vmstat 1 5, show what is slow; then start the container again",
    ),
)

_PROGRAMS = (
    Failure(
        name="program-of-other-processor",
        mark="exec format error",
        pattern=r"(?:exec(?: user process caused)?:? ?\"?(?P<program>/[\w./@+-]{1,300})?\"?:?|System error:) ?\"?exec format error",
        cause="the program is built for another processor than this host has, or it is a script whose first line is not #!",
        cure="docker image inspect -f '{{.Architecture}}' IMAGE against uname -m; pull with --platform, or give the script "
        "the line #!/bin/sh",
        confirmed_by="container.exec-format",
    ),
    Failure(
        name="interpreter-not-there",
        mark="no such file or directory",
        pattern=r"^exec(?: user process caused)?:? \"?(?P<program>/[\w./@+-]{1,300})\"?: no such file or directory",
        cause="{program} is in the image, and what it needs to run is not: its first line ends in a carriage return (CRLF, "
        "written on Windows) or names a shell that is not there, or a program needs another libc (Alpine)",
        cure="docker run --rm --entrypoint sh IMAGE -c 'head -1 {program}' | cat -A shows ^M for CRLF; save it with LF "
        "(git: *.sh text eol=lf) and build again",
        confirmed_by="container.interpreter-missing",
    ),
    Failure(
        name="runtime-not-executable",
        mark="fork/exec",
        pattern=r"OCI runtime[^\n]{0,400}fork/exec (?P<program>/[\w./@+-]{1,300}): (?P<why>permission denied|no such file or directory|exec format error)",
        cause="the runtime {program} cannot be run ({why}): --runtime, or runtimes in daemon.json, names what is not a runtime",
        cure="docker info | grep -i runtime lists what there is; correct the option (a word behind --runtime is taken for its "
        "value), or install the runtime",
        source="NVIDIA/nvidia-docker#1736",
        confirmed_by="daemon.runtime-missing",
    ),
    Failure(
        name="program-not-executable",
        mark="permission denied",
        pattern=r"exec:? \"?(?P<program>/?[\w./@+-]{1,300})\"?: permission denied",
        cause="the file {program} may not be executed: it has no x bit, is a folder, or lies on a mount with noexec",
        cure="chmod +x the file where it comes from (before COPY, or on the host for a mount), and start it again",
        confirmed_by="container.entrypoint-forbidden",
    ),
    Failure(
        name="runtime-not-installed",
        mark="unable to retrieve oci runtime error",
        pattern=r"unable to retrieve OCI runtime error[^\n]{0,300}exec: \"(?P<runtime>[^\"\n]{1,200})\": (?:executable file not found"
        r"|stat [^\n]{1,200}: no such file)",
        cause="the engine should start the container with the runtime {runtime}, which is not installed on the host",
        cure="install it (nvidia: the package nvidia-container-toolkit), or start the container without --runtime",
        confirmed_by="daemon.runtime-missing",
    ),
    Failure(
        name="program-of-engine-missing",
        mark="executable file not found",
        pattern=r"exec: \"(?P<program>containerd-shim[\w-]{0,30}|runc|crun|docker-init)\": executable file not found",
        cause="the engine cannot find {program}, a program of this host: its package is missing or incomplete, or the "
        "PATH of the engine does not lead to it",
        cure="command -v {program} says whether it is there: if not, install containerd and runc again; if it is, add its "
        "folder to PATH in the unit of the engine",
        source="containerd/containerd#2481",
        confirmed_by="container.start-refused",
    ),
    Failure(
        name="program-not-in-image",
        mark="exec",
        pattern=r"exec: \"(?P<program>[^\"\n]{1,300})\": (?:executable file not found|stat [^\n]{1,300}: no such file)",
        cause="the image has no program {program}: it is misspelt, is not installed there, or an option was taken for the command",
        cure="options of docker stand before the image's name, the command behind it; docker run --rm -it --entrypoint sh IMAGE "
        "looks inside",
        confirmed_by="container.entrypoint-missing",
    ),
)

_BUILDS = (
    Failure(
        name="step-killed",
        mark="code: 137",
        pattern=r"(?:The command '|process \")(?P<command>[^\n]{1,200}?)['\"] (?:returned a non-zero|did not complete successfully: exit) code: 137\b",
        cause="the step was killed ({command}): most often it took all memory that the host, or the machine of the "
        "builder, has",
        cure="dmesg -T | grep -i 'killed process' on the host says so; give the machine more memory or swap, or let the "
        "step use less (fewer jobs at a time)",
        source="the engine's own message",
        confirmed_by="image.build-failed",
    ),
    Failure(
        name="step-failed-old",
        mark="returned a non-zero code",
        pattern=r"The command '(?P<command>[^\n]{1,200}?)' returned a non-zero code: (?P<code>\d{1,3})",
        cause="the step's own command ended with code {code}: the reason is in the lines that it printed above, and not "
        "in Docker ({command})",
        cure="read the last lines above this message; for apt-get (code 100) build once with --no-cache",
        confirmed_by="image.build-failed",
    ),
    Failure(
        name="step-failed",
        mark="did not complete successfully",
        pattern=r"process \"(?P<command>[^\n]{1,200}?)\" did not complete successfully: exit code: (?P<code>\d{1,3})",
        cause="the step's own command ended with code {code}: the reason is in the lines that it printed above, and not "
        "in Docker ({command})",
        cure="docker build --progress=plain --no-cache shows all of its lines; the last ones above this message say why",
        confirmed_by="image.build-failed",
    ),
)

_ENGINE = (
    Failure(
        name="user-without-group",
        mark="permission denied",
        pattern=r"permission denied while trying to connect to the (?:Docker daemon socket|docker API) at (?P<url>[^\s:]{1,20}:[^\s:]{1,200})",
        cause="your user may not open the engine's socket: it is not in the group docker, or was added after you logged in",
        cure='sudo usermod -aG docker "$USER", then log in again or type newgrp docker (members are as strong as root)',
        confirmed_by="daemon.socket-forbidden",
    ),
    Failure(
        name="client-too-old",
        mark="is too old",
        pattern=r"client version (?P<client>[\d.]{1,9}) is too old\. Minimum supported API version is (?P<least>\d\.\d{1,3})",
        cause="the program that asked speaks API {client}, and this engine takes {least} and later only",
        cure="upgrade that program; for a time, DOCKER_MIN_API_VERSION={client} in the engine's environment lets it in",
        confirmed_by="daemon.client-api-too-old",
    ),
    Failure(
        name="setting-given-twice",
        mark="both as a flag and in the configuration file",
        pattern=r"specified both as a flag and in the configuration file: (?P<setting>[\w-]{1,60})",
        cause="the engine got {setting} twice: on its command line (often from the unit) and in daemon.json",
        cure="keep one: systemctl cat docker shows the command line; remove {setting} from /etc/docker/daemon.json or there",
        confirmed_by="daemon.config-flag-conflict",
    ),
    Failure(
        name="settings-no-json",
        mark="invalid character",
        pattern=r"(?P<file>/\S{1,200}\.json): invalid character (?P<character>'[^\n']{1,4}') (?P<where>[^\n]{1,120})",
        cause="{file} is not valid JSON: the character {character} stands where it may not ({where}); before a closing "
        "brace it is most often a comma too many",
        cure="python3 -m json.tool {file} names the line; correct it, and start the engine",
        confirmed_by="daemon.config-invalid",
    ),
    Failure(
        name="start-repeated",
        mark="repeated too quickly",
        pattern=r"(?P<unit>[\w@.-]{1,80}\.(?:service|socket)): Start request repeated too quickly",
        cause="{unit} failed several times within seconds, and systemd has given up: the reason stands above, at its "
        "first failure",
        cure="journalctl -u {unit} -n 60 --no-pager shows it; after the cure: systemctl reset-failed {unit}, and start it",
        confirmed_by="daemon.start-limit-hit",
    ),
    Failure(
        name="containerd-late",
        mark="waiting for containerd",
        pattern=r"timeout waiting for containerd to start",
        cause="the engine started its own containerd, and that was not ready within the time: it crashes, finds its database "
        "locked by a second containerd, or reads from a disk that hangs",
        cure="journalctl -u docker -u containerd -n 80 --no-pager shows what it says; pgrep -a containerd shows a second one",
        confirmed_by="daemon.containerd-down",
    ),
    Failure(
        name="live-restore-and-swarm",
        mark="incompatible with swarm mode",
        pattern=r"(?P<setting>--?[\w-]{1,30}(?:=\w{1,20})?) (?:daemon configuration )?is incompatible with swarm mode",
        cause="the engine's setting {setting} and swarm mode exclude each other",
        cure="take {setting} out of daemon.json and restart the engine, or leave the swarm",
    ),
    Failure(
        name="resolver-file-unreadable",
        mark="resolv.conf",
        pattern=r"(?:failed to parse|error parsing|cannot read|failed to read) (?:resolv\.conf from )?(?P<file>/[\w./-]{1,200}resolv\.conf)\S{0,3} (?P<why>[^\n]{1,200})",
        cause="the engine cannot read the list of DNS servers {file}: {why}",
        cure="cat -A {file} shows what is in it: it has lines such as nameserver 192.0.2.53 only",
        confirmed_by="dns.host-broken",
    ),
    Failure(
        name="stop-refused",
        mark="permission denied",
        pattern=r"cannot (?:stop|kill) container: (?P<name>[\w.-]{1,255}):? [^\n]{0,200}permission denied",
        cause="the kernel's confinement (AppArmor, often of a second Docker from a snap) forbids the engine to signal the container",
        cure="aa-status shows the profiles; snap list docker; aa-remove-unknown and a restart of the engine free it",
        confirmed_by="security.stop-denied",
    ),
)

TRACED_ERRORS = (*_PORTS, *_RULES, *_STARTS, *_PROGRAMS, *_BUILDS, *_ENGINE)
"""The first row that fits counts."""
