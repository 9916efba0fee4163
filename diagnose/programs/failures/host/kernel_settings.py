"""Settings and limits of the host that are too low for a program."""

from diagnose.programs.failures.recognition import Failure

_SETTING = "container.kernel-setting-low"
PORT_START = "net.ipv4.ip_unprivileged_port_start"
"""The first port that users other than root may open."""
LOW_PORTS_FOR_ALL = f"--sysctl={PORT_START}=0"
"""The setting that opens the ports below it to every user of a container that has a network of its
own."""

KERNEL_SETTINGS = (
    Failure(
        name="map-count",
        mark="max_map_count",
        pattern=r"vm\.max_map_count \[(?P<has>\d+)\] (?:is|likely) too low, increase to at least \[(?P<least>\d+)\]",
        cause="the host's vm.max_map_count is {has}, and the program needs {least}",
        cure="set it on the host: sysctl -w vm.max_map_count={least}",
        source="spujadas/elk-docker#334",
        confirmed_by=_SETTING,
        needs=("vm.max_map_count", "262144"),
    ),
    Failure(
        name="redis-background-save",
        mark="can't save in background: fork",
        pattern=r"Can't save in background: fork: Cannot allocate memory",
        cause="Redis cannot fork for its background save, because the kernel does not overcommit memory",
        cure="set it on the host: sysctl -w vm.overcommit_memory=1",
        confirmed_by=_SETTING,
        needs=("vm.overcommit_memory", "1"),
    ),
    Failure(
        name="async-io-requests",
        mark="io_setup()",
        pattern=r"io_setup\(\) failed with EAGAIN",
        cause="the host has no asynchronous I/O requests left: fs.aio-max-nr is used up",
        cure="set it on the host: sysctl -w fs.aio-max-nr=1048576",
        confirmed_by=_SETTING,
        needs=("fs.aio-max-nr", "1048576"),
    ),
    Failure(
        name="async-io-scylla",
        mark=("aio-max-nr", "async i/o"),
        pattern=r"aio-max-nr.{0,80}(?:at least|to) (?P<least>\d+)|Could not setup Async I/O",
        cause="the program needs more asynchronous I/O requests than fs.aio-max-nr allows",
        cure="set it on the host: sysctl -w fs.aio-max-nr=1048576",
        confirmed_by=_SETTING,
        needs=("fs.aio-max-nr", "1048576"),
    ),
    Failure(
        name="shared-memory-segment",
        mark=("shmmax", "shared memory segment"),
        pattern=r"could not create shared memory segment.*|SHMMAX",
        cause="the program asks for a larger shared memory segment than kernel.shmmax allows",
        cure="set it on the host: sysctl -w kernel.shmmax=17179869184",
        source="PostgreSQL documentation, managing kernel resources",
        confirmed_by=_SETTING,
        needs=("kernel.shmmax", "17179869184"),
    ),
    Failure(
        name="low-port",
        mark="permission denied",
        pattern=r"""(?x)
            (?:
                  (?<![/\w])bind(?![/\w])(?:\(\))?.{0,40}(?<![\d(])(?P<port>\d{1,3})\b.{0,30}permission\ denied
                | listen\ tcp\ [^ ]*:(?P<port_listen>\d{1,3}):\ bind:\ permission\ denied
                | permission\ denied.{0,40}could\ not\ bind\ to\ address\ \S*?:
                    (?P<port_apache>\d{1,3})\b
                | listen\ EACCES:\ permission\ denied\ \S*?:(?P<port_node>\d{1,3})\b
                | (?<!listener:\ )(?:Socket|Bind)Exception(?:\ \(13\))?:\ Permission\ denied
              )
        """,
        cause="the program's user may not open a port below 1024",
        cure="let it listen on a port above 1023; with host networking lower net.ipv4.ip_unprivileged_port_start "
        "on the host, with another network recreate it with --sysctl=net.ipv4.ip_unprivileged_port_start=0",
        source="yllibed/Zigbee2MqttAssistant#91",
        confirmed_by=_SETTING,
        needs=(PORT_START, "1024"),
    ),
    Failure(
        name="ipv6-absent",
        mark="",
        pattern=r"(?:\[[0-9a-f:]*\]|\btcp6\b).{0,60}Address family not supported by protocol"
        r"|EAFNOSUPPORT.{0,80}(?:\[::|\s::)"
        r"|\(Code: -97\)"  # Ghost: the number of that error
        r"|\bNo servers started \(add valid listen_host"  # ClickHouse, whose listen_host is ::
        r"|\b(?:Can't connect|connection) to \('::',",  # gunicorn, which means its own socket
        cause="the program listens on an IPv6 address, and the host's kernel has IPv6 switched off (ipv6.disable=1)",
        cure="let it listen on 0.0.0.0 in place of :: (nginx: without listen [::]:80; Immich: IMMICH_HOST=0.0.0.0), "
        "or boot the host without ipv6.disable=1",
    ),
    Failure(
        name="huge-pages",
        mark="could not map anonymous shared memory",
        pattern=r"could not map anonymous shared memory: Cannot allocate memory",
        cause="PostgreSQL cannot get the shared memory that shared_buffers asks for: the container's limit or the host's memory is smaller",
        cure="lower shared_buffers, or give the container more memory",
    ),
    Failure(
        name="browser-sandbox",
        mark="",
        pattern=r"Failed to move to new namespace|No usable sandbox",
        cause="the browser's sandbox may not create a user namespace in this container",
        cure="recreate it with a seccomp profile that allows user namespaces, or run the browser with --no-sandbox",
        source="apify/store-crawler-google-places#126",
        confirmed_by="container.option-missing",
        needs=("--security-opt=seccomp=unconfined",),
    ),
    Failure(
        name="nftables-unsupported",
        mark="nf",
        pattern=r"iptables v[\d.]{1,20} \(nf_tables\): Could not fetch rule set generation id: Invalid argument"
        r"|Failed to initialize nft: Protocol not supported",
        cause="the image's iptables uses nf_tables, which this host's kernel does not have",
        cure="use an image with iptables of the legacy kind: the version before, or the image's own "
        "option for it (ln -sf /sbin/iptables-legacy /sbin/iptables in an image that has both)",
        source="linuxserver/docker-wireguard#392",
        look="builds",
    ),
    Failure(
        name="file-watches",
        mark=("watch", "inotify"),
        pattern=r"""(?x)
            \bnumber\ of\ inotify\ instances\ has\ been\ reached\b  # .NET
            | \binotify\ instance\ limit\ reached\b | ENOSPC:\ System\ limit\ for\ number\ of\ file\ watchers\ reached | inotify\ watch\ limit
            | EMFILE:\ too\ many\ open\ files,\ watch
            | \b(?:inotify|fsnotify|watch(?:er|ing)?)\b[^\n]{0,120}(?:too\ many\ open\ files|\bEMFILE\b)
        """,
        cause="the user's limit of inotify watches or instances on this host is used up",
        cure="set it on the host: sysctl -w fs.inotify.max_user_watches=524288 fs.inotify.max_user_instances=1024",
        confirmed_by="resources.open-files-exhausted",
    ),
)
