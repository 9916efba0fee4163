"""Complaints about the surroundings of a program: threads, files, a socket, a right, a way in."""

import re

from diagnose.lazy_pattern import LazyPattern
from diagnose.programs.failures.recognition import NEVER, Failure
from diagnose.programs.failures.remedies import Inside, NamedNumber, NamedVolume, Raised, TypedLike

_MANY = "many programs"
_OPTION = "container.option-missing"
_SOCKET = "/var/run/docker.sock"

_ABOUT_A_DISK = LazyPattern(r"\bdis[ck]s?\b|\bdrives?\b|\bvolumes?\b|\bfile ?systems?\b|(?<!\w)/\w")
"""A running program also reports that a mailbox or a warehouse is full."""

SURROUNDINGS = (
    Failure(
        name="pool-empty",
        mark="",
        pattern=r"""(?x)
            \bconnection\ not\ available\ and\ request\ was\ dropped\ from\ queue\b  # Ecto
            | \bTimed\ out\ fetching\ a\ new\ connection\ from\ the\ connection\ pool\b  # Prisma
            | \bQueuePool\ limit\ of\ size\ \d{1,6}\ overflow\ \d{1,6}\ reached\b  # SQLAlchemy
            | \bConnection\ is\ not\ available,\ request\ timed\ out\ after\b  # HikariCP
            | \bTimeout\ acquiring\ a\ connection\.\ The\ pool\ is\ probably\ full\b  # Knex
            | \bcould\ not\ obtain\ a\ (?:database\ )?connection\ (?:from\ the\ pool\ )?within\b  # Rails
            | \bPoolTimedOut\b  # SQLx
            | \bResourceRequest\ timed\ out\b | \btimeout\ exceeded\ when\ trying\ to\ connect\b  # Node.js
        """,
        cause="the program gets no connection to its database in time: the database does not answer, or queries hold "
        "all connections of the program's pool",
        cure="look whether the database runs and answers; if it does, look for slow queries in it, and for work that "
        "keeps its connection",
        source="Ecto's, Prisma's, SQLAlchemy's, HikariCP's, Knex' and Rails' own messages; supabase/supabase#16777",
        turns_away=True,
        look="database",
    ),
    Failure(
        name="docker-socket",
        mark=("docker", "server api version"),
        pattern=r"""(?x)
            (?:could\ ?n.t|cannot|can't|failed\ to|unable\ to)\ connect\ to\ (?:the\ )?docker\ daemon
            | dial\ unix\ /(?:var/)?run/docker\.sock:\ connect:\ no\ such\ file
            | (?:ENOENT|no\ such\ file).{0,60}/(?:var/)?run/docker\.sock
            | \bcould\ not\ connect\ to\ any\ Docker\ Engine\b
            | \bdocker\ socket\ is\ not\ (?:available|mounted)\b
            | \bError\ while\ fetching\ server\ API\ version:.{0,40}FileNotFoundError
        """,
        cause="the program commands the Docker engine, and does not reach the engine's socket; "
        "who has that socket can do anything on the host",
        cure="recreate it with --volume=/var/run/docker.sock:/var/run/docker.sock",
        source="docker's own message",
        confirmed_by=_OPTION,
        needs=(f"--volume={_SOCKET}:{_SOCKET}",),
    ),
    Failure(
        name="user-nameless",
        of_running=NEVER,
        mark=("uid", "userid", "user id", "uv_os_get_passwd", "loginexception", "passwd"),
        pattern=r"""(?x)
            \bgetpwuid\(\):\ uid\ not\ found:\ (?P<uid>\d{1,10})\b  # Python
            | \bNo\ user\ exists\ for\ uid\ (?P<uid_ssh>\d{1,10})\b
            | \buser:\ unknown\ userid\ (?P<uid_go>\d{1,10})\b
            | \bunknown\ uid\ (?P<uid_tools>\d{1,10})\b  # busybox, sudo
            | \b(?:could\ not\ look\ up\ effective|whoami:\ cannot\ find\ name\ for)
                \ user\ ID\ (?P<uid_postgres>\d{1,10})\b
            | \buv_os_get_passwd\b  # Node.js
            | \bunable\ to\ look\ up\ current\ user\ in\ the\ passwd\ file\b  # git
            | \bLoginException:.{0,80}\binvalid\ null\ input:\ name\b  # Java
        """,
        cause="the program asks for the name or the home folder of its user, and the number that the container runs as "
        "has no entry in the image's /etc/passwd",
        cure="run the container as a user that the image has, or add the number to /etc/passwd in the image",
        source="the languages' own messages; docker-library/postgres#359",
        remedy=NamedNumber(),
    ),
    Failure(
        name="cluster-needed",
        mark="",
        pattern=r"""(?x)
            \bunable\ to\ load\ in-cluster\ configuration\b
            | \bno\ configuration\ has\ been\ provided,\ try\ setting\ KUBERNETES_MASTER\b
            | \bService\ host/port\ is\ not\ set\b | \bNot\ in\ cluster\b
        """,
        cause="the program is made for Kubernetes, and runs in no cluster here",
        cure="run the edition of the program that is made for Docker; where a cluster is elsewhere, "
        "mount its kubeconfig, and name the file in the variable KUBECONFIG",
        source="client-go's and clientcmd's own messages, and those of Kubernetes' client for Python",
    ),
    Failure(
        name="name-of-another",
        mark="is already in use by container",
        pattern=r"container name \\?\"/?(?P<name>[\w.-]{1,128})\\?\" is already in use by container",
        cause="the program makes a container called {name}, and that name is taken: a second copy of the "
        "program does the same work, or an earlier run of it broke off",
        cure="look with docker ps -a: stop the second copy, or remove what an earlier run has left",
        source="docker's own message, containrrr/watchtower#271",
    ),
    Failure(
        name="fuse-device",
        mark="fuse",
        pattern=r"fuse: device not found|/dev/fuse.{0,40}(?:no such file|not permitted|not found)",
        cause="the program mounts a file system with FUSE, and needs the device /dev/fuse for that",
        cure="recreate it with --device=/dev/fuse --cap-add=SYS_ADMIN",
        source="libfuse's own message",
        confirmed_by=_OPTION,
        needs=("--device=/dev/fuse",),
    ),
    Failure(
        name="systemd-needed",
        mark="",
        pattern=r"""(?x)
            has\ not\ been\ booted\ with\ systemd
            | failed\ to\ (?:get|connect\ to)\ (?:D-?Bus|bus)\b
            | failed\ to\ mount\ cgroup\ at
        """,
        cause="the program expects systemd, which does not run in an ordinary container",
        cure="run the server itself as the container's command, without systemctl and service",
        source="systemd's own message",
    ),
    Failure(
        name="download-refused",
        of_running=NEVER,
        mark=("requested url returned error", "server returned error"),
        pattern=r"""(?x)
            \bcurl:\ \(22\)\ The\ requested\ URL\ returned\ error:\ (?P<status>4\d\d)\b
            | \bwget:\ server\ returned\ error:\ HTTP/[\d.]+\ (?P<status_wget>4\d\d)\b
        """,
        cause="the server that the program asks at its start answers with {status}: the address is wrong, or the token "
        "or account that is sent along may not see it (some servers say 404 then)",
        cure="correct the address, the name or the token in its settings",
        source="tcardonne/docker-github-runner#11",
        look="addresses",
    ),
    Failure(
        name="download-failed",
        of_running=NEVER,
        mark="",
        pattern=r"""(?x)
            ^(?!.*(?:\bno\ space\ left\b|\b(?:error:\ |status\ |:\ )40[13]\b)).*?(?:
            \bfailed\ to\ (?:process|get|fetch|download)\b[^/\n]{0,40}
                (?:\bdownload\b|\bchecksum\b|\bat\ https?:|\bfrom\ https?:)
            | \bcurl:\ \((?:6|7|18|22|28|35|52|56)\)
            | \bwget:\ (?:download\ timed\ out|server\ returned\ error)
            | \bcouldn't\ connect\ to\ 'https://huggingface\.co' | \bLocalEntryNotFoundError\b
            )
        """,
        cause="the program downloads something at its start, and that failed: the container does not reach "
        "the internet, or the server refuses the download or has moved it",
        cure="ask for the same address from the host; start it again later, or run a newer build that knows the "
        "new address",
        source="itzg/docker-minecraft-bedrock-server#33, open-webui/open-webui#1768",
        may_pass=True,
    ),
    Failure(
        name="threads-refused",
        mark="thread",
        pattern=r"""(?x)
            (?:pthread_create|thread\ creation).{0,40}fail.{0,40}(?:resource\ temporarily|EAGAIN)
            | unable\ to\ create\ (?:new\ )?native\ thread
            | can't\ start\ new\ thread | \bThread\ creation\ failed\b
        """,
        cause="the program may not start another thread: the container's limit of processes (pids limit) or its user's "
        "(ulimit nproc) is reached, or the host's Docker and libseccomp are older than the image",
        cure="raise the limit with docker update --pids-limit; for a ulimit, recreate the container",
        source=_MANY,
        remedy=Raised("pids"),
    ),
    Failure(
        name="memory-refused",
        mark="",
        pattern=r"""(?x)
            (?:cannot|can't|can\ not|could\ not|failed\ to|unable\ to)\ (?:allocate|map|reserve)
                \ (?:(?!(?:cuda|device|gpu|video|vram)\b)\w+\ ){0,3}memory
            | \bmmap\(\d+\ bytes\)\ failed;\ errno\ 12
        """,
        cause="the system gives the program no more memory: the host's is used up, "
        "or the container's limit is lower than what the program takes at its start",
        cure="compare free -m and docker stats with the sizes in the program's own settings, "
        "such as its buffers and its heap",
        source=_MANY,
    ),
    Failure(
        name="space-short",
        of_running=_ABOUT_A_DISK,
        mark="",
        pattern=r"""(?x)
            \b(?:insufficient|not\ enough|too\ little)\ (?:free\ |available\ |disk\ )*space\b
            | \bdisk\ size\ is\ less\ than\b | \bminimum\ (?:free\ )?(?:disk\ )?space\b
            | \breached\ its\ minimum\ free\ drive\ threshold\b  # MinIO
            | \bneeds?\ \d{1,5}\ ?[KMGT]i?B\ of\ free\ (?:disk\ )?space\b  # Steam
        """,
        cause="the disk on which the program keeps its data has less free room than it asks for",
        cure="free room there, or mount a larger disk: docker exec with df -h shows which one it is",
        source="MongoDB's and MinIO's own messages",
        confirmed_by="storage.disk-full",
    ),
    Failure(
        name="share-unfit",
        mark="",
        pattern=r"""(?x)
            \b(?:fsync|mmap|fallocate|flock|O_DIRECT|direct\ I/O|sendfile|fcntl)\b[^\n]{0,60}
                (?:invalid\ argument|operation\ not\ supported|function\ not\ implemented|not\ supported
                |errno\ (?:22|38|95|524)\b)
            | \berrno\ 524\b
            | \bcopy_file\ "?\S{1,300}\ (?:to|->)\ \S{1,300}\ failed:\ Operation\ not\ permitted\b  # C++
            | \.(?:db|mdb|sqlite3?|wal|wt)['"]?:\ (?:[\w-]{1,20}:\ ){0,2}(?:invalid\ argument|function\ not\ implemented
                |operation\ not\ (?:permitted|supported))\b
        """,
        cause="the file system of the data folder cannot do what the program asks of it, "
        "as shares (NFS, SMB, a folder of a Mac or of Windows) cannot",
        cure="keep this data in a named volume, or on a local disk of the host",
        source="cockroachdb/docs#5346",
        look="sharing",
    ),
    Failure(
        name="java-libraries",
        mark="",
        pattern=r"\b(?:NoSuchMethodError|NoSuchFieldError|AbstractMethodError|IncompatibleClassChangeError)\b",
        cause="two Java libraries of the program do not fit each other: a plugin or an agent, often a "
        "mounted one, is made for another version of the program",
        cure="use the plugin that is made for this version of the image, or remove it",
        source="Java's own message",
        build="another",
        look="image",
    ),
    Failure(
        name="port-low",
        mark="",
        pattern=r"""(?xm)
            ^(?=.*permission\ denied)(?=.*\b(?:bind|listen\w*|socket)\b)
            .*?(?:\bport\ |(?<![\d/]):|[\d\]]:|,\ )(?<!\.cfg:)(?<!\d\d:\d\d:)
            (?P<port>[1-9]\d{0,2}|10[01]\d|102[0-3])\b(?![.\d]|:\d)
        """,
        cause="the program's user may not listen at port {port}: below 1024 that needs root, "
        "the capability NET_BIND_SERVICE, or the engine's sysctl for containers",
        cure="let it listen at a port from 1024 on and publish that one, or recreate it with "
        "--sysctl=net.ipv4.ip_unprivileged_port_start=0",
        source="nginx', dnsmasq's, Go's and Python's own messages",
        confirmed_by=_OPTION,
        needs=("--sysctl=net.ipv4.ip_unprivileged_port_start=0",),
    ),
    Failure(
        name="port-low-unnamed",
        of_running=NEVER,
        mark="permission denied",
        pattern=r"""(?xm)
            ^(?!.*(?:\.sock\b|\bunix\b|\s['"]?/\w|/(?:run|tmp|var)/))
            .*\b(?:bind|listen)\b[^\n]{0,120}\bpermission\ denied\b
        """,
        cause="the program's user may not listen at the port that its settings name: below 1024 that needs root, "
        "the capability NET_BIND_SERVICE, or the engine's sysctl for containers",
        cure="let it listen at a port from 1024 on and publish that one, or recreate it with "
        "--sysctl=net.ipv4.ip_unprivileged_port_start=0",
        source="Rocket's own message; dani-garcia/vaultwarden's wiki, non-root",
        confirmed_by=_OPTION,
        needs=("--sysctl=net.ipv4.ip_unprivileged_port_start=0",),
    ),
    Failure(
        name="volume-required",
        mark="volume",
        pattern=r"""(?x)
            \bno\ persistent\ volume
            | \bno\ (?:data\ )?volume\ (?:is\ |was\ |has\ been\ )?(?:mounted|found|configured|attached)
            | \b(?:did\ not|must|have\ to|need\ to|please)\ (?:configure|mount|attach|provide)\ (?:a|the
                |your)\ (?:persistent\ |data\ )?volume
        """,
        cause="the program does not start without a volume of its own for its data: nobody gave its "
        "container one, and what it has there is lost with the container",
        cure="mount a volume at the folder of its data that the image's documentation names",
        source="dani-garcia/vaultwarden's own message",
        remedy=NamedVolume(),
    ),
    Failure(
        name="descriptors-used-up",
        mark="",
        pattern=r"\bEMFILE\b|too many open files|\binsufficient file descriptors\b|\braise FD limit\b",
        cause="the program has as many files open as its limit allows",
        cure="recreate it with --ulimit nofile=65536:65536, or look for what keeps files open",
        source=_MANY,
        confirmed_by="resources.open-files-exhausted",
    ),
    Failure(
        name="script-time",
        mark="maximum execution time of",
        pattern=r"Maximum execution time of (?P<most>\d+) seconds? exceeded",
        cause="a script takes longer than PHP's max_execution_time, {most} seconds, and is broken off: it waits for "
        "something, or has more work than that",
        cure="look what it waits for (its database, a server that it calls); else raise max_execution_time in php.ini",
        source="PHP's own message",
        of_running=NEVER,
    ),
    Failure(
        name="script-memory",
        mark="allowed memory size",
        pattern=r"Allowed memory size of (?P<most>\d+) bytes exhausted",
        cause="the memory_limit of PHP, {most} bytes, is too low for the script; "
        "the container's limit is another",
        cure="raise memory_limit in the image's php.ini, or by its variable (PHP_MEMORY_LIMIT)",
        source="PHP's own message",
        remedy=Inside(
            "case $(cat /proc/1/comm) in php-fpm*) how=USR2 ;; apache2|httpd) how=USR1 ;; "
            "*) echo 'no server of PHP is the first process here: restart it by hand' >&2; exit 1 ;; "
            "esac; printf '%s\\n' 'memory_limit = {more}' "
            '>"${PHP_INI_DIR:-/usr/local/etc/php}/conf.d/zz-memory.ini" && kill -s $how 1',
            least=512 << 20,
        ),
    ),
    Failure(
        name="main-class",
        mark="main class",
        pattern=r"(?:could not|unable to) find or load main class (?P<class>\S+)",
        cause="the main class {class} is not there for Java: the archive or the class path in the command is not the "
        "one of this image, or a mount hides its folder",
        cure="compare the command and its class path with what the image has",
        source="Java's own message",
        build="another",
        look="image",
    ),
    Failure(
        name="owner-doubted",
        mark="dubious ownership",
        pattern=r"dubious ownership in repository at '?(?P<path>/[^'\s]+)",
        cause="the folder {path} belongs to another user than the one that runs Git, which refuses it",
        cure="give the folder to the container's user (chown), or run the container as its owner",
        source="Git's own message",
        confirmed_by=_OPTION,
        needs=("--env=GIT_CONFIG_PARAMETERS='safe.directory={path}'",),
    ),
    Failure(
        name="kernel-old",
        mark="kernel too old",
        pattern=r"\bkernel too old\b",
        cause="the image's C library needs a newer kernel than this host has",
        cure="run an older release of the image, or a newer kernel on the host",
        source="glibc's own message",
        build="another",
        look="machine",
    ),
)

