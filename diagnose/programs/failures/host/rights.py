"""Rights that a program does not have in an ordinary container."""

import msgspec

from diagnose.programs.failures.recognition import Failure, Recognised

_OWNER_REFUSED = ("chown-refused", "chown-here-refused")
"""Rows about a start script that changes owners."""
_OPTION = "container.option-missing"

RIGHTS = (
    Failure(
        name="privileged-asked",
        mark="--privileged",
        pattern=r"\b(?:must|needs?|requires?|has to|have to)\b.{0,60}--privileged\b",
        cause="the program asks for a privileged container, which may do anything on the host",
        cure="recreate it with --privileged, if you trust it with the host",
        source="rancher/rancher's own message",
        explains_only=True,
    ),
    Failure(
        name="systemd-groups",
        mark="",
        pattern=r"\bFailed to create /\S{0,80} control group: (?P<reason>[A-Z][\w -]{3,40})"
        r"|\bFailed to mount cgroup at (?P<path>/sys/fs/cgroup\S*): (?P<reason_mount>[A-Z][\w ]{3,40})"
        r"|\bFailed to allocate manager object: (?P<reason_object>[A-Z][\w -]{3,40})",
        cause="systemd is the container's first process, and may not write the control groups that it keeps its "
        "services in ({reason})",
        cure="run the program itself in place of /sbin/init; systemd needs --privileged, or --cgroupns=host with "
        "--volume=/sys/fs/cgroup:/sys/fs/cgroup:rw and --tmpfs=/run",
        source="systemd's own message; systemd documentation, container interface",
    ),
    Failure(
        name="groups-refused",
        mark="set groups: operation not permitted",
        pattern=r"(?P<program>[\w-]{1,30}): can(?:'t|not) set groups: Operation not permitted",
        cause="{program} changes to another user, which it may do only as root with the capability SETGID",
        cure="recreate it as root (without --user), with --cap-add=SETGID and --cap-add=SETUID where they were dropped; "
        "a cron without root: supercronic",
        source="busybox' and shadow's own messages",
        confirmed_by=_OPTION,
        needs=("--cap-add=SETUID", "--cap-add=SETGID"),
    ),
    Failure(
        name="memory-groups-off",
        mark="memory cgroup",
        pattern=r"\bfailed to find memory cgroup|\bmemory cgroup (?:is )?(?:disabled|missing|not (?:enabled|mounted|found))",
        cause="the kernel of the host has control groups for memory switched off, as on a Raspberry Pi",
        cure="write cgroup_enable=memory cgroup_memory=1 into the one line of /boot/firmware/cmdline.txt "
        "(/boot/cmdline.txt on older systems), and restart the host",
        source="k3s documentation, requirements",
        look="machine",
    ),
    Failure(
        name="loopback6-missing",
        mark="::1",
        pattern=r"\bno local interface found for ::1|(?:\[::1\]|(?<![\w:])::1)\S{0,8}.{0,60}Cannot assign requested address"
        r"|Cannot assign requested address.{0,60}(?:\[::1\]|(?<![\w:])::1)",
        # PostgreSQL listens at its other addresses all the same
        goes_on=True,
        cause="the program uses the address ::1, and its container has no IPv6",
        cure="give it only IPv4 in its settings (Postfix: inet_protocols = ipv4), or recreate it with "
        "--sysctl=net.ipv6.conf.all.disable_ipv6=0",
        source="Postfix' own message",
        confirmed_by=_OPTION,
        needs=("--sysctl=net.ipv6.conf.all.disable_ipv6=0",),
    ),
    Failure(
        name="descriptors-unbounded",
        mark=(" fds", "port_tab"),
        pattern=r"\bOOM allocating (?P<most>\d{7,}) fds"
        r"|\bCannot allocate \d{8,} bytes of memory \(of type \"port_tab\"\)",
        cause="the limit of open files in the container is very high, and the program takes memory for each of them "
        "at its start",
        cure="recreate it with --ulimit=nofile=65536:65536",
        source="EVerest/EVerest-archived#267",
        confirmed_by=_OPTION,
        needs=("--ulimit=nofile=65536:65536",),
    ),
    Failure(
        name="export-unsupported",
        mark="nfs export",
        pattern=r"(?P<path>/\S+) does not support NFS export",
        cause="the folder {path} that the NFS server shares lies in the container's writable "
        "layer or on a file system that the kernel does not export (overlay, FUSE)",
        cure="mount a volume or a folder of the host at {path}",
        source="nfs-utils' own message",
    ),
    Failure(
        name="display-missing",
        mark="display",
        pattern=r"""(?x)
              no\ display\ name\ and\ no\ \$DISPLAY
            | (?:cannot|can't|could\ not|unable\ to|failed\ to)\ (?:open|connect\ to)[ ]
                (?:the\ )?(?:X\ |Wayland\ )?display\b
            | Missing\ X\ server\ or\ \$DISPLAY
            | \bno\ DISPLAY\ environment\ variable
            | \bNo\ X11\ DISPLAY\ variable\ was\ set
        """,
        cause="the program wants to show windows, and its container has no display",
        cure="run it in its headless mode (MPLBACKEND=Agg for matplotlib, -Djava.awt.headless=true for Java), "
        "or behind xvfb-run in the image",
        source="Tk's, GTK's, Qt's and Chromium's own messages",
    ),
    Failure(
        name="s6-user",
        mark="belongs to uid",
        pattern=r"/run belongs to uid (?P<owner>\d{1,10}) instead of (?P<user>\d{1,10})",
        cause="the image's init (s6-overlay) is started as user {user}, and its folder /run belongs to {owner}",
        cure="recreate it without --user, and name the user in the image's variables (PUID and PGID)",
        source="just-containers/s6-overlay's documentation, notes on USER",
        confirmed_by="container.option-in-the-way",
        needs=("user",),
    ),
    Failure(
        name="clock-capability",
        mark=("cap_sys_time not present", "adjtimex("),
        pattern=r"\bCAP_SYS_TIME not present\b|\badjtimex\(0x\w{1,8}\) failed : Operation not permitted",
        cause="the program sets the clock of the host, which needs the capability SYS_TIME",
        cure="recreate it with --cap-add=SYS_TIME; where the host keeps its time itself, run chronyd with -x",
        source="chrony's own message",
        confirmed_by=_OPTION,
        needs=("--cap-add=SYS_TIME",),
    ),
    Failure(
        name="netlink-capability",
        mark="received netlink error: operation not permitted",
        pattern=r"\breceived netlink error: Operation not permitted\b",
        cause="the program changes routes or rules of the network, which needs the capability NET_ADMIN",
        cure="recreate it with --cap-add=NET_ADMIN",
        source="strongSwan's own message",
        confirmed_by=_OPTION,
        needs=("--cap-add=NET_ADMIN",),
    ),
)


def without_root(failure: Recognised) -> Recognised:
    """The failure with its meaning for a container that does not begin as root, where its start
    script changes owners; any other failure unchanged.

    A capability that such a container is given does not reach its program.
    """
    if failure.name not in _OWNER_REFUSED:
        return failure
    row = msgspec.structs.replace(
        failure.failure,
        cause="the start script changes owners, which only root may do, and its container begins as a different user",
        cure="recreate it with --user=0 (without user: in compose); where the image has variables for the user of its "
        "program, such as PUID and PGID, set these",
        needs=("--user=0",),
    )
    return msgspec.structs.replace(failure, failure=row)
