"""Settings, passwords, options and files that a program does not take or does not find."""

from __future__ import annotations

from diagnose.programs.failures.recognition import ABOUT_SETTINGS, Failure
from diagnose.programs.failures.remedies import (
    CommentedOut,
    Dropped,
    Extended,
    Raised,
    Typed,
    TypedOption,
)

_MANY = "many programs"
_HOSTS = ("ALLOWED_HOSTS", "DJANGO_ALLOWED_HOSTS")
"""Variables in which images take the host names that they serve."""
_ORIGINS = ("CSRF_TRUSTED_ORIGINS", "DJANGO_CSRF_TRUSTED_ORIGINS")
_REFUSALS = r"""
    permission\ denied | EACCES | access\ (?:to\ the\ path\ )?.{0,80}denied | AccessDenied\w*+
    | not\ writ[ae]ble | cannot\ write | read-only\ directory | writable\]\ FAILED
    | (?:unable\ to|failed\ to|cannot|can't|could\ not)\ create\ (?:the\ )?(?:data\ )?(?:directory|folder|file)
"""
_ABSENCE = r"""
    no\ such\ file\ or\ directory | ENOENT | does\ not\ exist | not\ found | cannot\ find | can't\ find
    | no\ config\ file
"""
_NO_RIGHT = (
    r"no\ such | denied | EACCES | not\ permitted | writ[ae]ble | in\ use | too\ many | lock"
)
_PATH = r"(?<![\w./-])(?!(?:/usr)?/bin/(?:env|sh|bash|ash|dash|busybox)\b)/[\w.@+-]+(?:/[\w.@+-]+)+"
_FOLDER = r"(?<![\w./-])/(?:config|data|[\w@+-]++(?://?[\w.@+-]++)++)"
"""A path, or one of the two folders at the top that many images use."""
_NO_SCRIPT = r"(?![\w./@+-])(?!:?\ line\ \d|:\ can(?:'t|not)\ |:\d{1,6}:in\ )"
"""Behind a path that is not the program that complains, nor a line of Ruby's."""

