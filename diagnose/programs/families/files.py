"""Files and folders that a program may not use, does not find, or cannot read."""

import re

from diagnose.lazy_pattern import LazyPattern
from diagnose.programs.failures.recognition import ABOUT_SETTINGS, NEVER, Failure

_MANY = "many programs"
_REFUSALS = r"""
    permission\ denied | EACCES | access\ (?:to\ the\ path\ )?.{0,80}denied | AccessDenied\w*+
    | not\ writ[ae]ble | cannot\ write | read-only\ directory | writable\]\ FAILED
    | write\ access\ is\ required
    | (?:unable\ to|failed\ to|cannot|can't|could\ not)\ create\ (?:the\ )?(?:data\ )?(?:directory|folder|file)
"""
_ABSENCE = r"""
    no\ such\ (?:file\ or\ )?directory | ENOENT | does\ not\ exist | \(not\ exists\) | not\ found
    | cannot\ find | can't\ find
    | no\ config\ file
"""
_OF_HOSTS_OR_SYNTAX = LazyPattern(
    r"\bhost not found in (?:resolver|upstream)\b|(?<![\w.*])(?:yaml|toml|parsing config): |\bSAXParseException\b"
    r"|\bmodprobe: can't change directory\b"
)
"""nginx finds no host, and a reader of YAML no key: the file is the one that says it. modprobe
finds no modules in any container."""
_OF_OTHERS = LazyPattern(
    r"\bPHP (?:Deprecated|Notice|Warning):|\bUndefined variable:? \$|\bdnsmasq\b.{0,40}\bconfig error is [A-Z]{4}"
)
"""Messages of PHP about its own code, and of dnsmasq about the answer to a query."""
_NO_RIGHT = r"no\ such | denied | EACCES | not\ permitted | writ[ae]ble | in\ use | too\ many | (?<![.])lock(?!\ file:)"
_PATH = r"(?<![\w./-])(?!(?:/usr)?/bin/(?:env|sh|bash|ash|dash|busybox)\b)/[\w.@+-]+(?:/[\w.@+-]+)+"
_FOLDER = r"(?<![\w./-])(?!/(?:api|v\d)/)/(?:config|data|(?:\.(?!well-known))?[\w@+-]++(?://?[\w.@+-]++)++)"
"""A path, or one of the two folders at the top that many images use."""
_NO_SCRIPT = r"(?![\w./@+-])(?!:?\ line\ \d|:\ can(?:'t|not)\ |:\d{1,6}:in\ )"
"""Behind a path that is not the program that complains, nor a line of Ruby's."""

_ROOTS = (
    r"(?<![\w./-])/(?:app|backups?|bin|books|cache|config|data|dev|downloads|etc|home|lib|mail|media|metadata|mnt"
    r"|movies|music|opt|photos|proc|root|run|sbin|srv|storage|sys|tmp|transcode|tv|uploads?|usr|var|www)\b"
)
"""Folders at the top of images, with those that images for the home have their data in."""
_OF_THE_SYSTEM = LazyPattern(
    r"EACCES|EPERM|\berr(?:no|or) ?13\b|\(13[:)]|PermissionError|AccessDeniedException|Access to the path"
    r"|not writ[ae]ble|read-only|cannot write|Unable to write in the |write access is required"
    rf"|permission denied(?=.{{0,300}}{_ROOTS})|{_ROOTS}.{{0,300}}?(?:permission denied|: cannot create)"
    r"|create (?:the )?(?:data )?(?:directory|folder|file)",
    re.IGNORECASE,
)
"""A running program also denies its own users things that look like a path, such as a page."""

_OF_SETTINGS_OR_YAML = LazyPattern(
    rf"{ABOUT_SETTINGS.pattern}|<(?:block|stream) end>|\bindentation of a mapping entry\b"
)
"""Words of programs about YAML are about their settings, also where they do not name the file."""

