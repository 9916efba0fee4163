"""Settings, passwords and options that a program does not take or does not find."""

from diagnose.programs.failures.recognition import ABOUT_SETTINGS, NEVER, Failure
from diagnose.programs.failures.remedies import (
    AddedUser,
    BareArguments,
    Dropped,
    MadeWritable,
    Raised,
    Typed,
    TypedOption,
)

_MANY = "many programs"

SETTINGS = (
    Failure(
        name="url-scheme",
        mark="",
        pattern=r"""(?x)
            Can't\ load\ plugin:\ sqlalchemy\.dialects:(?P<scheme>[\w.+]+)
            | unknown\ driver\ \"?(?P<scheme_go>[a-z][\w+.-]*)\"?\ \(forgotten\ import
            | \bURL\ must\ (?:start\ with\ the\ protocol|specify\ one\ of\ the\ following\ schemes)
            | \bURL\b[^\n]{0,40}\bmust\ be\ provided\ with\ (?:a\ )?protocol\b  # Ghost
            | Invalid\ scheme,\ expected\ connection\ string
            | No\ suitable\ driver\ found\ for\ (?P<scheme_java>[a-z]\w*):
            | asyncio\ extension\ requires\ an\ async\ driver
        """,
        cause="an address in a setting begins with a scheme that the program does not know, "
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
        cause="the program cannot read the address in a setting: it lacks its scheme "
        "(https://), or its password holds a character such as # / ? @ : or % that is not percent-encoded",
        cure="begin it with its scheme; write such a character of the password as %23 for #, %2F for /, "
        "%3F for ?, %40 for @, %3A for : and %25 for %",
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
        cure="accept them with the variable that the image's documentation names",
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
        name="variable-replaced",
        of_running=ABOUT_SETTINGS,
        mark="instead",
        pattern=r"""(?x)
            \bdo\ not\ use\ (?:the\ )?(?P<old>(?-i:[A-Z][A-Z0-9_]{1,60}))\b[^.\n]{0,40}\.?
                \ use\ (?:the\ )?(?P<new>(?-i:[A-Z][A-Z0-9_]{1,60}))\b[\w\ ]{0,30}\ instead\b
        """,
        cause="the image no longer takes the variable {old}, and asks for {new} in its place",
        cure="set {new} as the image's documentation says, and remove {old}",
        source="wg-easy/wg-easy, How_to_generate_an_bcrypt_hash.md",
        explains_only=True,
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
        name="setting-required",
        of_running=ABOUT_SETTINGS,
        mark="",
        pattern=r"""(?xi)
            \bMissing\ (?P<key_please>[\w.-]{2,60})\.\ Please,?\ (?:set|provide|configure|add)\b
            | \bSecret\ ['"](?P<key_secret>[\w.-]{1,80})['"]\ not\ (?:defined|found)\b  # ESPHome, Home Assistant
            |
            \b(?:field|key|option|parameter|property|setting)\ ['"`](?P<key>[A-Za-z][\w.-]{1,80})['"`]
                \ (?:(?:is|are|was)\ (?:mandatory|missing|required
                        |not\ (?:defined|given|present|provided|set|specified))
                    |must\ be\ (?:defined|given|provided|set|specified))\b
            | ['"`](?P<key_before>[a-z][\w.-]{1,60})['"`]\ (?:config(?:uration)?\ )?(?:field|key|option|parameter
                    |property|setting)
                \ (?:must\ be|has\ to\ be|is\ not|was\ not)\ (?:configured|defined|given|provided|set|specified)\b
            | \bmissing\ (?:mandatory|required)\ (?:configuration|field|key|option|parameter|property
                |setting|value)s?:?\ ['"`]?(?P<key_missing>[A-Za-z][\w.-]{1,80})
            # a name with dots, but that of a source file or of a host
            | (?<![\w./-])(?![\w.-]{1,200}\.(?:c|com|cpp|exs?|go|java|[cm]?jsx?|net|org|php|pl|py|rb|rs|sh
                    |tsx?)(?![\w.]))
                (?-i:(?P<key_dotted>[a-z][a-z0-9_-]{1,40}(?:\.[a-z0-9_-]{1,60}){1,8}))(?![\w.])[^\n]{0,240}?
                \b(?:must|has\ to|have\ to|needs?\ to|should)\ be\ (?:configured|defined|given|provided|set|specified)\b
            | \b(?:config(?:uration)?|settings?)\ (?:is|are)?\ ?missing\ (?!required\b)(?:an?\ |the\ )?['"`]?
                (?P<key_words>[\w.-]{2,40}(?:\ (?!from\b|in\b|on\b|or\b|at\b)[\w.-]{2,30}){0,2})
            | \bmissing\ setting(?:\ for\ [a-z]{3,20}\ [a-z]{3,20})?:\ (?P<key_flag>[a-z][\w-]{1,60})
            | ^(?:\[\s*ERROR\s*\]\s+)?Setting\ (?P<key_demanded>[a-z][\w./-]{2,60})\ is\ required\b
            | \b(?:missing|lacks)\ (?:(?:config|configuration)\ )?(?:field|key|property|section)
                \ ['"`](?P<key_lacked>[A-Za-z][\w.-]{1,80})['"`]
            | ['"`](?P<key_quoted>[a-z][\w-]{0,40}(?:\.[\w-]{1,60}){1,8})['"`]\ is\ required\b
            | \b(?:parameter|setting|option|key)\ ['"`](?P<key_unfound>[a-z][\w.-]{1,80})['"`]\ was\ not\ found\b
            # the libraries that check a configuration: Go's validator and ozzo, Voluptuous, JSON Schema, .NET,
            # SmallRye, Lightbend
            | \bKey:\ '(?P<key_validator>[\w.\[\]]{1,120})'\ Error:Field\ validation\ for\ '\w{1,60}'\ failed
                \ on\ the\ 'required
            | \bnamespace:(?P<key_namespace>[\w.]{1,120})\ type:\S{1,40}\ validation:required\b
            | \b(?:valid\w*|config\w*)\b[^\n]{0,80}?:\ (?P<key_ozzo>[a-z]\w{1,40}(?:\.\w{1,40}){0,4}):
                \ cannot\ be\ blank\b
            | \brequired\ key\ not\ provided\ @\ data\['(?P<key_voluptuous>[^\n]{1,120}?)'\](?!\[)
            | ['"](?P<key_schema>[\w.-]{1,80})['"]\ is\ a\ required\ property\b
            | \bSection\ '(?P<key_section>[\w:.]{1,80})'\ not\ found\ in\ configuration\b
            | \bvalidation\ failed\ for\ '\w{1,80}'\ members:\ '(?P<key_member>[\w,\ ]{1,80})'
                \ with\ the\ error:\ '[^']{1,80}\bis\ required\b
            | \bsection\ \S{1,80}\ does\ not\ specify\ an?\ (?P<key_supervisor>\w{1,40})\b
            | \bconfig\ property\ (?P<key_smallrye>[\w.-]{1,120})\ is\ required\b
            | \bNo\ configuration\ setting\ found\ for\ key\ '(?P<key_hocon>[\w.-]{1,120})'
            | \b(?:setting|value)\ (?P<key_path>[a-z]\w{1,40}(?:/\w{1,60}){1,4})\ must\ be\ set\b
            | \bplease\ (?:configure|set)\ (?P<key_asked>['"`][a-z][\w.-]{1,80}['"`]|[a-z]\w{1,40}\.\w{1,60})\ in\b
            | \bconfiguration\b[^\n]{0,80}\b(?P<key_any>at\ least\ one\ [\w\ -]{1,40}?)\ (?:must|should|has\ to)
                \ be\ (?:configured|defined|given|provided|set|specified)\b
            | ^(?:[\w.-]{1,40}:\ ){0,2}
                (?P<key_unconfigured>[a-z][\w-]{1,30}(?:\ [a-z][\w-]{1,30}){0,4}?)
                \ (?:is\ |are\ )?not\ configured(?::|$)
        """,
        cause="the program's configuration lacks {key}, without which it does not start",
        cure="add {key} to the configuration, as the documentation of this version names it",
        source="authelia/authelia's own message; apache/airflow#49992; many programs",
    ),
    Failure(
        name="variable-unnamed",
        of_running=NEVER,
        mark="",
        pattern=r"""(?x)
            [:(]\ ?NotPresent\b
            | \benvironment\ variable\ not\ found\b  # Rust's std::env::VarError
            | \bConfig\ provider\ \S+\ failed\ with:.{0,200}\bnot\ a\ binary\b  # Elixir
            | \bbinary_to_(?:integer|atom|float)\(nil\)
        """,
        cause="the program reads an environment variable that is not set, and does not say which",
        cure="compare the variables that the documentation of this version names with those of the container",
        source="Rust's and Elixir's own messages; m1dnight/exbin#28",
    ),
    Failure(
        name="secret-not-given",
        of_running=ABOUT_SETTINGS,
        mark="",
        pattern=r"""(?x)
            \b(?P<secret>(?:[A-Za-z0-9]+\ ){0,3}(?:api\ key|pass(?:phrase|word)|secret|token))\ (?:(?:must|has\ to
                |have\ to|needs?\ to)\ be|(?:is|are|was)\ not)\ (?:defined|given|provided|set|specified)\b
            | \bmissing\ (?P<secret_missing>(?:access|api|encryption|private|secret|signing)\ key|passphrase|password
                |secret|(?:\w+\ )?token)\b
            | \bhas\ no\ (?P<secret_none>credentials|passphrase|password|secret|token)\b(?!\ (?:for|in)\ )
        """,
        cause="the program's settings lack a secret: {secret}",
        cure="set the variable that the image's documentation names for it",
        source="jitsi/docker-jitsi-meet#670; linuxserver/docker-duplicati, its own message",
        look="secrets",
    ),
    Failure(
        name="signing-secret-empty",
        mark="",
        pattern=r"""(?x)
            \bsecretOrPrivateKey\ must\ have\ a\ value\b | \bsecret\ option\ required\ for\ sessions\b
            | \bHMAC\ key\ (?:is|must\ not\ be)\ empty\b
            | \bsecret\ or\ public\ key\ must\ be\ provided\b
        """,
        cause="the secret by which the program signs its logins (JWT) or sessions is empty or not set",
        cure="set the variable that the image's documentation names for it, to a long random value",
        source="jsonwebtoken's and express-session's own messages; automatisch/automatisch#1743",
        look="secrets",
    ),
    Failure(
        name="password-weak",
        of_running=ABOUT_SETTINGS,
        mark="password",
        pattern=r"""(?x)
            password.{0,80}\b(?:too\ short|too\ weak|not\ complex|minimum\ (?:password\ )?length
                |does\ not\ meet|at\ least\ \d+|validation\ failed|cannot\ be
                |must\ (?:be(?!\ (?:configured|defined|given|present|provided|set|specified
                    |supplied)\b)|contain|have))\b
            | (?:minimum|weak).{0,30}password | ^Password\ \S{1,200}\ is\ weak\b
        """,
        cause="the program does not accept the password in its settings",
        cure="set a longer password with letters, digits and symbols in the variable",
        source="SQL Server's, Neo4j's and MinIO's own messages",
        look="secrets",
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
        look="secrets",
    ),
    Failure(
        name="user-unknown",
        of_running=ABOUT_SETTINGS,
        mark="",
        pattern=r"""(?x)
            (?:can't\ find|cannot\ find|unable\ to\ find|no\ such|unknown
                |invalid)\ (?:the\ )?user:?\ ['\"‘]?(?P<user>(?!(?:and|or)\b)[a-z_][\w-]*)(?!\S*\ from\ [\d:])
            | getpwnam\(\"(?P<user_getpwnam>[^\"]+)\"\)\ failed | \bunknown\ user\ or\ group:\ (?P<user_dnsmasq>[\w-]+)
            | \bto\ '(?P<user_mosquitto>[a-z_][\w-]*)'\ because\ this\ user\ does\ not\ exist
            | \bbad\ user\ name\ (?P<user_apache>(?!(?:and|or)\b)[a-z_][\w-]*)
            | \bunknown\ user/group\ (?P<user_busybox>[a-z_][\w-]*)
            | \b(?:chpst|gosu|runuser|su(?:-exec)?|sudo|usermod):\ .{0,40}user\ ['\"]?
                (?P<user_switch>[a-z_][\w-]*)['\"]?\ (?:does\ not\ exist|not\ found)
        """,
        cause="the program should run as user {user}, but the image has no such user",
        cure="set a user that the image has, or add it to the image",
        source=_MANY,
        remedy=AddedUser("{user}"),
    ),
    Failure(
        name="user-not-found",
        of_running=ABOUT_SETTINGS,
        mark="user",
        pattern=r"\buser ['\"]?(?P<user>[a-z_][\w-]*)['\"]? (?:does not exist|not found)",
        cause="the program cannot find user {user}: an account of its own, or a user of the image",
        cure="correct the name in its settings, or create the account; if it is the user that the program "
        "should run as, add it to the image",
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
        mark="",
        pattern=r"""(?x)
            (?:requires?|needs?|at\ least|minimum).{0,60}?(?P<least>\d[\d.]*\ ?(?:megabytes
                |gigabytes|[MG]i?B))\b.{0,20}\bmemory
            | \binsufficient\ physical\ memory:\ needed\ (?P<least_bytes>\d{6,20})\b  # Seastar
            | \bthreads,\ so\ (?P<least_threads>\d[\d.]*[KMGT]i?B)\ are\ required  # Dragonfly
            | memory.{0,40}?(?:at\ least|minimum\ of|less\ than)\ (?P<least_amount>\d[\d.]*\ ?(?:megabytes
                |gigabytes|[MG]i?B))
        """,
        cause="the program asks for at least {least} of memory, "
        "and its container or the host has less",
        cure="raise the container's memory limit; where it has none, the host is too small",
        source="SQL Server's own message",
        remedy=Raised("memory", "{least}"),
        look="memory",
    ),
    Failure(
        name="configuration-read-only",
        of_running=NEVER,
        mark="read-only",
        pattern=r"""(?x)
            \b(?:config\w*|settings?)\b(?:\ \w+){0,2}\ (?:is|are)\ (?:mounted\ )?read-only
            | \bread-only\ (?:config\w*|settings)\b
        """,
        cause="the program has to change its own configuration file, as after an update, and that "
        "file is read-only for it",
        cure="mount the file, or the folder that holds it, without :ro",
        source="blakeblackshear/blakeshome-charts#73",
        remedy=MadeWritable(),
    ),
    Failure(
        name="unknown-command",
        of_running=ABOUT_SETTINGS,
        mark="",
        pattern=r"""(?x)
            unknown\ (?:sub-?)?command(?![- ]line\b)[:\ ]+['\"]?(?P<command>[\w./-]+)
            | \bno\ such\ (?:sub)?command(?:\ for\ \w+)?:?\ ['\"`]?(?P<command_click>[\w./:-]+)
            | \bunrecognized\ (?:sub)?command(?!\ or\ argument):?\ ['\"`]?(?P<command_clap>[\w./:-]+)
            | \bargument\ [^-\s]\S{0,80}:\ invalid\ choice:\ '(?P<command_argparse>[\w./:-]+)'
            | \bcommand\ ['\"](?P<command_symfony>[\w.:-]+)['\"]\ is\ not\ defined\b
        """,
        cause="the program has no command {command}: "
        "the words behind the image's name are not what its entrypoint expects",
        cure="correct the command of the container",
        source="cobra's, click's, clap's, argparse's and Symfony's own messages; Kong/docker-kong#207",
        remedy=BareArguments("{command}", of_entrypoint=True),
    ),
    Failure(
        name="unknown-option",
        mark="",
        pattern=r"""(?x)
            (?:unknown|unrecogni[sz]ed|invalid|unexpected|unsupported)\ (?:long[ ]
                |short\ |command[- ]line\ )?(?:flag|option|argument)s?:?\ ['\"`(]*(?P<option>-X[\w:+.-]++|--?\w[\w.-]*+)
                (?!.{0,80}\ ignor)
            | \b(?:invalid|unknown|unrecognized|illegal)\ option:?\ --\ '?(?P<option_getopt>\w)\b
            | flag\ provided\ but\ not\ defined:\ (?P<option_flag>-\S+)
            | no\ such\ option:\ (?P<option_click>-\S+)
            | unknown\ shorthand\ flag:\ '\w'\ in\ (?P<option_short>-\w+)
            | \bFound\ argument\ '(?P<option_clap>-[\w-]+)'\ which\ wasn't\ expected
            | \bunknown\ command[- ]line\ (?:flag|option)\ ['"](?P<option_gflags>[\w-]{1,60})
            | \bunrecogni[sz]ed\ command\ or\ argument\ ['"](?P<option_dotnet>-[\w-]{1,60})
            | ^Unknown\ arguments?:\ (?P<option_yargs>[\w-]{1,60})
            | ^(?:/\S{1,200}/)?(?:bun|deno|node):\ bad\ option:\ (?P<option_node>-[\w-]{1,80})
            | \bwas\ called\ with\ arguments\ \["(?P<option_thor>-[\w-]{1,60})"
        """,
        cause="the program does not know the option {option} of its command: "
        "it was removed in this version, or is misspelt",
        cure="remove or correct the option in the command",
        source="getopt's, Go's, Python's and Rust's own messages",
        remedy=Dropped("{option}"),
        build="another",
    ),
    Failure(
        name="argument-missing",
        of_running=NEVER,
        mark="arg",
        pattern=r"""(?x)
            \baccepts\ (?:at\ least\ |between\ )?\d+\ (?:and\ \d+\ )?arg\(s\),\ received\ \d  # cobra
            | \bthe\ following\ arguments\ are\ required:  # argparse
            | \bmissing\ (?:required\ )?arguments?\b  # click
            | ^missing\ [a-z]\w{2,60}\ argument$  # memcached
            | \brequired\ arguments?\ (?:was|were)\ not\ provided\b  # clap
            | \b(?:not\ enough|too\ few)\ arguments\b
            | \brequires\ (?:at\ least\ |exactly\ )?(?:an?|one|\d+)\ (?:command\ line\ )?arguments?\b
            | \brequires\ the\ .{1,80}\bcommand[ -]line\ argument\b
        """,
        cause="the command of the container lacks an argument that the program needs",
        cure="add it behind the image's name (command in compose)",
        source="cobra's, argparse's, click's and clap's own messages",
    ),
)