SETTINGS = (
    Failure(
        name="url-scheme",
        mark="",
        pattern=r"""(?x)
            Can't\ load\ plugin:\ sqlalchemy\.dialects:(?P<scheme>[\w.+]+)
            | unknown\ driver\ \"?(?P<scheme_go>[a-z][\w+.-]*)\"?\ \(forgotten\ import
            | \bURL\ must\ (?:start\ with\ the\ protocol|specify\ one\ of\ the\ following\ schemes)
            | Invalid\ scheme,\ expected\ connection\ string
            | No\ suitable\ driver\ found\ for\ (?P<scheme_java>[a-z]\w*):
            | claims\ to\ not\ accept\ jdbcUrl
            | asyncio\ extension\ requires\ an\ async\ driver
        """,
        cause="the program does not know the scheme with which the address in a setting begins, "
        "or lacks the driver for it",
        cure="write the scheme that this version takes, such as postgresql:// for postgres://, "
        "postgresql+asyncpg:// for an asynchronous Python program, jdbc:postgresql:// for Java",
        source="sqlalchemy/sqlalchemy#6105; Prisma's, redis-py's and JDBC's own messages",
    ),
    Failure(
        name="url-unreadable",
        of_running=ABOUT_SETTINGS,
        mark="",
        pattern=r"""(?x)
            invalid\ port\ number\ in
            | Port\ could\ not\ be\ cast\ to\ integer
            | invalid\ port\ \"?:?[^\"]*\"?\ after\ host
            | invalid\ (?:integer\ )?value\ .{1,80}\ for\ connection\ option\ "port"
            | net/url:\ invalid\ userinfo | invalid\ URL\ escape
            | bad\ URI\ ?\(is\ not\ URI\?\)
            | ERR_INVALID_URL | TypeError:\ Invalid\ URL | URI\ malformed
            | must\ be\ escaped\ according\ to\ RFC | contains\ unescaped\ characters
            | Illegal\ character\ in\ (?:authority|path|query|fragment|scheme\ name)\ at\ index
            | Could\ not\ parse\ (?:rfc1738|SQLAlchemy)\ URL
        """,
        cause="the program cannot read the address in a setting: usually its password holds "
        "a character such as # / ? @ : or % that is not percent-encoded",
        cure="write such a character of the password as %23 for #, %2F for /, %3F for ?, "
        "%40 for @, %3A for : and %25 for %",
        source="prisma/orm#3921; Python's, Go's, Ruby's, libpq's and pymongo's own messages",
    ),
    Failure(
        name="licence",
        mark="",
        pattern=r"""(?x)
            (?:must|need\ to|have\ to|please|not(?:\ been)?)\ (?:first\ )?(?:accept
                |agree)\w*.{0,60}\b(?:licen[cs]e|eula|terms)\b
            | \b(?:licen[cs]e|eula|terms)\b.{0,60}\b(?:must\ be|not|has\ to\ be
                |needs\ to\ be)\b.{0,20}\b(?:accept|agree)
        """,
        cause="the program's licence or terms are not accepted",
        cure="set the variable by which the image's documentation accepts them",
        source=_MANY,
    ),
    Failure(
        name="both-set",
        of_running=ABOUT_SETTINGS,
        mark="exclusive",
        pattern=r"both (?P<first>[A-Z][A-Z0-9_]+) and (?P<second>[A-Z][A-Z0-9_]+) are set",
        cause="{first} and {second} are both set, and the image takes only one of them",
        cure="remove {second}, or {first}",
        source="docker-library's entrypoint scripts",
        page={"unset": "{second}"},
    ),
    Failure(
        name="value-too-low",
        of_running=ABOUT_SETTINGS,
        mark="",
        pattern=r"""(?x)
            (?P<key>(?-i:[A-Z][A-Z0-9]*_[A-Z0-9_]*[A-Z0-9]))\b\W{0,3}\ (?:value\ )?
                (?:should|must|has\ to|needs\ to)\ (?:be|have)\ (?:at\ least|a\ minimum\ of
                |greater\ than|more\ than|longer\ than|no\ less\ than)\ (?P<least>\d+)
            | (?P<key_words>\b[a-z]+(?:[ _.-](?:secret|key|token|salt|phrase)))\W{0,3}\ (?:should|must)\ (?:be|have)
                \ (?:at\ least|a\ minimum\ of|exactly|longer\ than)\ (?P<least_words>\d+)
        """,
        cause="the program does not accept {key}: it asks for at least {least}",
        cure="set {key} to a value of that size or length",
        source="dani-garcia/vaultwarden#3389; many programs",
        remedy=Typed("{key}"),
    ),
    Failure(
        name="password-weak",
        of_running=ABOUT_SETTINGS,
        mark="password",
        pattern=r"""(?x)
            password.{0,80}\b(?:too\ short|too\ weak|not\ complex|minimum\ (?:password\ )?length
                |does\ not\ meet|at\ least\ \d+|validation\ failed|cannot\ be
                |must\ (?:be|contain|have))\b
            | (?:minimum|weak).{0,30}password
        """,
        cause="the program does not accept the password in its settings",
        cure="set a longer password with letters, digits and symbols in the variable",
        source="SQL Server's, Neo4j's and MinIO's own messages",
    ),
    Failure(
        name="default-secret",
        mark="",
        pattern=r"""(?x)
            (?:default|insecure|not\ changed|change).{0,40}\b(?:secret|secret_key)\b
            | \bsecret(?:_key)?\b.{0,40}\b(?:default|insecure|not\ changed
                |change\ it|too\ short)\b
            (?:.{0,200}?\b(?P<variable>(?-i:[A-Z][A-Z0-9]*_[A-Z0-9_]*[A-Z0-9]))\b)?
        """,
        cause="the program refuses to run with the secret that its image or example comes with",
        cure="set a secret of your own: openssl rand -hex 32 makes one",
        source="Superset's and SearXNG's own messages",
    ),
    Failure(
        name="user-unknown",
        of_running=ABOUT_SETTINGS,
        mark="",
        pattern=r"""(?x)
            (?:can't\ find|cannot\ find|unable\ to\ find|no\ such|unknown
                |invalid)\ (?:the\ )?user:?\ ['\"]?(?P<user>[a-z_][\w-]*)(?!\S*\ from\ [\d:])
            | getpwnam\(\"(?P<user_getpwnam>[^\"]+)\"\)\ failed
            | user\ ['\"]?(?P<user_named>[a-z_][\w-]*)['\"]?\ (?:does\ not\ exist|not\ found)
        """,
        cause="the program should run as user {user}, but the image has no such user",
        cure="set a user that the image has, or add it to the image",
        source=_MANY,
    ),
    Failure(
        name="hostname-incomplete",
        mark="fqdn",
        pattern=r"\bhostname\b.{0,40}\bnot a (?:valid )?FQDN|FQDN hostname",
        cause="the program needs a full host name with a domain, and its container has a short one",
        cure="recreate it with --hostname=mail.example.com (hostname in compose)",
        source="docker-mailserver's own message",
        remedy=TypedOption("--hostname"),
    ),
    Failure(
        name="memory-required",
        mark="memory",
        pattern=r"""(?x)
            (?:requires?|needs?|at\ least|minimum).{0,60}?(?P<least>\d[\d.]*\ ?(?:megabytes
                |gigabytes|[MG]i?B))\b.{0,20}\bmemory
            | memory.{0,40}?(?:at\ least|minimum\ of|less\ than)\ (?P<least_amount>\d[\d.]*\ ?(?:megabytes
                |gigabytes|[MG]i?B))
        """,
        cause="the program asks for at least {least} of memory, "
        "and its container or the host has less",
        cure="raise the container's memory limit; where it has none, the host is too small",
        source="SQL Server's own message",
        remedy=Raised("memory", "{least}"),
    ),
    Failure(
        name="host-refused",
        mark="",
        pattern=r"""(?x)
            Invalid\ HTTP_HOST\ header:\ '(?P<host>[^':]{1,253})(?::\d+)?'(?!\.\ The\ domain\ name)
            | \bBlocked\ hosts?:\ (?P<host_rails>[\w.:-]{1,253})
            | Trusted\ domain\ error\..{1,80}\ using\ \\?"(?P<host_nextcloud>[\w.:-]{1,253})\\?"\ as\ host
        """,
        cause="the program refuses those who ask for {host}, "
        "a host name that its settings do not allow",
        cure="add {host} to the setting: ALLOWED_HOSTS in Django, "
        "config.hosts in Rails, trusted_domains in Nextcloud",
        source="cookiecutter/cookiecutter-django#451; Rails' and Nextcloud's own messages",
        turns_away=True,
        remedy=Extended(_HOSTS, "{host}"),
    ),
    Failure(
        name="origin-refused",
        mark="origin checking failed",
        pattern=r"Origin checking failed - (?P<origin>https?://[\w.:-]{1,253}) does not match",
        cause="the program refuses the forms of {origin}, an origin that its settings do not trust",
        cure="add {origin} to CSRF_TRUSTED_ORIGINS; where a proxy ends TLS, have it pass on the "
        "host and X-Forwarded-Proto",
        source="cookiecutter/cookiecutter-django#451",
        turns_away=True,
        remedy=Extended(_ORIGINS, "{origin}"),
    ),
    Failure(
        name="configuration-read-only",
        of_running=ABOUT_SETTINGS,
        mark="read-only",
        pattern=r"""(?x)
            \b(?:config\w*|settings?)\b(?:\ \w+){0,2}\ (?:is|are)\ (?:mounted\ )?read-only
            | \bread-only\ (?:config\w*|settings)\b
        """,
        cause="the program has to change its own configuration file, as after an update, and that "
        "file is read-only for it",
        cure="mount the file, or the folder that holds it, without :ro",
        source="blakeblackshear/blakeshome-charts#73",
    ),
    Failure(
        name="value-refused",
        of_running=ABOUT_SETTINGS,
        mark="",
        pattern=r"""(?x)
            invalid\ (?:value|format|port|url|uri|address|choice|host)
            | value\ of\ \S+\ is\ forbidden
            | (?:is\ not|not\ appear\ to\ be)\ an?\ valid\b
            | must\ be\ (?:an?|one\ of|set\ to|between|at\ least|greater|less|positive|numeric)\b
            | requirement\ failed:  # Kafka
            | Saved\ \w+\ name\ .{1,40}\ !=  # Cassandra
            | (?:could\ not|cannot|can't|failed\ to)\ parse\ (?:the\ )?(?:value|url|port|duration|integer|size)
        """,
        cause="the program does not accept the value of a setting",
        cure="correct the value of the setting that the line names",
        source=_MANY,
    ),
    Failure(
        name="unknown-option",
        mark="",
        pattern=r"""(?x)
            (?:unknown|unrecogni[sz]ed|invalid|unexpected|unsupported)\ (?:long[ ]
                |short\ |command[- ]line\ )?(?:flag|option|argument)s?:?\ ['\"`(]*(?P<option>--?[\w.-]+)
                (?!.{0,80}\bignor)
            | flag\ provided\ but\ not\ defined:\ (?P<option_flag>-\S+)
            | no\ such\ option:\ (?P<option_click>-\S+)
        """,
        cause="the program does not know the option {option} of its command: "
        "it was removed in this version, or is misspelt",
        cure="remove or correct the option in the command",
        source="getopt's, Go's, Python's and Rust's own messages",
        remedy=Dropped("{option}"),
        build="another",
    ),
    Failure(
        name="unknown-command",
        of_running=ABOUT_SETTINGS,
        mark="unknown command",
        pattern=r"unknown command[: ]+['\"]?(?P<command>[\w./-]+)",
        cause="the program has no command {command}: "
        "the words behind the image's name are not what its entrypoint expects",
        cure="correct the command of the container",
        source="Go programs that use cobra",
    ),
)

