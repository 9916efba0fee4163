"""Plain wordings that many programs have for one kind of fault, with the thing that they name.

They come behind the families of one kind each, whose lines say more.
"""

from diagnose.programs.failures.recognition import ABOUT_SETTINGS, NEVER, Failure
from diagnose.programs.failures.remedies import Raised

_MANY = "many programs"
_PATH = r"/[\w.@%+-]+(?:/[\w.@%+-]+)+"

WORDINGS: tuple[Failure, ...] = (
    Failure(
        name="settings-malformed",
        of_running=ABOUT_SETTINGS,
        mark="",
        pattern=r"""(?x)
            \b(?:config\w*|settings?)\b[^\n]{0,80}\b(?:is|was)\ (?:corrupt(?:ed)?|malformed|not\ valid)\b
            | \btab\ character\b[^\n]{0,60}\bline\ \d
            | \binvalid\ character\ '[^<']'\ looking\ for\ beginning\ of\b
        """,
        cause="the program cannot read its file of settings: its syntax is wrong at the place that the line names",
        cure="correct the file at that place",
        source="the readers of YAML, TOML and JSON in Rust and Go",
    ),
    Failure(
        name="choice-unknown",
        of_running=ABOUT_SETTINGS,
        mark="",
        pattern=r"""(?x)
            \b(?:invalid|unknown|unsupported)\ (?P<key>(?:auth|backend|cache|database|db|driver|log(?:ging)?|network
                |queue|storage)[ _-](?:backend|driver|engine|format|level|mode|provider|type)):?
                \ ['"`]?(?P<value>[\w.-]{1,40})
            | \b(?:invalid|unknown|unrecogni[sz]ed|unsupported)\ (?P<key_kind>(?:balanc\w{2,5}|bridge\ QoS|cipher
                |compression|CipherSuite|curve|load-balancer|rate\ limit|route\ compression|sampling|signing|sync
                |TLS(?:\ m(?:ax|in)imum)?|sso)(?:\ (?:algorithm|level|method|mode|policy|preference|store|strategy
                |suite|version))?):?\ ['"`]?(?P<value_kind>[\w.-]{1,40})['"`]?
                (?=[\s.,;:)]|$)
        """,
        cause="the program has no {key} {value}: the word is misspelt, or of another version of it",
        cure="correct it where it is set: in the variables, the command or the configuration",
        source=_MANY,
    ),
    Failure(
        name="object-missing",
        of_running=NEVER,
        mark="",
        pattern=r"""(?x)
            \b(?P<kind>bucket|collection|exchange|index|queue|stream|topic|vhost)
                \ ['"`\[]?(?P<name>[\w.:/-]{1,120})['"`\]]?\ (?:does\ not|doesn't)\ exist\b
            | \bno\ (?:such\ )?(?P<kind_none>bucket|collection|exchange|index|queue|stream|topic|vhost)
                \ ['"`\[](?P<name_none>[\w.:/-]{1,120})['"`\]]
        """,
        cause="the server that the program calls has no {kind} {name}: nobody has made it, or it has another name",
        cure="make it in that server, or correct its name in the program's settings",
        source="RabbitMQ's, Kafka's and Elasticsearch's own messages",
        look="database",
    ),
    Failure(
        name="data-beyond",
        of_running=NEVER,
        mark="",
        pattern=r"""(?x)
            \bsupports?\b[^\n]{0,40}\bup\ to\ v?(?P<own>\d[\d.]*)[^\n]{0,60}\bis\ at\ v?(?P<data>\d[\d.]*)
            | \b(?:format|schema|version)\ v?(?P<data_format>\d[\d.]*)\b[^\n]{0,60}\bsupports?\ only\ up\ to
                \ v?(?P<own_format>\d[\d.]*)
            | \bversion:?\ found\ v?(?P<data_found>\d[\d.]*)[^\n]{0,40}\bmaximum\ supported:?\ v?(?P<own_found>\d[\d.]*)
            | \b(?:data|database|index|schema|storage)\ version\ v?(?P<data_apart>\d[\d.]*)\ is\ (?:incompatible|not
                \ compatible)\ with\ v?(?P<own_apart>\d[\d.]*)
            | \bcreated\ by\ v?(?P<data_made>\d[\d.]*),\ running\ v?(?P<own_made>\d[\d.]*)
        """,
        cause="the data is of version {data}, and this release of the program is for {own}",
        cure="run the release that wrote the data",
        source=_MANY,
        build="newer",
        look="versions",
    ),
    Failure(
        name="upgrade-in-steps",
        of_running=NEVER,
        mark="upgrade",
        pattern=r"\bupgrade from v?\S{1,20} to v?(?P<step>\d[\w.]*) (?:before|first)\b",
        cause="the data is too old for this release, which does not take it over in one step: {step} comes before",
        cure="run the image of {step} with the same data, let it finish, then run this one",
        source=_MANY,
        look="builds",
    ),
    Failure(
        name="data-in-use",
        of_running=NEVER,
        mark="lock",
        pattern=r"\b(?:failed|unable) to lock (?:the |its )?(?:data|database|store)\b",
        cause="another program uses the same data, or one that was killed left its lock there",
        cure="stop the other one; remove the lock only where none runs",
        source=_MANY,
        confirmed_by="container.data-locked",
    ),
    Failure(
        name="address-absent",
        of_running=NEVER,
        mark="cannot assign requested address",
        pattern=r"\bcannot assign requested address:? (?P<address>\d{1,3}(?:\.\d{1,3}){3})",
        cause="the program should listen at {address}, which its network does not have",
        cure="let it listen at 0.0.0.0, and give the address of the host to -p",
        source="the kernel's own words (EADDRNOTAVAIL)",
        look="networks",
    ),
    Failure(
        name="socket-called",
        of_running=NEVER,
        mark=".sock",
        pattern=rf"\b(?:connect|reach)\b[^\n/]{{0,40}}\bsocket ['\"]?(?P<path>{_PATH}\.sock)",
        cause="the program calls its server at the socket {path}, which its container does not have: the server runs "
        "in another container, or not at all",
        cure="give the program the name and the port of the server in place of the socket",
        source="MySQL's and PostgreSQL's clients",
    ),
    Failure(
        name="processes-refused",
        mark="resource temporarily unavailable",
        pattern=r"\b(?:fork|pthread_create)\b[^\n]{0,40}\bresource temporarily unavailable",
        cause="the program may not start another process or thread: the container's limit of processes (pids limit) or "
        "its user's (ulimit nproc) is reached",
        cure="raise the limit with docker update --pids-limit; for a ulimit, recreate the container",
        source="bash' own message",
        remedy=Raised("pids"),
    ),
    Failure(
        name="watchers-used-up",
        mark="",
        pattern=r"\binotify\w*: no space left on device\b|\bsystem limit (?:for|on)[^\n]{0,30}\bfile watchers\b",
        cause="the user's number of watched files (fs.inotify.max_user_watches) is used up on the host",
        cure="raise it on the host: sysctl -w fs.inotify.max_user_watches=524288",
        source="the kernel's own words (ENOSPC)",
        confirmed_by="container.kernel-setting-low",
        needs=("fs.inotify.max_user_watches", "524288"),
    ),
    Failure(
        name="java-classes-memory",
        mark="metaspace",
        pattern=r"\bOutOfMemoryError: Metaspace\b",
        cause="the room that Java has for classes (Metaspace) is full",
        cure="raise -XX:MaxMetaspaceSize, where it is set, and the container's memory limit with it",
        source="Java documentation, OutOfMemoryError",
        look="memory",
    ),
    Failure(
        name="file-cut-off",
        of_running=NEVER,
        mark="",
        pattern=rf"""(?x)
            \bfile\ is\ truncated:?\ (?P<path>{_PATH})
            | \bunexpected\ end\ of\ file\b[^\n/]{{0,40}}(?P<path_read>/(?:var/lib|data)/[\w./@%+-]{{2,200}})
        """,
        cause="the file {path} of the program's data is cut off, as after a power loss or a full disk",
        cure="copy the data folder first, then restore the file from a backup, or use the program's own repair",
        source=_MANY,
        look="data",
    ),
    Failure(
        name="identity-refused",
        of_running=NEVER,
        mark="operation not permitted",
        pattern=r"\b(?P<call>initgroups|setgid|setgroups|setres[ug]id|setuid)\b[^\n]{0,40}\boperation not permitted",
        cause="the program may not change to another user ({call}): that needs root with the capabilities SETUID and "
        "SETGID",
        cure="give back these capabilities (--cap-drop took them), or run it as the user to which it would change",
        source="the kernel's own words (EPERM)",
        confirmed_by="container.option-missing",
        needs=("--cap-add=SETUID", "--cap-add=SETGID"),
    ),
    Failure(
        name="licence-unread",
        of_running=ABOUT_SETTINGS,
        mark="licen",
        pattern=r"\blicen[cs]e\b[^\n]{0,80}\b(?:could not|cannot|can't) be (?:found|loaded|read)\b"
        r"|\brequires? an? (?:enterprise|paid|valid) licen[cs]e\b",
        cause="the program needs a licence that it cannot find, or not one of this kind",
        cure="mount the licence file where the line says, or set its variable; else turn off the feature that needs it",
        source=_MANY,
    ),
    Failure(
        name="setting-empty",
        of_running=NEVER,
        mark=("blank", "empty"),
        pattern=r"^\W*(?:\w+:\ )?(?:[Tt]he )?(?P<key>[a-z][\w.-]{1,40}) "
        r"(?:must not|cannot|can't|may not|should not) be (?:blank|empty)\b",
        cause="the setting {key} of the program has no value",
        cure="set it, as the documentation of this version names it",
        source=_MANY,
    ),
    Failure(
        name="room-named",
        mark="",
        pattern=rf"\bno space left (?:in|on) (?P<path>{_PATH}|/data|/config)\b|\bquota exceeded (?:for|on)\b",
        cause="the disk or the quota of the place to which the program writes is full",
        cure="free space there, or raise the quota",
        source=_MANY,
        may_pass=True,
    ),
)
"""In the order in which a line is compared with them."""
