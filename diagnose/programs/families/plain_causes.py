"""Causes that a line gives in a few words, without the path, the address or the setting."""

import re

from diagnose.lazy_pattern import LazyPattern
from diagnose.programs.failures.recognition import ABOUT_SETTINGS, NEVER, Failure

_PATH = r"/[\w.@+-]+(?:/[\w.@+-]+)*"
_STATUS = r"\b(?:HTTP(?:/[\d.]+)?|status(?:\ code)?|response(?:\ code)?|returned|got)\W{0,3}"
_NAMES_ADDRESS = LazyPattern(
    r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])|\[[\da-f]{0,4}:[\da-f:]{1,40}\]"
)
"""The line has the called address, so network.calls-failing examines the path to it."""
_OF_A_CALLER = LazyPattern(
    r"(?<!\bto )(?<!\bnot )\b(?:DELETE|GET|HEAD|OPTIONS|PATCH|POST|PUT) /|\bclient\b(?! error)"
    r"|\b(?:remote_?addr|remote_?ip|user_?agent)\b"
    r"|\b(?:by|from|ip) (?:\d{1,3}\.){3}\d|^(?:\W{0,3}[A-Z]{4,8}\W{1,4})?(?:\d{1,3}\.){3}\d{1,3}\s",
    re.IGNORECASE,
)
"""Words of a line about a request that the program itself answers."""
_OF_KERNEL_LIMITS = LazyPattern(
    r"inotify|\bwatch|session key|keyring|namespaces?\b|semaphore|shared memory", re.IGNORECASE
)
"""Tables of the kernel's own: a full one is not a full disk, in the same words."""
_DOES_WITHOUT_LICENCE = LazyPattern(
    r"\b(?:community|evaluation|free|open[- ]source|oss|trial|unlicensed)\b", re.IGNORECASE
)