CONFIGURATION = (
    Failure(
        name="setting-unknown",
        of_running=ABOUT_SETTINGS,
        mark="",
        pattern=r"""(?x)
            \bfield\ (?P<key>[\w.-]+)\ (?:was\ )?not\ found\ in\ (?:type|struct)  # Go's YAML
            | \bfield\ not\ found,\ node:\ (?P<key_traefik>[\w.-]+)
            | \bunrecogni[sz]ed\ (?:global\ option|directive|subdirective|configuration\ (?:key|parameter
                |option)|setting|key|parameter|property):?\ ['\"`]?(?P<key_caddy>[A-Za-z_][\w.-]*)
            | \bunknown\ (?:configuration\ (?:key|parameter|option)|directive|field|key|setting|property
                |keyword|parameter)s?:?\ ['\"`(]*
                (?P<key_unknown>(?!(?:at|for|found|ignored|in|of|on|was|with)\b)[A-Za-z_][\w.-]*)
            | ['\"](?P<key_nginx>[a-z_]+)['\"]\ directive\ (?:is\ not\ allowed\ here|is\ duplicate)
            | \badditional\ propert(?:y|ies)\ ['\"`]?(?P<key_schema>[\w.-]+)['\"`]?\ (?:is|are)\ not\ allowed
            | \bconfiguration\ key\ ['\"`]?(?P<key_named>[\w.-]+)['\"`]?\ (?:is\ )?(?:not\ expected|unknown|invalid)
            | \bbad\ directive\b.{0,200}?>>>\ '(?P<key_redis>[\w-]+)  # Redis
            | \[(?P<key_hass>[a-z_]\w*)\]\ is\ an\ invalid\ option
        """,
        cause="the program does not know {key} at that place of its configuration: "
        "it is misspelt or misplaced, or belongs to another version of the program",
        cure="correct {key} in the file",
        source="Go's, nginx', Caddy's, Traefik's, Redis' and JSON schema's own messages",
        remedy=CommentedOut("{key}"),
    ),
)