FILES = (
    Failure(
        name="own-output-denied",
        mark=("denied", "eacces"),
        pattern=r"""(?xi)
            (?:permission\ denied|EACCES)[^/\n]{0,60}(?P<stream>/dev/std(?:err|out)|/proc/self/fd/[12])\b
            | (?P<stream_first>/dev/std(?:err|out)|/proc/self/fd/[12])\b[^/\n]{0,60}(?:permission\ denied|EACCES)
        """,
        cause="the program has changed to another user, and its container's output ({stream}) "
        "belongs to the user that the container starts as",
        cure="start the container as the user that the program changes to (--user, user in compose): "
        "the engine gives the output to that user",
        source="moby/moby#31243, realies/soulseek-docker#88",
        of_running=NEVER,
    ),
    Failure(
        name="database-file",
        mark="database file",
        pattern=r"unable to open (?:the )?database file(?::? \(?['\"]?(?P<path>/[\w./-]+))?",
        cause="the program cannot open or make its database file: "
        "the folder is not there, or its user may not write in it",
        cure="give the folder to the container's user with chown",
        source="SQLite's own message",
        confirmed_by="container.mount-forbidden",
    ),
    Failure(
        name="path-loops",
        mark="",
        pattern=rf"""(?x)
            (?P<path>{_PATH})(?![\w./@+-])[^\n]{{0,80}}?(?:too\ many\ levels\ of\ symbolic\ links|\bELOOP\b)
            | (?:\bELOOP\b|too\ many\ levels\ of\ symbolic\ links)[^'"\n]{{0,60}}
                ['"](?P<path_after>/[^'"\n]{{1,200}})['"]
        """,
        cause="a link on the way to {path} leads back to itself, or the host mounts a folder there on "
        "demand that this container does not get",
        cure="correct the link: ls -l shows where each one leads, as the container sees it; of a folder "
        "of autofs, recreate the mount with the propagation rslave",
        source="the kernel's own message (ELOOP)",
        confirmed_by="container.automount-unseen",
    ),
    Failure(
        name="path-unchangeable",
        mark="not permitted",
        pattern=rf"""(?x)
            # not of a removal: the owner of a folder with the sticky bit decides on that
            (?:cannot|can't|could\ not|unable\ to|failed\ to)\ (?:create|open|save|write)\b[^\n]{{0,60}}?
                (?P<path>{_PATH})(?![\w./@+-])[^\n/]{{0,40}}operation\ not\ permitted
            | \bEPERM:\ operation\ not\ permitted,\ open\ '(?P<path_node>[^']{{1,200}})'
        """,
        cause="the kernel does not let the program write {path}, whoever owns it: the file or its folder "
        "is immutable or append-only, or its file system (a share) has its own rules",
        cure="see its flags on the host with lsattr -d, and remove i or a with chattr -i or chattr -a; "
        "the owner is right",
        source="the kernel's own message (EPERM), chattr(1)",
    ),
    Failure(
        name="path-denied",
        mark="",
        pattern=rf"""(?x)
            Access\ to\ the\ path\ '(?P<path_dotnet>[^']+)'\ is\ denied
            | \bAccessDeniedException:\ (?P<path_nio>[\w.-]{{1,80}}\.\w{{2,10}})$
            | \b(?:FolderService:\ Access\ denied|Can\ not\ write)\ to\ (?P<path_plain>/[\w.@+-]{{2,60}}(?:/[\w.@+-]+)*)
            # Node.js: what it copies it may read
            | EACCES:\ permission\ denied,\ (?:copyfile|link|rename|symlink)\ '[^']{{1,400}}'\ ->
                \ '(?P<path_made>[^']+)'
            # C++, of Plex: a path that may have blanks
            | \bboost::filesystem::\w{{1,40}}:\ Permission\ denied(?:\ \[system:13\])?:
                \ "(?P<path_boost>/[^"\n]{{1,300}})"
            # QuestDB; WiredTiger, of MongoDB
            | \brsync:\ (?:\[\w{{1,20}}\]\ )?(?:chgrp|chown|mkdir|mkstemp|open|rename|set_acl|symlink|unlink)
                \ "(?P<path_rsync>/[^"\n]{{1,300}})"[^\n]{{0,300}}?(?:Permission\ denied|Operation\ not\ permitted)
            | \b(?:dir(?:ectory)?|file|folder|path)\ ['"]?(?P<path_shut>{_FOLDER})['"]?\ is\ not
                \ (?:accessible|owned\ by\ the\ current\ user|readable)\b
            | \bno\ (?:read|write)\ permissions?\ (?:for|in|on|to)\ (?P<path_permitted>{_FOLDER})
            | \bnot\ have\ read/write\ permissions\ to\ (?P<path_both>/[\w.@+-]{{2,60}}(?:/[\w.@+-]+)*)
            | \bCouldn't\ create\ private\ data\ directory\ "(?P<path_tor>{_FOLDER})"
            | \bInsufficient\ permissions\ on\ directory\ (?P<path_cassandra>{_FOLDER})
            | \bFolder\ (?P<path_neo>/[\w./-]{{1,200}})\ is\ not\ accessible\ for\ user\b
            | \bUnable\ to\ write\ in\ the\ "[\w-]{{1,30}}"\ directory\ \((?P<path_symfony>{_FOLDER})\)
            | '(?P<path_beat>[\w-][\w.-]{{1,80}})':\ error\(13,\ 'Permission\ denied'\)
            | \bMinIO\ binary\ has\ write\ permissions\b.{{0,80}}\bchown\ root\ (?P<path_minio>/[\w./-]+)
            | \[13\]\ could\ not\ open\b.{{0,40}}\[file=(?P<path_questdb>/[\w./-]+)\]
            | (?P<path_tiger>/[\w./-]+):\ handle-open:\ open:\ (?:Operation\ not\ permitted|Permission\ denied)
            | (?:{_REFUSALS}).{{0,80}}?(?P<path>{_FOLDER})/?{_NO_SCRIPT}
            | \bset\ datadir\ to\ '(?P<path_datadir>{_FOLDER})/?'[^\n]{{0,40}}\bPermission\ denied
            | (?P<path_first>{_FOLDER}){_NO_SCRIPT}[^/]{{0,80}}?(?:{_REFUSALS})
            | (?:EACCES|\[Errno\ 13\])[^'"\n]{{0,60}}['"](?P<path_relative>\.{{0,2}}/?[\w-][\w.-]*(?:/[\w.@+-]+)+)/?['"]
            | \b(?:cannot|can't|could\ not|unable\ to|failed\ to)\ (?:create|open|read|write(?:\ to)?)
                \ (?P<path_asked>{_FOLDER}):?\ (?:please\ )?(?:check|verify)\b.{{0,40}}\bpermissions\b
            | (?:EACCES|\[Errno\ 13\])[^'"\n]{{0,60}}['"](?P<path_root>/[\w.@+-]+)['"]
            | \b(?:open|mkdir|chmod|chown|unlink)\ (?P<path_top>/[\w.@+-]{{2,60}}):\ permission\ denied\b
            | ^\W{{0,4}}(?:[\w\ ]{{1,30}}:?\ )?['"]?(?P<path_alone>/[a-z][\w-]{{2,40}})['"]?\ is\ not\ writ[ae]ble\b
            | \b(?:open|stat|lstat|mkdir|chmod|unlink):?\ ['\"]?(?P<path_call>{_FOLDER})['\"]?:
                \ operation\ not\ permitted
        """,
        of_running=_OF_THE_SYSTEM,
        cause="the program's user may not use {path}",
        cure="give the file or folder to the container's user with chown, "
        "or run the container as the user that its image is made for",
        source=_MANY,
        confirmed_by="container.mount-forbidden",
    ),
    Failure(
        name="owner-expected",
        mark="own",
        pattern=r"has to be executed with the user that owns the file (?P<file>[\w./-]+)"
        r"|(?P<file_tor>/[\w./-]+) is not owned by (?:this|the current) user\b"
        r"|(?:directory|file|folder) ['\"]?(?P<file_named>/[\w./-]+)['\"]? is owned by \S+, (?:but|and) not by\b",
        cause="the program's file {file} belongs to another user than the one that runs the program, "
        "which stops for that",
        cure="give it to the user that the program runs as, with chown",
        source="owncloud-docker/server#347; nextcloud/docker#1414",
    ),
    Failure(
        name="some-path-denied",
        of_running=ABOUT_SETTINGS,
        mark="",
        pattern=r"""(?x)
            ^(?!.*\b(?:bind|connect\w*|database|function|listen\w*|memory|publickey|queue|relation|role
                |schema|sequence|socket|ssh|table|topic|view)\b)
            .*?\b(?:access\w*|creat\w+|director(?:y|ies)|files?|folders?|load\w*|mkdir|open\w*|read\w*
                |renam\w+|sav\w+|unlink|writ\w+)\b
            [^\n]{0,60}?(?:permission\ denied|EACCES)
            | \b(?:director(?:y|ies)|folder)\ (?:is\ )?not\ writ[ae]ble\b
            | ^(?:error:\ )?permission\ denied\ \(os\ error\ 13\)$ | \bkind:\ PermissionDenied,\ message:  # Rust
            | ^[a-z][\w-]{1,30}:\ permission\ denied$  # Exim
            | ^(?:chgrp|chmod|chown|cp|find|ls|mkdir|mv|rm|touch):\ (?:cannot\ [a-z]{2,12}\ )?['‘]?\.{1,2}/?['’]?:
                \ Permission\ denied
        """,
        cause="the program's user may not use one of its files or folders, and the line does not say which",
        cure="compare the owners in the folders that are mounted with the user that the program runs as",
        source="docker-library/mongo#312",
    ),
    Failure(
        name="pid-file-missing",
        mark=".pid",
        pattern=r"\b(?:cat|head|kill|tail): (?:can(?:no|')t open )?'?(?P<path>/[\w./-]+\.pid)\b"
        r".{0,40}No such file",
        cause="the server that keeps its process number in {path} does not run: its own log says why",
        cure="look into the log of that server, which is often a file beside its data",
        source="linuxserver/docker-mariadb#155",
    ),
    Failure(
        name="file-unopened",
        mark="open",
        pattern=rf"""(?xi)
            ^(?!.*(?:{_ABSENCE}|{_NO_RIGHT}|\b(?:channel|connection|session|stream|tunnel|websocket)\b)).*?
            \b(?:can't|cannot|unable\ to|could\ not|failed\ to)\ open\ (?:\w+:?\ ){{0,3}}
            (?:['"](?P<path>(?!https?:)[^'"\s:]{{2,200}})['"] | (?P<path_bare>{_PATH})
                | (?P<path_word>[a-z]{{2,20}}file)\W*$)
        """,
        cause="the program cannot open {path}, and does not say why: "
        "the file is not there, or the program's user may not read it",
        cure="look whether the file is there in the container, and who may read it",
        source=_MANY,
    ),
    Failure(
        name="configuration-not-found",
        of_running=NEVER,
        mark="",
        pattern=r"""(?xi)
            ^(?!.*(?:\bkey\b|\bsetting\b|\bsection\b|\bfield\b|\bif\b|\bfile=|/\w)).*?(?:
            \b(?:config(?:uration)?|settings?)\ files?\ (?:(?:is|was|were)\ )?(?:not\ (?:be\ )?found|missing|absent)
            | \bno\ (?:valid\ )?(?:config(?:uration)?|settings?)\ files?\ (?:was\ |were\ |could\ be\ )?(?:found|given
                |provided|specified)
            | (?:unable\ to|could\ not|couldn't|can't|cannot|failed\ to)\ (?:find|locate)
                \ (?:an?\ |any\ |the\ |your\ )?(?:valid\ )?(?:config(?:uration)?|settings?)
                (?:\ files?|\.(?:conf|ini|json|toml|ya?ml))\b
            )
        """,
        cause="the program finds no configuration file where it looks for one: the file has another name there, lies "
        "a folder deeper, or the mount of it is empty",
        cure="see what lies in the mount, and give the file the name and the place that the image's documentation says",
        source="TwiN/gatus#1501; many programs",
    ),
    Failure(
        name="followed-log-missing",
        of_running=NEVER,
        mark="tail: ",
        pattern=r"\btail: (?:can't|cannot) open ['‘]?(?P<path>/[^'’:\n]{1,200}\.log)\b['’:].{0,60}\bNo such file",
        cause="the start script follows the log files {path}, which this build of the program does not write: it may "
        "log to its container's own output",
        cure="take the script that belongs to this build, or leave out its line with tail and keep the program in "
        "the foreground",
        source="serkodev/rabbitmq-cluster-docker#1",
    ),
    Failure(
        name="socket-missing",
        mark=".sock",
        pattern=r"""(?x)
            \bunix:(?P<path_unix>/(?:var/)?run/[\w./-]{1,120}\.sock)\b[^\n]{0,60}\bno\ such\ file
            | \bno\ such\ file\b[^\n]{0,60}(?<![\w./-])(?P<path>/(?:var/)?run/php[\w./-]{1,120}\.sock)\b
        """,
        cause="nothing has made the socket {path}: the program behind it does not run in this container, or makes its "
        "socket at another place",
        cure="see why that program does not start: its own lines are in the log of the start; where it runs, write its "
        "socket in the settings of both",
        source="nginx' own message",
        look="child",
    ),
    Failure(
        name="path-missing",
        of_running=ABOUT_SETTINGS,
        unlike=_OF_HOSTS_OR_SYNTAX,
        mark="",
        pattern=rf"""(?x)
            ['"](?P<path_quoted>/[^'"\n]{{1,200}}\ [^'"\n]{{1,200}})['"]:?[^\n'"]{{0,40}}(?:{_ABSENCE})
            | (?:can't|cannot|unable\ to|could\ not)\ (?:open|find|load|access)\ (?:\w+\ )?['"]?(?P<path_opened>{_PATH})
            | (?:can't|cannot|unable\ to|could\ not|failed\ to)\ (?:find|locate)\ (?:\w+\ ){{1,4}}?
                (?:at\ |file:?\ )['"]?(?P<path_sought>{_PATH})
            | \b(?:DocumentRoot|Directory|ServerRoot)\ ['"]?(?P<path_apache>{_PATH})['"]?\ is\ not\ a\ directory
            | \binvalid\ path:\ ['"]?(?P<path_invalid>{_PATH})
            | (?:{_ABSENCE}).{{0,80}}?(?P<path>{_PATH}){_NO_SCRIPT}
            | \bmissing\b[^/]{{0,40}}\b(?:directory|folder|file):?\ ['"]?(?P<path_kind>{_PATH})
            | \b(?:directory|folder|file)\ is\ missing:?\ ['"]?(?P<path_missing>{_PATH})
            | (?P<path_first>{_PATH})/?{_NO_SCRIPT}.{{0,80}}?(?:{_ABSENCE})
            | \bConfig\ data\ resource\ '\w+\ \[(?P<path_spring>[^\]\n]{{1,200}})\]'.{{0,300}}?does\ not\ exist
            | \bopen\ (?P<path_near>[\w-][\w-]{{0,80}}\.(?:cert|conf|crt|env|ini|json|key|pem|properties|toml|ya?ml)):
                \ no\ such\ file
            | \bopen\ (?P<path_root>/[\w.@+-]{{2,60}}):\ no\ such\ file | \bcan't\ cd\ to\ (?P<path_cd>{_PATH})
            | \bfile\ '(?P<path_credentials>{_PATH})'\ doesn't\ exist\b
            | \bfiles?\ (?P<path_must>{_PATH})\ must\ exist\b
            | \bfiles\ missing\ '(?P<path_keepalived>{_PATH})'
            | \berror="No\ such\ file"[^\n]{{0,200}}\bconfig_file="(?P<path_recursor>{_PATH})"
            | \bModule\ not\ found\ "file://(?P<path_deno>/[^"\n]{{1,200}})"
            | \bUnable\ to\ read\ the\ "(?P<path_dotenv>{_PATH})"\ environment\ file
            | \bNoSuchFileException:\ (?P<path_nio>{_PATH})
            | \bfound\b[^\n]{{0,80}}\(expected\ (?P<path_expected>{_PATH})\)
            | \bfile\ '(?P<path_monit>/[\w./@+-]{{2,200}})'\ is\ not\ a\ file\b
            | ['"](?P<path_top>/[\w.@+-]{{2,60}})['"][^/\n]{{0,40}}\bno\ such\ file\ or\ directory
            | \bENOENT\b[^'"]{{0,60}}['"](?P<path_relative>[\w-][\w.-]*(?:/[\w.@+-]+)+)['"]
        """,
        cause="the program finds no {path} in its container",
        cure="mount it there, or correct the path in the program's settings",
        source=_MANY,
        build="another",
    ),
    Failure(
        name="path-empty",
        mark="",
        pattern=r"""(?x)
            \b(?:access|create\ directory|open|stat|touch)\ (?:''|‘’|\"\")(?::|\ )
            | \b(?:open|stat|mkdir|chdir)\ :\ no\ such\ file\ or\ directory  # Go puts the path before the colon
            | \bENOENT:\ no\ such\ file\ or\ directory,\ \w+\ ''
            | \bpath\ (?:cannot|can't|must\ not|should\ not|may\ not)\ be\ empty\b
        """,
        cause="the program is given an empty path: a variable or a setting in which it looks for the path has no value",
        cure="compare the variables that the documentation of this version names with those of the container",
        source="coreutils', Go's and Node.js' own messages",
        of_running=NEVER,
    ),
    Failure(
        name="folder-not-made",
        of_running=NEVER,
        mark="create",
        pattern=r"^(?!.*\b(?:no space left|quota|already|exists)\b).*?"
        r"(?:failed to|unable to|could not|cannot|can't) create (?:the |a |an )?(?:\w+ ){0,2}"
        r"(?:dir(?:ectory)?|folder)\b",
        cause="the program cannot make a folder of its own: its user may not write there, or the "
        "container's files are read-only",
        cure="run the container as the user that its image is made for, or give it a writable volume "
        "or a tmpfs there",
        source="hectorqin/reader#461; many programs",
        confirmed_by="container.mount-forbidden",
    ),
    Failure(
        name="own-data-unread",
        of_running=NEVER,
        mark="",
        pattern=r"""(?x)
            \b(?:syntax|parse|parsing|format)\ error\b[^\n]{0,60}?\bfile:?\ ['"]?
                (?P<path>/(?:var/lib|data)/[\w./@%+-]{2,200})
            | \b(?:cannot|can't|could\ not|failed\ to|unable\ to)\ (?:decode|deserialize|parse|read)\b[^\n/]{0,40}
                ['"]?(?P<path_read>/(?:var/lib|data)/(?!\S{0,200}\.(?:cfg|conf|ini|toml|ya?ml)\b)[\w./@%+-]{2,200})
        """,
        cause="the program cannot read {path}, a file of its own data: another version of the program has written it, "
        "or it is damaged",
        cure="run the version that wrote it last, or restore the file",
        source="plausible/community-edition#36",
        build="another",
    ),
    Failure(
        name="configuration-syntax",
        unlike=_OF_OTHERS,
        of_running=_OF_SETTINGS_OR_YAML,
        mark="",
        pattern=r"""(?x)
            syntax\ error
            | parse\ error
            | \bbad\ option\ at\ line\b  # dnsmasq
            | ^\S{1,40}\ error\ at\ line\ \d+\ of\ /  # dnsmasq
            | \berror\ during\ parsing\ file\b  # rsyslog
            | \bMessage\ from\ VCC-compiler:  # Varnish
            | \bparser\ failed\ somehow\ near\b  # lighttpd
            | error\ (?:while\ )?(?:parsing|loading\ config|in\ configuration)
            | \bfail(?:ed|s|ure)\ (?:to\ parse|parsing)\b(?![^\n]{0,40}\bCouldn't\ create\ private\b)
            | unrecogni[sz]ed\ (?:directive|configuration|key|option)
            | unknown\ (?:directive|keyword|key|fields?|configuration|setting|parameter)
            | (?<![\w.*])yaml:[ ]
            | \bconfig,\ file\ '[^'\n]{1,300}',\ line\ \d  # Knot
            | \bline\ \d{1,6}:\ unsupported\ option\ " | \boption\ "\w{1,60}"\ unknown$
            | \bgot\ unexpected\ keyword\ " | \bunmatched\ open\ brace\b | \binvalid\ top-level\ config\ key\b
            | \bcould\ not\ parse\ config\ file\b | \bundefined\ script\ variable\b
            | \binvalid\ character\ in\ value\ of\ <
            | did\ not\ find\ expected | \bthat\ cannot\ start\ any\ token\b
            | could\ not\ find\ expected
            | mapping\ values\ are\ not\ allowed | while\ parsing\ a\ (?:block|flow)\ (?:mapping|sequence)
            | missing\ ['\"`;]
            | illegal\ character
            | expected\ one\ of
            | \bduplicate\b(?!\ (?:entry|key\ (?:error|value))\b)
            | undefined\ (?:receiver|variable|label)
            | \bconfiguration\ file\ contains\ errors\b | \bplugin\ name\ that\ don't\ exist
            | validating\ config | config\ error\b | provisioning\ error
            | \bMissingSectionHeaderError\b
            | not\ well-formed | \bSAXParseException\b | expected\ <block\ end> | \bbad\ indentation\ of\ a\ mapping\b
            | field\ not\ found
            | unmarshal | loading\ groups\ failed | invalid\ \w+\ name\b
            | invalid\ (?:directive|command|config(?:uration)?)\b
            | \bjson:\ invalid\ character\ (?!'<') | \bUnrecognizedPropertyException\b
            | \b(?:error|mistake|problem)\ in\ (?:the\ )?(?:config(?:uration)?|settings)\ file\b[^\n]{0,200}
                \b(?:at|on)\ line\ \d
            | (?<![\w.*])toml:[ ] | \bNear\ line\ \d+\b.{0,80}\bexpected\b
            | \b(?:could\ not|cannot|can't|failed\ to|unable\ to)\ (?:parse|read)\ (?:the\ )?config(?:uration)?\ file:
                \ .{0,40}\bline\ \d+
            | \bparsing\ \[/[^\]\n]{1,200}:\d+\]  # HAProxy
            | (?:^|[\s'"(])/[\w./-]{1,200}\.(?:cfg|conf|hcl|ini|json|properties|toml|ya?ml)
                (?::\d+(?::\d+)?|\[\d{1,6}\]):[ ]
        """,
        cause="the program cannot read its configuration: "
        "a word is misspelt, misplaced, or of another version of the program",
        cure="correct the file at the place that the line names",
        source=_MANY,
    ),
)
