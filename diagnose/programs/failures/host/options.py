"""Options of `docker run` without which a program cannot work."""

from diagnose.programs.failures.recognition import Failure
from diagnose.programs.failures.remedies import Given

_ADVICE = (
    r"\b(?:add|give|grant|missing|need(?:s|ed)?|pass|requires?|run|set|start(?:ed)?|try|us(?:e|ing)|with)"
    r"\b.{0,60}"
)
"""Words with which a program advises an option of `docker run`; an option that it only lists is not
missing."""
_OPTION = "container.option-missing"
_IN_THE_WAY = "container.option-in-the-way"

OPTIONS = (
    Failure(
        name="no-new-privileges",
        mark=("'nosuid' option", "setuid sandbox", "must be suid", "no new privileges"),
        pattern=r"sudo: effective uid is not 0, is \S+ on a file system with the 'nosuid' option"
        r"|sudo: The \"no new privileges\" flag is set"
        r"|\bsu: must be suid to work properly|setuid sandbox is not running as root",
        cause="the program tries to become root, which no-new-privileges, a nosuid mount or a missing setuid bit prevents",
        cure="recreate it without no-new-privileges, or run it as the user that it needs",
        source="pi-hole/docker-pi-hole#1069",
        confirmed_by=_IN_THE_WAY,
        needs=("no-new-privileges",),
    ),
    Failure(
        name="noexec-tmpfs",
        mark="map segment",
        pattern=r"(?P<path>(?<!\w)(?!/(?:usr/)?lib)/[^\s:'\"]+|(?<![\w/.-])[\w-]{1,40}\.so): failed to map segment from shared object",
        cause="the program loads code from {path}, but that folder is mounted noexec, as every tmpfs of Docker is",
        cure="recreate it with --tmpfs FOLDER:exec, or let the program use another folder",
        source="netty/netty#6678",
        confirmed_by=_IN_THE_WAY,
        needs=("noexec",),
    ),
    Failure(
        name="file-size-limit",
        mark=("efbig", "file size limit", "file too large", "sigxfsz"),
        pattern=r"\bFile size limit exceeded\b|(?-i:\bFile too large\b)|\bEFBIG\b|\bSIGXFSZ\b",
        cause="a file that the program writes became larger than its limit allows "
        "(ulimit fsize), or than its file system can hold",
        cure="recreate it without --ulimit fsize",
        source="docker/for-linux#1066",
        confirmed_by=_IN_THE_WAY,
        needs=("fsize",),
    ),
    Failure(
        name="temporary-folder",
        mark=("no usable temporary directory", "bad temp directory: /", "tmp/"),
        pattern=r"No usable temporary directory (?:name )?found|\bBad temp directory: /"
        r"|\bCan't create/write to file '(?:/var)?/tmp/[^'\n]{1,80}' \(Errcode: (?:2|13|30)\b",
        cause="the program can make a file in none of its folders for temporary files: they are "
        "read-only, full or missing",
        cure="recreate it with --tmpfs=/tmp",
        source="DataDog/docker-dd-agent#150, sonatype/docker-nexus#73",
        confirmed_by=_OPTION,
        needs=("--tmpfs=/tmp",),
    ),
    Failure(
        name="s6-services-invalid",
        mark="s6-rc-compile: fatal",
        pattern=r"s6-rc-compile: fatal: (?:invalid|unable to read) (?P<file>/\S{1,200})",
        cause="the image's own list of services is broken at {file}, so that s6 starts none of them: the image was built "
        "wrongly, its copy here is damaged, or a mount hides that folder",
        cure="run the build of the image that worked before, and pull this one again",
        source="linuxserver/docker-swag#572",
        turns_away=True,
        build="another",
        look="builds",
    ),
    Failure(
        name="s6-not-first",
        mark="can only run as pid 1",
        pattern=r"s6-overlay-suexec: fatal: can only run as pid 1",
        cause="the image's own init must be the first process, and another one stands before it",
        cure="recreate it without --init (init: false in compose) and without pid: host",
        source="hotio/radarr#20",
        confirmed_by=_OPTION,
        needs=("--init=false",),
    ),
    Failure(
        name="iptables-capability",
        mark="iptables",
        pattern=r"can't initialize iptables table `\w+': Permission denied|iptables.{0,120}(?:you must be root|Operation not permitted)",
        cause="the program changes packet filter rules, which needs the capability NET_ADMIN",
        cure="recreate it with --cap-add=NET_ADMIN",
        confirmed_by=_OPTION,
        needs=("--cap-add=NET_ADMIN",),
    ),
    Failure(
        name="interface-capability",
        mark="operation not permitted",
        pattern=r"RTNETLINK answers: Operation not permitted|Unable to access interface: Operation not permitted"
        r"|\bCannot ioctl TUNSETIFF\b.{0,20}: Operation not permitted|\b(?:ip|ifconfig|route|brctl): (?:ioctl 0x[0-9a-f]+ failed|SIOC\w+): Operation not permitted",
        cause="the program changes network interfaces, which needs the capability NET_ADMIN",
        cure="recreate it with --cap-add=NET_ADMIN",
        confirmed_by=_OPTION,
        needs=("--cap-add=NET_ADMIN",),
    ),
    Failure(
        name="valid-mark-read-only",
        mark="src_valid_mark",
        pattern=r"src_valid_mark['\"]?: Read-only file system",
        cause="wg-quick sets net.ipv4.conf.all.src_valid_mark, which a container may only be given "
        "when it is created",
        cure="recreate it with --sysctl=net.ipv4.conf.all.src_valid_mark=1",
        source="linuxserver/docker-wireguard#206",
        confirmed_by=_OPTION,
        needs=("--sysctl=net.ipv4.conf.all.src_valid_mark=1",),
    ),
    Failure(
        name="forwarding-read-only",
        mark="ip_forward",
        pattern=r"\bip_forward['\"]?: Read-only file system",
        cause="the program turns IP forwarding on, which a container may only be given when it is "
        "created",
        cure="recreate it with --sysctl=net.ipv4.ip_forward=1",
        source="IAmStoxe/wirehole#62",
        confirmed_by=_OPTION,
        needs=("--sysctl=net.ipv4.ip_forward=1",),
    ),
    Failure(
        name="ipv6-read-only",
        mark="disable_ipv6",
        pattern=r"\bdisable_ipv6['\"]?: Read-only file system",
        cause="the program turns IPv6 on, which a container may only be given when it is created",
        cure="recreate it with --sysctl=net.ipv6.conf.all.disable_ipv6=0",
        source="the kernel's own message",
        confirmed_by=_OPTION,
        needs=("--sysctl=net.ipv6.conf.all.disable_ipv6=0",),
    ),
    Failure(
        name="tun-device",
        mark=("/dev/net/tun", "tstun.new(", "open tun device file"),
        pattern=r"\bcannot Unix Open TUN device file: no such (?:device|file)|\btstun\.New\([^)\n]{1,40}\): operation not permitted|(?:Cannot open TUN/TAP dev|cannot open|open) ?/dev/net/tun.{0,40}(?:No such file|not permitted|permission denied)"
        r"|/dev/net/tun does not exist",
        cause="the program needs the device /dev/net/tun",
        cure="recreate it with --device=/dev/net/tun --cap-add=NET_ADMIN",
        confirmed_by=_OPTION,
        needs=("--device=/dev/net/tun", "--cap-add=NET_ADMIN"),
    ),
    Failure(
        name="vault-mlock",
        mark="lock",
        pattern=r"(?:Failed to lock memory|mlock).{0,60}(?:cannot allocate memory|operation not permitted)|IPC_LOCK",
        cause="the program locks its memory, which needs the capability IPC_LOCK",
        cure="recreate it with --cap-add=IPC_LOCK",
        confirmed_by=_OPTION,
        needs=("--cap-add=IPC_LOCK",),
    ),
    Failure(
        name="privileged",
        mark="are you root",
        pattern=r"mount: permission denied \(are you root\?\)",
        cause="the program mounts file systems, as an inner Docker engine does, "
        "which only a privileged container may",
        cure="recreate it with --privileged",
        source="docker-library/docker#281",
        confirmed_by=_OPTION,
        needs=("--privileged",),
    ),
    Failure(
        name="elasticsearch-discovery",
        mark="default discovery settings",
        pattern=r"the default discovery settings are unsuitable for production use",
        cause="Elasticsearch expects a cluster, but its settings name no other node",
        cure="for a single node set discovery.type=single-node",
        source="elastic/elasticsearch#41071",
        confirmed_by=_OPTION,
        needs=("--env=discovery.type=single-node",),
    ),
    Failure(
        name="home-missing",
        mark="/.",
        pattern=r"(?:permission denied|EACCES|Errno 13|not permitted)\b.{0,80}?['\" ]"
        r"(?P<path>/\.(?!docker)[a-z][\w-]{1,30}\b[\w./-]{0,100})"
        r"|\bnpm (?:ERR!|error) path (?P<path_npm>/\.npm\b[\w./-]{0,100})",
        cause="the container's user has no home folder, and the program wants to write {path}",
        cure="recreate it with --env=HOME=/tmp, or as the user that its image is made for",
        source="npm's, pip's and .NET's own messages",
        confirmed_by="container.option-missing",
        needs=("--env=HOME=/tmp",),
    ),
    Failure(
        name="node-openssl",
        mark=("digital envelope routines", "err_ossl_evp_unsupported"),
        pattern=r"digital envelope routines::unsupported|ERR_OSSL_EVP_UNSUPPORTED",
        cause="this Node.js (17 or later) has an OpenSSL without the old hash that the program's build tool uses",
        cure="upgrade the build tool (webpack 5.61 or later), or run the image node:16; until then "
        "NODE_OPTIONS=--openssl-legacy-provider",
        source="webpack/webpack#14532",
        confirmed_by=_OPTION,
        needs=("--env=NODE_OPTIONS=--openssl-legacy-provider",),
    ),
    Failure(
        name="protobuf-generated",
        mark="descriptors cannot",
        pattern=r"Descriptors cannot (?:not )?be created directly",
        cause="the installed protobuf is newer than the one that the program's code was generated for",
        cure="install protobuf 3.20 in the image; until then PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION=python",
        source="protocolbuffers/protobuf#10051",
        confirmed_by=_OPTION,
        needs=("--env=PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION=python",),
    ),
    Failure(
        name="celery-root",
        mark="superuser privileges",
        # the sentence goes on in the next line of the log
        pattern=r"Running a worker with superuser privileges when the",
        cause="Celery refuses to run as root while it accepts messages in pickle format",
        cure="run the container as another user, or set C_FORCE_ROOT=1",
        source="celery/celery#4446",
        confirmed_by=_OPTION,
        needs=("--env=C_FORCE_ROOT=1",),
    ),
    Failure(
        name="numba-cache",
        mark="no locator available",
        pattern=r"cannot cache function .{1,80}: no locator available",
        cause="numba finds no folder in which its user may keep compiled functions",
        cure="recreate it with --env=NUMBA_CACHE_DIR=/tmp",
        source="numba/numba#4032",
        confirmed_by=_OPTION,
        needs=("--env=NUMBA_CACHE_DIR=/tmp",),
    ),
    Failure(
        name="descriptors-low",
        mark="max file descriptors",
        pattern=r"max file descriptors \[(?P<has>\d+)\] for \w+ process is too low, increase to at least \[(?P<least>\d+)\]",
        cause="the program may open {has} files and needs {least}",
        cure="recreate it with --ulimit nofile={least}:{least}",
        confirmed_by=_OPTION,
        needs=("--ulimit=nofile={least}:{least}",),
    ),
    Failure(
        name="descriptors-short",
        mark="ulimit -n",
        pattern=r"current 'ulimit -n' of (?P<has>\d+) is not enough.{1,80}\bat least (?P<least>\d+)",
        cause="the program may open {has} files and needs {least}",
        cure="recreate it with --ulimit nofile={least}:{least}",
        confirmed_by=_OPTION,
        needs=("--ulimit=nofile={least}:{least}",),
    ),
    Failure(
        name="memory-lock-low",
        mark="memory locking requested",
        pattern=r"memory locking requested for \w+ process but memory is not locked",
        cause="the program locks its memory, and its limit of locked memory is too low",
        cure="recreate it with --ulimit memlock=-1:-1",
        confirmed_by=_OPTION,
        needs=("--ulimit=memlock=-1:-1",),
    ),
    Failure(
        name="memory-lock-refused",
        mark="",
        pattern=r"max locked memory: cannot modify limit|RLIMIT_MEMLOCK.{0,60}(?:not permitted|too low|increase|failed)"
        r"|(?:increase|raise|set|low).{0,30}(?:RLIMIT_MEMLOCK|ulimit -l)\b",
        cause="the program raises its limit of locked memory, and its container may not",
        cure="recreate it with --ulimit memlock=-1:-1",
        source="Anchormen/elasticsearch-kubernetes#3",
        confirmed_by=_OPTION,
        needs=("--ulimit=memlock=-1:-1",),
        goes_on=True,
    ),
    Failure(
        name="open-files-refused",
        mark="",
        pattern=r"open files: cannot modify limit"
        r"|RLIMIT_NOFILE.{0,60}(?:not permitted|too low|increase|failed)"
        r"|(?:increase|raise|set|low).{0,30}(?:RLIMIT_NOFILE|ulimit -n)\b|\bfailed to set rlimit for open files\b",
        cause="the program raises its limit of open files above the one of its container",
        cure="recreate it with --ulimit nofile=1048576:1048576",
        source="bash's own message",
        confirmed_by=_OPTION,
        needs=("--ulimit=nofile=1048576:1048576",),
        goes_on=True,
    ),
    Failure(
        name="processes-refused",
        mark="",
        pattern=r"max user processes: cannot modify limit|RLIMIT_NPROC.{0,60}(?:not permitted|too low|increase|failed)",
        cause="the program raises its limit of processes, and its container may not",
        cure="recreate it with --ulimit nproc=-1:-1",
        source="bash's own message",
        confirmed_by=_OPTION,
        needs=("--ulimit=nproc=-1:-1",),
        goes_on=True,
    ),
    Failure(
        name="user-switch",
        mark="operation not permitted",
        pattern=r"(?:failed switching to \"?(?P<user>[\w:]+)|setgroups(?:\(\))?|s6-applyuidgid: fatal: unable to set supplementary group list|su-exec: setgroups|unable to set[gu]id to \w+|setpriv: set(?:res[ug]id|groups) failed)\b.{0,40}Operation not permitted",
        cause="the start script changes to another user, and needs the capabilities SETUID and SETGID for that",
        cure="recreate it with --cap-add=SETUID --cap-add=SETGID, or without --cap-drop",
        confirmed_by=_OPTION,
        needs=("--cap-add=SETUID", "--cap-add=SETGID"),
    ),
    Failure(
        name="read-only-root",
        mark=("read-only file", "erofs", "errno 30", "errcode: 30"),
        pattern=r"^(?!.*(?<![\w.])/(?:proc|sys)/[^\s:'\"]+['\"]?: Read-only)"
        r".*?(?P<path>/[^\s'\":]+)['\"]?(?: failed| is not writable)?:? (?:\(\d+: )?Read-only file ?system"
        r"|(?:EROFS|Errno 30\]).{0,60}?'(?P<path_node>/[^']+)'"
        r"|\(30\)Read-only file system: [^/\n]{0,60}(?P<path_apache>/\S{1,200})"
        r"|\bCan't create (?:test file|/write to file) '(?P<path_maria>/[^']{1,200})' \(Errcode: 30\b",
        cause="the program writes to {path}, which is on a read-only file system",
        cure="recreate it with --tmpfs for that folder, or without --read-only",
        confirmed_by=_OPTION,
        needs=("--tmpfs",),
    ),
    Failure(
        name="chown-refused",
        mark="operation not permitted",
        pattern=r"\bchown: (?:changing ownership of )?'?(?P<path>/[^':]+)'?: Operation not permitted"
        r"|\bEPERM: operation not permitted, l?chown '(?P<path_node>/[^']{1,300})'"
        r"|\bchown \"(?P<path_rsync>/[^\"]{1,300})\" failed: Operation not permitted",
        cause="the start script may not change the owner of {path}: that needs the capability CHOWN, and a mount that knows owners (NFS with root_squash, CIFS and exFAT do not)",
        cure="recreate it with --cap-add=CHOWN; on such a mount let the script skip chown",
        confirmed_by=_OPTION,
        needs=("--cap-add=CHOWN",),
    ),
    Failure(
        name="chown-here-refused",
        mark="operation not permitted",
        pattern=r"\bchown: (?:changing ownership of )?'?\.'?: Operation not permitted",
        cause="the start script may not change the owner of its working directory: that needs the "
        "capability CHOWN",
        cure="recreate it with --cap-add=CHOWN, or as the user that owns that folder",
        source="redis's entrypoint",
        confirmed_by=_OPTION,
        needs=("--cap-add=CHOWN",),
    ),
    # What any program advises comes last: the rows above say what it is for.
    Failure(
        name="kernel-setting-advised",
        mark="--sysctl",
        pattern=_ADVICE
        + r"--sysctl[= ]['\"]?(?P<setting>(?:net|kernel\.(?:shm|msg)|fs\.mqueue)[\w./-]*)"
        r"=(?P<value>\d+)",
        cause="the program asks for the kernel setting {setting}={value}, which a container is given "
        "when it is created",
        cure="recreate it with --sysctl={setting}={value}",
        source="tprasadtp/protonvpn-docker#204",
        confirmed_by=_OPTION,
        needs=("--sysctl={setting}={value}",),
        explains_only=True,
    ),
    Failure(
        name="capability-advised",
        mark="--cap-add",
        pattern=_ADVICE
        + r"--cap-add[= ]['\"]?(?:CAP_)?(?P<capability>(?!ALL\b|CAP)[A-Z][A-Z_]+)\b",
        cause="the program asks for the capability {capability}",
        cure="recreate it with --cap-add={capability}",
        confirmed_by=_OPTION,
        needs=("--cap-add={capability}",),
        explains_only=True,
    ),
    Failure(
        name="root-needs-option",
        mark="running as root",
        pattern=r"Running as root is not recommended\. Use (?P<option>--[a-z][a-z-]{1,40})\b",
        cause="the program runs as root, which it refuses without its option {option}",
        cure="add {option} to its command, or run it as another user with --user",
        source="Jupyter's own message",
        remedy=Given("{option}"),
    ),
    Failure(
        name="chrome-as-root",
        mark="running as root",
        pattern=r"Running as root without --no-sandbox is not supported",
        cause="Chrome does not run as root while it has its sandbox",
        cure="run the container as another user with --user, or have the program start Chrome with "
        "--no-sandbox, which lets a page that breaks out of Chrome do what root of the container may",
        source="Chrome's own message",
    ),
    Failure(
        name="deno-permission",
        mark="access to",
        pattern=r"Requires (?P<what>env|ffi|net|read|run|sys|write) access to .{0,200}(?P<option>--allow-\w+)",
        cause="Deno runs the program without the permission {option}",
        cure="write {option} between `deno run` and the name of the program",
        source="Deno's own message",
    ),
    Failure(
        name="mongo-keyfile-needed",
        mark="security.keyfile",
        pattern=r"security\.keyFile is required when authorization is enabled with replica sets",
        cause="MongoDB has users and a replica set, whose members need a key file, and none is named",
        cure="mount a file with a random text (openssl rand -base64 756) that belongs to 999:999 and has "
        "mode 400, and add --keyFile with its path to the command",
        source="MongoDB's own message",
    ),
)