PLAIN_CAUSES = (
    Failure(
        name="no-room",
        mark=(
            "no space left",
            "quota exceeded",
            "disk is full",
            "disk full",
            "disk space",
            "error 28",
            "errno 28",
            "errno: 28",
            "sqlite_full",
            "error number 28",
        ),
        pattern=r"""(?x)
            \bno\ space\ left\ on\ device\b | \b(?:failed\ with\ error|errno:?|error\ number)\ 28\b | \bSQLITE_FULL\b
            | \bdisk\ quota\ exceeded\b | \bdisk\ (?:is\ )?full\b
            | \b(?:insufficient|not\ enough|no)\ (?:free\ )?disk\ space\b
        """,
        unlike=_OF_KERNEL_LIMITS,
        cause="there is no room where the program writes: its disk, a quota, a tmpfs or a volume of a fixed size "
        "is full",
        cure="free room there, or give it more",
        source="ENOSPC and EDQUOT of Linux",
        confirmed_by="storage.disk-full",
    ),
    Failure(
        name="folder-for-file",
        mark=("is a directory", "eisdir", "os error 21", "input in flex scanner failed"),
        pattern=r"\bEISDIR\b|\(os error 21\)|\bis a directory\.?\s*$|: is a directory\b"
        r"|\binput in flex scanner failed\b",
        of_running=ABOUT_SETTINGS,
        cause="there is a folder where the program expects a file: a missing file on the host becomes an empty folder "
        "when it is mounted",
        cure="see which of the mounts is a folder on the host, make the file there instead, and recreate the container",
        source="moby/moby#30348",
        look="mounts",
        confirmed_by="container.mount-source-missing",
    ),
    Failure(
        name="some-port-taken",
        of_running=NEVER,
        mark=("address already in use", "eaddrinuse", "addrinuse", "address in use"),
        pattern=r"\bEADDRINUSE\b|\baddress (?:already )?in use\b|\bAddrInUse\b",
        cause="another process has the port that the program listens on, in the program's own network, and the line "
        "does not say which port",
        cure="see which other process or container shares that network; if none does, the program is started twice, "
        "or opens one port by a file and by an option",
        source="EADDRINUSE of Linux",
        confirmed_by="network.host-port-conflict",
    ),
    Failure(
        name="key-file-unread",
        mark=("key", "certificate"),
        pattern=r"""(?x)
            ^(?!.*(?:\bno\ such\b|\bdenied\b|\bmismatch|\bmatch\b)).*?
            \b(?:cannot|can't|could\ not|failed\ to|unable\ to)\ (?:get|load|open|read|use)\ (?:the\ )?
            (?:\w{2,12}\ ){0,3}(?:key|certificate)(?:\ chain)?(?:\ file)?(?:\ from)?:?\ ['"]?
            (?P<path>/[\w./@+-]{2,200})
        """,
        of_running=NEVER,
        cause="the program cannot use the file {path} with its certificate or key, and does not say why: it is not "
        "there, the program's user may not read it, it is encrypted, not in PEM form, or belongs to another "
        "certificate",
        cure="see in this order whether it is there, whose it is, and how it begins (head -n 1)",
        source="MariaDB's and OpenVPN's own messages",
        look="certificate",
    ),
    Failure(
        name="file-open-to-all",
        mark=("globally writable", "globally-writable", "world-writable", "world writable"),
        pattern=r"(?P<path>/[\w./@+-]{2,200}) is (?:globally|world)[- ]writable\b",
        cause="everybody may write {path}, and the program refuses such a file",
        cure="take that right away with chmod o-w; of a mounted file, on the host, and on a share from Windows by its "
        "mount options",
        source="FreeRADIUS' own message",
        of_running=NEVER,
    ),
    Failure(
        name="crontab-refused",
        mark="errors in crontab file",
        pattern=r"\berrors in crontab file\b",
        cause="a line of the crontab is wrong, so that cron takes none of its jobs",
        cure="correct the line: five fields for the time, then the command; the line above the message has its number, "
        "counted from 0",
        source="cron's own message",
        of_running=NEVER,
    ),
    Failure(
        name="remote-undefined",
        mark="find section in config file",
        pattern=r'file system for "(?P<remote>[\w -]{1,60}):[^"\n]{0,200}": didn\'t find section in config file',
        cause="rclone's configuration has no remote {remote}: the file is not mounted where rclone looks for it, or "
        "the name is another one",
        cure="mount the file at the path that rclone config file prints in the container, or correct the name",
        source="rclone's own message",
        look="mounts",
    ),
    Failure(
        name="source-indented",
        mark=("taberror: ", "indentationerror: "),
        pattern=r"^(?P<kind>TabError|IndentationError): ",
        cause="a Python file of the program is indented wrongly ({kind}): tabs and spaces are mixed, or a line stands "
        "too far to the left or right",
        cure="correct the line that stands above the message; an editor that writes spaces for tabs avoids it",
        source="Python's own message",
        of_running=NEVER,
    ),
    Failure(
        name="download-unwritten",
        mark="curl: (23)",
        pattern=r"\bcurl: \(23\)",
        cause="curl cannot write what it downloads: the folder is not there or full, or the user may not write in it",
        cure="see whose the folder is that the command names behind -o, and whether it has room",
        source="curl manual, exit codes",
        of_running=NEVER,
    ),
    Failure(
        name="options-misread",
        mark=("bad command", "error in argument "),
        pattern=r"\bbad command[- ]line options?\b|^Error in argument \d{1,3}, char \d{1,4}: ",
        cause="the program does not know an option of its command, and does not say which: it is misspelt, or the "
        "program is built without it",
        cure="compare the command with what the program's --help lists in the same image",
        source="dnsmasq's and PHP's own messages",
        of_running=NEVER,
        build="another",
    ),
    Failure(
        name="listener-unopened",
        mark="socket",
        pattern=r"""(?x)
            ^(?!.*\b(?:connect(?:ing)?\ to|denied|in\ use|permitted|supported|unix)\b).*?
            \b(?:cannot|can't|could\ not|couldn't|failed\ to|unable\ to)\ (?:bind|create|open|set\ up)
            \ (?:to\ )?(?:any\ |its\ |the\ )?(?:listen(?:er|ing)?\ (?:TCP\ |UDP\ )?|TCP\ |UDP\ )sockets?\b
        """,
        of_running=NEVER,
        cause="the program cannot open a port of its own, and does not say why: another process in the same network "
        "has it, its address is not one of the container's, or it is below 1024 and the user may not open it",
        cure="compare the address and the port in its settings with what the container has: ss -ltnup in its network "
        "shows the ports that are taken",
        source="the own messages of Icecast, Tinyproxy and PowerDNS",
        confirmed_by="network.host-port-conflict",
    ),
    Failure(
        name="folder-missing",
        mark=("director", "folder", "path"),
        pattern=rf"""(?x)
            \b(?:directory|folder|path)\W{{1,3}}(?P<path>{_PATH})['"`)]*
            \ (?:does\ not\ exist|doesn't\ exist|is\ missing|is\ not\ a\ directory|not\ found)
        """,
        cause="the program finds no folder {path} in its container",
        cure="mount it there, or correct the path in the program's settings",
        source="many programs",
    ),
    Failure(
        name="file-unread",
        mark=("read", "load", "parse"),
        pattern=rf"""(?x)
            \b(?:unable\ to|cannot|can't|could\ not|couldn't|failed\ to)\ (?:read|load|parse)
            \ (?:the\ )?(?:\w+\ ){{0,3}}?(?:file:?\ )?(?:at\ |from\ )?['"`]?
            (?P<path>{_PATH}\.(?:cfg|conf|crt|env|hcl|ini|json|key|pem|properties|toml|ya?ml))['"`]?\s*$
            | (?P<path_milter>{_PATH}):\ configuration\ error\ at\ line\ 0:\ error\ reading\b
        """,
        of_running=ABOUT_SETTINGS,
        cause="the program cannot use its file {path}: it is not there, its user may not read it, it is a folder, "
        "or its syntax is wrong",
        cure="see in this order whether it is there, whose it is and what it holds",
        source="many programs",
    ),
    Failure(
        name="asked-too-often",
        mark=("too many requests", "rate limit", "toomanyrequests"),
        pattern=r"\btoo many requests\b|\btoomanyrequests\b"
        r"|\brate[- ]limit(?:ed)?\b[^\n]{0,20}\b(?:exceeded|reached|hit)\b",
        unlike=_OF_A_CALLER,
        cause="there are too many requests in a short time: a server that the program calls "
        "accepts no more of them for now, as of an address or an account without a login",
        cure="wait, ask less often, or log in there; a program that starts again and again asks again each time",
        source="RFC 6585, 429 Too Many Requests",
    ),
    Failure(
        name="no-way",
        mark=("route to host", "is unreachable", "enetunreach", "ehostunreach"),
        pattern=r"\bno route to host\b|\b(?:network|host) is unreachable\b|\bE(?:NET|HOST)UNREACH\b",
        unlike=_NAMES_ADDRESS,
        cause="no way leads from the container to an address that the program calls",
        cure="see the networks of the container, the firewall and the other machine; where the address is one of "
        "IPv6, the container may have IPv4 only",
        source="ENETUNREACH and EHOSTUNREACH of Linux",
        look="networks",
    ),
    Failure(
        name="option-required",
        mark="required",
        pattern=r"""(?xi)
            \brequired\ (?:flag|option|argument)(?:\(s\)|s)?\ \\?['"`](?P<option>[\w-]{1,60})\\?['"`]
                [^\n]{0,40}?\b(?:missing|not\ (?:given|passed|provided|set))\b
            | \b(?:flag|option)\ ['"`]?(?P<option_named>--?[\w-]{1,60})['"`]?\ is\ required\b
        """,
        cause="the program needs the option {option} in its command",
        cure="add the option with its value to the command of the container, or set the variable that stands for it",
        source="the own messages of Cobra and others",
        of_running=NEVER,
    ),
    Failure(
        name="file-for-folder",
        mark=("enotdir", "not a directory"),
        pattern=r"""(?x)
            \bENOTDIR:\ not\ a\ directory,\ \w+\ '(?P<path>/[^'\n]{1,200})'
            | (?P<path_first>/[\w./-]{2,200})['"]?:\ Not\ a\ directory\b
        """,
        cause="{path}, or a part of it, is a file where the program expects a folder: a file is mounted there, or was "
        "made in the folder's place",
        cure="look at the host's side of the mount with ls -la, and move the file aside",
        source="the kernel's own message (ENOTDIR)",
        of_running=NEVER,
    ),
    Failure(
        name="bucket-missing",
        mark=("bucket does not exist", "nosuchbucket"),
        pattern=r"\b(?:[Tt]he specified )?bucket does not exist\b|\bNoSuchBucket\b",
        cause="the store of objects (S3, MinIO) has no bucket of the name that the program's settings give",
        cure="make the bucket in the store (mc mb), or correct its name in the settings",
        source="S3's and MinIO's own messages",
    ),
    Failure(
        name="licence-refused",
        mark=("licence", "license"),
        pattern=r"""(?x)
            \b(?:expired|invalid|missing|no\ valid)\ (?:\w+\ )?licen[sc]e\b | \bno\ licen[sc]e\ (?:was\ )?found\b
            | \blicen[sc]e\ (?:key\ |file\ )?(?:has\ |is\ |was\ )?
                (?:expired|invalid|missing|not\ (?:found|valid)|required)\b
        """,
        unlike=_DOES_WITHOUT_LICENCE,
        cause="the program does not take its licence: there is none, or it is over, or meant for another "
        "product or machine",
        cure="give it a licence that is valid now; the key is in its settings",
        source="many programs",
        look="secrets",
    ),
    Failure(
        name="clocks-differ",
        mark=(
            "skew",
            "signature expired",
            "signature has expired",
            "before issued",
            "request time and",
        ),
        pattern=r"""(?x)
            \bRequestTimeTooSkewed\b | \brequest\ time\ and\ the\ server's\ time\ is\ too\ large\b
            | \bclock\ skew\ (?:is\ )?too\ (?:big|great|large)\b | \btime\ skew\b
            | \bsignature\ (?:has\ )?expired\b | \btoken\ used\ before\ issued\b
        """,
        cause="a signature or token bears a time that the other end does not accept: the clocks of two "
        "machines differ, or it is old",
        cure="compare the clocks of both machines (date --utc), and have them set by NTP",
        source="many programs",
        look="machine",
    ),
    Failure(
        name="schedule-refused",
        mark=("cron", "schedule"),
        pattern=r"\b(?:bad|invalid|malformed|unable to parse|could not parse|failed to parse) (?:cron|schedule)\b",
        cause="the program does not understand the schedule in its settings",
        cure="write it as its documentation says: five fields or six, or a word such as @daily",
        source="many programs",
    ),
    Failure(
        name="binary-of-another-kind",
        mark="exec format error",
        pattern=r"\bexec format error\b",
        cause="a program or script that the container starts is made for another kind of processor, or a script "
        "lacks its first line with #!",
        cure="take the image or the file for this machine's processor (uname -m)",
        source="ENOEXEC of Linux",
        look="builds",
    ),
    Failure(
        name="request-too-large",
        mark=("too ", "when serialized which is larger"),
        pattern=r"\b(?:entity|frame|message|packet|payload|body) (?:is )?too (?:big|large)\b"
        r"|\bis \d+ bytes when serialized which is larger than\b",
        unlike=_OF_A_CALLER,
        cause="a request or message is larger than the limit of the end that gets it",
        cure="raise the limit in the program that refuses it, and in each proxy before it",
        source="RFC 9110, 413 Content Too Large",
    ),
    Failure(
        name="called-forbids",
        mark=("403", "(accessdenied)"),
        pattern=rf"(?x)\b403\W{{0,3}}(?:Client\ Error:\ )?Forbidden\b|{_STATUS}403\b|\(AccessDenied\)",
        unlike=_OF_A_CALLER,
        cause="a server knows who asks, and refuses it (403): a right is missing there, or the address or agent of the "
        "caller is blocked",
        cure="give the user or token the right at the server that is asked",
        source="RFC 9110, 403 Forbidden",
    ),
    Failure(
        name="called-has-nothing",
        mark="404",
        pattern=rf"(?x)\b404\W{{0,3}}(?:Client\ Error:\ )?Not\ Found\b|{_STATUS}404\b",
        unlike=_OF_A_CALLER,
        cause="a server answers that there is nothing at the address (404): its path, or the version in it, is wrong",
        cure="correct the address in the settings of the program that asks",
        source="RFC 9110, 404 Not Found",
    ),
    Failure(
        name="called-fails",
        mark=("500", "502", "503", "504"),
        pattern=rf"(?x){_STATUS}(?P<status>50[0234])\b|\b(?P<status_python>50[0234])\ Server\ Error:"
        r"|\bresulted in a `(?P<status_guzzle>50[0234]) ",
        unlike=_OF_A_CALLER,
        cause="a server that is asked fails itself ({status})",
        cure="read the log of the server that is asked, at that time",
        source="RFC 9110, Server Error 5xx",
    ),
    Failure(
        name="socket-folder-missing",
        mark="no such file or directory",
        pattern=r"^(?!.*\bconnect)(?:[\w.-]{1,40}: )?(?:failed to )?(?:bind|listen)(?:\(\))?:? ?"
        r"No such file or directory",
        cause="the program makes a socket file in a folder that its container does not have, such as one below /run, "
        "which is empty after each start",
        cure="make the folder in the image or the start script, or recreate it with --tmpfs for that folder",
        source="fcgiwrap's and uWSGI's own messages",
        of_running=NEVER,
    ),
    Failure(
        name="interface-absent",
        mark=("no such device", "unknown interface", "for vrrp_instance"),
        pattern=r"\bdnsmasq(?:\[\d+\])?: unknown interface (?P<interface_dnsmasq>[a-z][\w.-]{1,14})$"
        r"|\binterface (?P<interface_keepalived>[a-z][\w.-]{1,14}) for vrrp_instance \S{1,60} doesn't exist"
        r"|\b(?:interface|pcap_open_live\(\)):? ['\"]?(?P<interface>[a-z][\w.-]{1,14})['\"]?: "
        r"(?:\w+: )?No such device",
        cause="the program wants the network interface {interface}, which its container does not have: in a network of "
        "Docker it is called eth0, with the host's network it has the host's names",
        cure="name the interface that it has (ip -br link) in its settings, or recreate it with --network=host",
        source="libpcap's own message",
        of_running=NEVER,
    ),
    Failure(
        name="lua-fault",
        mark=("(a nil value)", "' expected (to close '", "' expected near '"),
        pattern=r"\battempt to (?:call|index) (?:global|field|local|method) '(?P<name>[\w.]{1,80})' "
        r"\(a nil value\)"
        r"|:\d{1,6}: '[^'\n]{1,12}' expected (?:\(to close '|near ')",
        cause="a Lua file that the program reads as its settings is wrong: a name in it is misspelt or of a different "
        "version, or a bracket or an end is missing",
        cure="correct the file at the line that the message names",
        source="Lua's own messages",
        of_running=NEVER,
    ),
)
"""After all families that name more."""