_OF_A_SERVER = LazyPattern(
    r"""
    ^(?!.*\blog[io]n\ failed\ for\ (?:account|user)\ [\w.@-]{1,80}:).*?(?:
          \b(?:NOAUTH|WRONGPASS|ACCESS_REFUSED|AUTH_FAILED|535)\b
        | :// | \bat\ \S+:\d
        | \b(?:connect|log[ -]?in|pull|push)\w*\ (?:to|from|at)\b
        | \b(?:
                amqp | broker | database | imap | ldap | mail | mongo | mqtt | mysql
              | postgres | redis | registry | remote | rtsp | sasl | server | smtp
              | upstream
            )
      )
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""Words by which a running program means its own login, and not a caller's."""
LOGINS = (
    Failure(
        name="login-refused",
        of_running=_OF_A_SERVER,
        mark="",
        # not a client that this program has refused itself
        pattern=r"""(?x)
            ^(?!.*(?:\bHTTP/\d|\bfrom\ (?:user\ )?\d{1,3}\.\d|\bRemote\ IP\b|\bAMQP\ connection\ <
                |\b(?:PLAIN|AMQPLAIN|EXTERNAL)\ login\ refused)).*?(?:
            (?<!message\ )\b(?:authentication|login)\ (?:was\ )?(?:failed|failure|refused|required|rejected|error)\b
            | \b(?:NOAUTH|WRONGPASS|ACCESS_REFUSED)\b
            | unable\ to\ authenticate\ user\b | \bCannot\ connect\ to\ \S{1,200}:\ Authentication\ required\b
            | invalid\ (?:username|user|login|credentials|password|api\ ?key|token)\b
            | (?:wrong|bad|incorrect)\ (?:username|credentials|password)\b
            | \binvalid\ (?:access\ |auth(?:entication)?\ )?key:\ | \bAUTH_FAILED\b
            | \b(?:api\ key|auth\ key|credentials|token)\ (?:defined\ in\ [\w ]{1,30}\ )?(?:is|are)
                \ (?:expired|invalid|not\ valid|revoked)\b
            | \bcode\ =\ Unauthenticated\b  # gRPC
            | \bSASLError\ using\ [\w-]{2,30}:\ not-authorized\b  # XMPP
            | \bconnecting\ to\ your\ database\ with\ your\ username/password\b  # Rails
            | \b401\W{0,3}(?:Client\ Error:\ )?Unauthorized\b | \(401\)\W{1,4}Reason:\ Unauthorized\b
            | \bstatus\ code\ 401\b | \$Unauthorized:\ 401\b
            | \bAuthentication\ unsuccessful\b | \bUsername\ and\ Password\ not\ accepted\b  # mail
            | \b(?:InvalidAccessKeyId|SignatureDoesNotMatch)\b | \bKey\ Id\ you\ provided\ does\ not\ exist\b  # S3
            # the answer of an MQTT broker
            | \bconnection\ refused(?::|,|\ -)\ (?:not\ authori[sz]ed|bad\ user\ ?name|identifier\ rejected))
        """,
        cause="a user, password or token is refused: the program's own by a server that it calls, "
        "or, where the program is a server, that of a client",
        cure="compare the user and the password in the program's settings with those of that server",
        source=_MANY,
        remedy=TypedLike(r"(?:(?<!BY)PASS(?:W(?:OR)?D)?|SECRET|TOKEN|(?:API|AUTH)_?KEY)$"),
        look="database",
    ),
)