FILES = (
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
        name="path-denied",
        mark="",
        pattern=rf"""(?x)
            Access\ to\ the\ path\ '(?P<path_dotnet>[^']+)'\ is\ denied
            | (?:{_REFUSALS}).{{0,80}}?(?P<path>{_FOLDER}){_NO_SCRIPT}
            | (?P<path_first>{_FOLDER}){_NO_SCRIPT}[^/]{{0,80}}?(?:{_REFUSALS})
            | \b(?:open|stat|lstat|mkdir|chmod|unlink):?\ ['\"]?(?P<path_call>{_FOLDER})['\"]?:
                \ operation\ not\ permitted
        """,
        cause="the program's user may not use {path}",
        cure="give the file or folder to the container's user with chown, "
        "or run the container as the user that its image is made for",
        source=_MANY,
        confirmed_by="container.mount-forbidden",
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
            ^(?!.*(?:{_ABSENCE}|{_NO_RIGHT})).*?
            \b(?:can't|cannot|unable\ to|could\ not|failed\ to)\ open\ (?:\w+\ ){{0,3}}
            (?:['"](?P<path>(?!https?:)[^'"\s:]{{2,200}})['"] | (?P<path_bare>{_PATH}))
        """,
        cause="the program cannot open {path}, and does not say why: "
        "the file is not there, or the program's user may not read it",
        cure="look whether the file is there in the container, and who may read it",
        source=_MANY,
    ),
    Failure(
        name="path-missing",
        mark="",
        pattern=rf"""(?x)
            (?:can't|cannot|unable\ to|could\ not)\ (?:open|find|load|access)\ (?:\w+\ )?['"]?(?P<path_opened>{_PATH})
            | \binvalid\ path:\ ['"]?(?P<path_invalid>{_PATH})
            | (?:{_ABSENCE}).{{0,80}}?(?P<path>{_PATH}){_NO_SCRIPT}
            | \bmissing\b[^/]{{0,40}}\b(?:directory|folder|file):?\ ['"]?(?P<path_kind>{_PATH})
            | (?P<path_first>{_PATH}){_NO_SCRIPT}.{{0,80}}?(?:{_ABSENCE})
            | \bConfig\ data\ resource\ '\w+\ \[(?P<path_spring>[^\]\n]{{1,200}})\]'.{{0,300}}?does\ not\ exist
            | \bENOENT\b[^'"]{{0,60}}['"](?P<path_relative>[\w-][\w.-]*(?:/[\w.@+-]+)+)['"]
        """,
        cause="the program finds no {path} in its container",
        cure="mount it there, or correct the path in the program's settings",
        source=_MANY,
        build="another",
    ),
    Failure(
        name="folder-not-made",
        mark="create",
        pattern=r"(?:failed to|unable to|could not|cannot|can't) create (?:the |a |an )?(?:\w+ ){0,2}"
        r"(?:dir(?:ectory)?|folder)\b",
        cause="the program cannot make a folder of its own: its user may not write there, or the "
        "container's files are read-only",
        cure="run the container as the user that its image is made for, or give it a writable volume "
        "or a tmpfs there",
        source="hectorqin/reader#461; many programs",
        confirmed_by="container.mount-forbidden",
    ),
    Failure(
        name="configuration-syntax",
        of_running=ABOUT_SETTINGS,
        mark="",
        pattern=r"""(?x)
            syntax\ error
            | parse\ error
            | error\ (?:while\ )?(?:parsing|loading\ config|in\ configuration)
            | failed\ to\ parse
            | unrecogni[sz]ed\ (?:directive|configuration|key|option)
            | unknown\ (?:directive|keyword|key|fields?|configuration|setting|parameter)
            | yaml:[ ]
            | did\ not\ find\ expected
            | could\ not\ find\ expected
            | mapping\ values\ are\ not\ allowed
            | missing\ ['\"`;]
            | illegal\ character
            | expected\ one\ of
            | \bduplicate\b
            | undefined\ (?:receiver|variable|label)
            | validating\ config | config\ error\b | provisioning\ error
            | not\ well-formed | expected\ <block\ end>
            | field\ not\ found
            | unmarshal | loading\ groups\ failed | invalid\ \w+\ name\b
            | invalid\ (?:directive|command|configuration)
            | toml:[ ]
            | \bparsing\ \[/[^\]\n]{1,200}:\d+\]  # HAProxy
            | (?:^|[\s'"(])/[\w./-]{1,200}\.(?:cfg|conf|hcl|ini|json|properties|toml|ya?ml):\d+(?::\d+)?:[ ]
        """,
        cause="the program cannot read its configuration: "
        "a word is misspelt, misplaced, or of another version of the program",
        cure="correct the file at the place that the line names",
        source=_MANY,
    ),
)
