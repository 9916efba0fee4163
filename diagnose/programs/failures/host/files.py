"""Modules, files, disks and ports that are missing, taken or full."""

from diagnose.programs.failures.recognition import Failure
from diagnose.programs.failures.remedies import (
    Dropped,
    Job,
    OwnFolder,
    Preceded,
    SetAside,
    TypedOption,
    Uncovered,
)

_VARIABLE = "container.variable-missing"
_OWN_COOKIE = (
    "chown rabbitmq: /var/lib/rabbitmq/.erlang.cookie && chmod 400 /var/lib/rabbitmq/.erlang.cookie"
)

FILES = (
    Failure(
        name="shell-without-c",
        mark="open",
        pattern=r"^(?:\S{1,60}/)?(?:ash|bash|dash|sh): (?:\d+: cannot open|can't open) "
        r"'?(?P<word>[A-Za-z][\w+-]*)'?: No such file",
        cause='its entrypoint is a shell, which takes the first word of the command, "{word}", for a script',
        cure="remove the entrypoint, or write -c and the whole command as one word behind the shell",
        source="dash's and busybox's own messages",
    ),
    Failure(
        name="module-node",
        mark="cannot find ",
        pattern=r"Cannot find (?:module|package) '(?P<module>[^']+)'",
        cause="Node.js cannot find {module}: its image does not have it, or a mount hides it",
        cure="build the image with it; if a mount hides the node_modules of the image, add a volume at that path, or remove the mount",
        source="docker/getting-started-app#39",
        remedy=OwnFolder("node_modules"),
        build="another",
    ),
    Failure(
        name="python-home",
        mark="no module named",
        pattern=r"No module named '?encodings'?$",
        cause="Python cannot find its own library: PYTHONHOME names another place, or a mount "
        "hides the folder in which it is",
        cure="unset PYTHONHOME, or remove the mount over the folder of Python",
        source="Python's own message",
        remedy=Dropped("PYTHONHOME"),
    ),
    Failure(
        name="module-python",
        mark=("no module named", "distribution was not found"),
        pattern=r"(?:ModuleNotFoundError|ImportError|\berror during [\w ]{1,40}|(?:^|/)python[\d.]{0,6}): No module named '?(?P<module>[\w.]+)'?"
        r"|\bDistributionNotFound: The '(?P<module_wanted>[\w.-]{1,60})\b[^'\n]{0,60}' distribution was not found",
        cause="Python cannot find the module {module}: it is not installed in the image, or a "
        "mount hides it",
        cure="install it in the image, and rebuild",
        build="another",
    ),
    Failure(
        name="r-package",
        mark="there is no package called",
        pattern=r"\bthere is no package called ['\"‘“](?P<module>[A-Za-z][\w.]{0,99})",
        cause="R cannot find the package {module}: it is not installed in the image, or a mount "
        "hides it",
        cure="install it in the image, and rebuild",
        source="yueqiw/shiny_cell_browser#8",
        build="another",
    ),
    Failure(
        name="script-package",
        mark="",
        pattern=r"""(?x)
            \bArgumentError:\ Package\ (?P<module_julia>[A-Za-z]\w{0,99})\ not\ found
            | \bmodule\ '(?P<module_lua>[A-Za-z][\w.-]{0,99})'\ not\ found:
            | \bcan't\ find\ package\ (?P<module_tcl>[A-Za-z][\w:]{0,99})
        """,
        cause="the interpreter cannot find the package {module}: it is not installed in the "
        "image, or a mount hides it",
        cure="install it in the image, and rebuild",
        source="Julia's, Lua's and Tcl's own messages",
        build="another",
        look="image",
    ),
    Failure(
        name="gem-missing",
        mark="",
        pattern=r"""(?x)
            \bCould\ not\ find\ (?P<module>[\w.-]+)(?:,\ [\w.-]+){0,80}\ in\ (?:locally\ installed\ gems|any\ of\ the\ sources)
            | \bCould\ not\ find\ '(?P<module_tool>bundler)'\ \([^)]{1,40}\)\ required\ by\ your\ /
            | \bCould\ not\ load\ the\ '(?P<module_load>[\w.-]{1,60})'\ gem\b
            | \bcan't\ find\ gem\ (?P<module_command>[\w.-]+)\ \(
            | \bCould\ not\ find\ gem\ '(?P<module_bundler>[\w.-]+)\b
        """,
        cause="Ruby cannot find the gem {module}: the image was built from another Gemfile.lock, "
        "or a mount hides its gems",
        cure="rebuild the image, and remove an old volume over /usr/local/bundle",
        source="openstreetmap/stateofthemap-2020#39; the program's own message",
        remedy=Uncovered(("/usr/local/bundle",)),
        build="another",
        look="image",
    ),
    Failure(
        name="laravel-views",
        mark="valid cache path",
        pattern=r"Please provide a valid cache path",
        cause="Laravel lacks the folders for its compiled views: storage/framework/views and its neighbours are not "
        "there, as where a new volume lies over storage",
        cure="make storage/framework/views, storage/framework/cache and storage/framework/sessions, for PHP's user",
        source="Laravel's own message",
        remedy=Preceded(
            "mkdir -p storage/framework/views storage/framework/cache storage/framework/sessions"
        ),
    ),
    Failure(
        name="config-is-folder",
        mark="is a directory",
        pattern=r"""(?x)
              (?:read|open)\ (?P<path>/\S+):\ is\ a\ directory
            | \b(?:cat|cp|envsubst|sed):\ (?:couldn't\ edit\ )?['\u2018]?
                (?P<path_tool>/[\w./@+-]+)['\u2019]?:\ Is\ a\ directory
            | \b(?:include|require)(?:_once)?\((?P<path_php>/[^)\n]+)
                \):\ Failed\ to\ open\ stream:\ Is\ a\ directory
            | open\(\)\ "(?P<path_nginx>/[^"]+)"\ failed\ \(21:\ Is\ a\ directory
            | IsADirectoryError:\ \[Errno\ 21\]\ Is\ a\ directory:\ '(?P<path_python>[^']+)'
            | FileNotFoundException:\ (?P<path_java>/[^\s()]{1,200})\ \(Is\ a\ directory\)
        """,
        cause="{path} is a folder where the program expects a file: a missing file on the host becomes an empty folder when it is mounted",
        cure="make the file on the host, remove the empty folder, and recreate the container",
        source="moby/moby#30348",
        confirmed_by="container.mount-source-missing",
    ),
    Failure(
        name="erlang-cookie",
        mark=".erlang.cookie",
        pattern=r"(?:reading|create cookie file) '?(?P<cookie>\S+?)'?: eacces",
        cause="Erlang's cookie file {cookie} belongs to another user than the one that the program runs as",
        cure="give it to that user with mode 400; where it lies in another user's home, set HOME",
        source="docker-library/rabbitmq#318",
        remedy=Job(_OWN_COOKIE, ("/var/lib/rabbitmq",), user="0"),
    ),
    Failure(
        name="erlang-cookie-short",
        mark="too short cookie",
        pattern=r"Too short cookie string",
        cause="the file .erlang.cookie is empty, as after a disk that was full, or was written without a cookie",
        cure="remove the file, so that the program makes a new one, or write the cookie of its cluster into it",
        source="docker-library/rabbitmq#427",
        remedy=SetAside(".erlang.cookie", ("/var/lib/rabbitmq",)),
        look="data",
    ),
    Failure(
        name="erlang-epmd",
        mark="epmd error for host",
        pattern=r"epmd error for host \"?(?P<host>[\w.-]+)\"?: (?P<why>\w+)",
        cause="RabbitMQ does not reach the name server of its own node at {host}: that name is not its "
        "container's, or leads to another address",
        cure="recreate it with a host name of its own (--hostname, hostname in compose), not localhost; "
        "with the host's network, let the host's own name resolve to this host",
        source="docker-library/rabbitmq#628",
        remedy=TypedOption("--hostname"),
    ),
    Failure(
        name="erlang-node-name",
        mark="node with name",
        pattern=r"ERROR: node with name \"(?P<node>[^\"]+)\" (?:is )?already running",
        cause="another RabbitMQ of the same node name answers in this network namespace",
        cure="stop the other one, or give this container a host name of its own",
        follows=True,
    ),
    Failure(
        name="semaphores-used-up",
        mark="no space left on device",
        pattern=r"could not create semaphores: No space left on device"
        r"|\bsem(?:get|op|ctl)\b[^\n]{0,80}No space left on device"
        r"|\(28\)No space left on device: (?:\[[^\]]{1,80}\] )?AH\d{5}: Couldn't create the \S{1,40} mutex",
        cause="the kernel has no semaphores left for the container's IPC namespace: kernel.sem is low, or "
        "former runs left theirs; no disk is full",
        cure="recreate the container, which begins without semaphores; where its options have --sysctl "
        "kernel.sem, or it shares another IPC namespace, raise kernel.sem there (ipcs -s lists them)",
        source="PostgreSQL documentation, managing kernel resources",
    ),
    Failure(
        name="disk-full-postgres",
        mark="no space left on device",
        pattern=r"(?:PANIC|FATAL|ERROR|could not|cannot|can't|failed|unable).{0,160}No space left on device",
        cause="there is no room where the program writes: its disk, a tmpfs or volume of a fixed size, or "
        "/dev/shm is full",
        cure="free room there, or give it more; docker exec with df -h shows which one is full",
        confirmed_by="storage.disk-full",
    ),
    Failure(
        name="port-inside",
        mark="",
        pattern=r"""(?x)
              (?:bind|listen|listening\ socket|Listen).{0,80}?(?:(?<!")(?<!\.rb):|port\ |\d@)
                (?P<port>\d{2,5})\b.{0,60}(?:address\ already\ in\ use|in\ use)
            | EADDRINUSE:\ address\ already\ in\ use\ \S*?:(?P<port_node>\d{2,5})
            | ::bind\ couldn't\ find\ an\ open\ port\ between\ (?P<port_steam>\d{2,5})\b
            | Address\ already\ in\ use\.\ .{0,120}\busing\ the\ same\ port\ \(default:[ ]
                (?P<port_servarr>\d{2,5})\)
            | Port\ (?P<port_spring>\d{2,5})\ (?:
                    (?:was|is)\ already\ in\ use
                  | (?:is\ )?not\ available\b
                  | (?:seems\ to\ be|is)\ (?:busy|in\ use)\b
                  | (?:is\ )?(?:already\ )?(?:bound|occupied|taken)\b
                )
            | \bbind:\ Address\ in\ use\ \(?\S{0,60}:(?P<port_bare>\d{2,5})\b
            | \('[^'\n]{0,45}',\ (?P<port_python>\d{2,5})(?:,\ \d,\ \d)?\):\ \[?
                (?:Errno\ 98\]\ )?address\ already\ in\ use
            | \bConnection\ in\ use:\ \('[^'\n]{0,45}',\ (?P<port_gunicorn>\d{2,5})\)
            | \bAddress\ already\ in\ use\ -\ bind\(2\)\ for\ \S{1,60}\ port\ (?P<port_ruby>\d{2,5})\b
            | \bIs\ another\ postmaster\ already\ running\ on\ port\ (?P<port_postgres>\d{2,5})\b
            | \balready\ have\ another\ server\ running\ on\ port:?\ (?P<port_mysql>\d{2,5})\b
            | \bfailed\ to\ bind\ TCP\ port\ (?P<port_aria>[1-9]\d{3,4})\b
            | \bcan't\ bind\ to\ \S{1,60}:(?P<port_privoxy>\d{2,5}):\ There\ may\ be\ another\b
            | Address\ already\ in\ use:\ .{0,40}could\ not\ bind\ to\ address\ \S{1,60}?:
                (?P<port_apache>\d{2,5})\b
        """,
        cause="the port {port} is taken in the program's own network",
        cure="see which other process or container shares that network and has the port; if none "
        "does, the program opens it twice: by its file and by an option, or by two files",
        confirmed_by="network.host-port-conflict",
    ),
    Failure(
        name="listener-taken",
        mark=("address already in use", "addrinuse", "failed to bind to port"),
        pattern=r"""(?x)
              \bfailed_to_start_listener\b.{0,200}\beaddrinuse\b
            | \blistener\b.{0,120}\bAddress\ already\ in\ use
            | ^(?:[\dT:.-]{9,30}:\ )?Error:\ Address\ already\ in\ use
            | \bkind:\ AddrInUse\b
            | \bBindException:\ Address\ already\ in\ use
            | \*\*\ FAILED\ TO\ BIND\ TO\ PORT!
        """,
        cause="another process has the port that the program listens on, in the program's own network",
        cure="see which other process or container shares that network; if none does, start it again: "
        "its own server of the first start may not have ended",
        source="docker-library/mongo#640",
        confirmed_by="network.host-port-conflict",
    ),
    Failure(
        name="zookeeper-myid",
        mark="myid file is missing",
        pattern=r"myid file is missing",
        cause="ZooKeeper does not know its own number",
        cure="set ZOO_MY_ID, or write the number into the file myid in the data folder",
        confirmed_by=_VARIABLE,
        needs=("ZOO_MY_ID",),
    ),
    Failure(
        name="rename-from-tmp",
        mark="cross-device link",
        pattern=r"cross-device link(?: not permitted, rename|:) '(?P<path>/(?:var/)?tmp/[^'\n]{1,200})' -> "
        r"'(?P<to>(?P<folder>/[^'\n]{1,200})/[^/'\n]{1,100})'",
        cause="the kernel does not rename {path} to {to}: the first is in the container's own layer, and the second on a "
        "mount",
        cure="set TMPDIR={folder}, or to a folder below it, so that the program makes its temporary files on the same "
        "mount; or run a release that copies them",
        source="lncrawl/lightnovel-crawler#2944",
    ),
    Failure(
        name="rename-across-layers",
        mark="cross-device link",
        pattern=r"cross-device link(?: not permitted, rename|:) '(?P<path>/[^'\n]{1,200})' -> '(?P<to>[^'\n]{1,200})'",
        cause="the kernel does not rename {path} to {to}: the folder is one of the image, which its layer below does "
        "not let go, or the two names lie on different mounts",
        cure="mount a volume at the folder that holds both names; or let the program copy and remove instead of renaming",
        source="overlayfs.rst of the kernel, renaming directories",
    ),
    Failure(
        name="rename-across-layers-go",
        mark="cross-device link",
        pattern=r"rename (?P<path>/\S{1,200}) (?P<to>/\S{1,200}): invalid cross-device link",
        cause="the kernel does not rename {path} to {to}: the folder is one of the image, which its layer below does "
        "not let go, or the two names lie on different mounts",
        cure="mount a volume at the folder that holds both names; or let the program copy and remove instead of renaming",
        source="overlayfs.rst of the kernel, renaming directories",
    ),
    Failure(
        name="acme-rate-limit",
        mark=("too many certificates", "acme:error:ratelimited"),
        pattern=r"too many certificates \(\d+\) already issued|\bacme:error:rateLimited\b",
        cause="the certificate authority takes no more requests for a while: too many certificates for these names in a "
        "week, or too many failed attempts in an hour",
        cure="keep the certificates in a volume, end the attempts, and wait until the time that the line says; use the "
        "staging environment for tests",
    ),
)
