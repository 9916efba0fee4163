"""Words of a configuration that a program does not know."""

from diagnose.programs.failures.recognition import ABOUT_SETTINGS, NEVER, Failure
from diagnose.programs.failures.remedies import CommentedOut

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
            | \bunknown\ (?:configuration\ (?:key(?:\(s\))?|parameter|option|property)
                |directive|field|key|setting|property
                |keyword|parameter)s?:?\ ['\"`(<]*(?:[a-z]{1,30}/)?
                (?P<key_unknown>(?!(?:at|for|found|ignored|in|of|on|was|with)\b)[A-Za-z_][\w.-]*)
            | ['\"](?P<key_nginx>[a-z_]+)['\"]\ directive\ is\ not\ allowed\ here
            | \badditional\ propert(?:y|ies)\ ['\"`]?(?P<key_schema>[\w.-]+)['\"`]?\ (?:is|are)\ not\ allowed
            | \bconfiguration\ key\ ['\"`]?(?P<key_named>[\w.-]+)['\"`]?\ (?:is\ )?(?:not\ expected|unknown|invalid)
            | \bbad\ directive\b.{0,200}?>>>\ '(?P<key_redis>[\w-]+)  # Redis
            | \bunknown\ type:\ \\?"(?P<key_otel>[\w./-]+)\\?"\ for\ id\b
            | \bconfig(?:uration)?\ key\ not\ expected:\ (?P<key_authelia>[\w.-]+)
            | \bno\ declared\ setting\ with\ name:\ (?P<key_neo4j>[\w-]+(?:\.[\w-]+)*)
            | \[(?P<key_hass>[a-z_]\w*)\]\ is\ an\ invalid\ option
            | \battempted\ to\ set\ unknown\ variable:\ (?P<key_cuttlefish>[\w.-]+)  # RabbitMQ
            | \.lua:\d{1,6}:\ attempt\ to\ call\ a\ nil\ value\ \(global\ '(?P<key_lua>\w{1,60})'\)
            | \bInvalid\ option\ '(?P<key_radicale>[\w.-]{1,60})'\ in\ section\b
            | \bhas\ invalid\ keys:\ (?P<key_mapstructure>[\w.-]{1,60})
            | \bin\ '(?P<key_kong>[\w.-]{1,60})':\ unknown\ field
            | \bBungled\ \S+\ line\ \d+:\ (?P<key_squid>[\w-]+)
            | /[\w./-]{1,200}\(\d{1,6}\):\ unrecognized:\ '(?P<key_squid_file>[\w-]{1,60})'
            | \bunknown\ "(?P<key_variable>[a-z_]\w{1,60})"\ variable\b  # nginx
            | ^Unrecogni[sz]ed\ option:\ (?P<key_mongo>[a-z]\w{0,40}(?:\.\w{1,40}){1,6})
            | \binvalid\ config(?:uration)?\ key:?\ ['\"`]?(?P<key_consul>[\w.-]{2,80})
            | \bno\ such\ field:\ '(?P<key_envoy>[\w.-]+)'
            | \bproperty\ '(?P<key_airlift>[\w.-]+)'\ was\ not\ used\b  # Trino
            | \bSetting\ "(?P<key_logstash>[\w.-]{2,80})"\ hasn't\ been\ registered\b
            | \bspecified\ the\ fields\ \["(?P<key_telegraf>[\w.-]+)"[^\]\n]{0,200}\],\ but\ they\ were\ not\ used\b
        """,
        cause="the program does not know {key} at that place of its configuration: "
        "it is misspelt or misplaced, or belongs to another version of the program",
        cure="correct {key} in the file",
        source="Go's, nginx', Caddy's, Traefik's, Redis' and JSON schema's own messages",
        remedy=CommentedOut("{key}"),
    ),
    Failure(
        name="setting-removed",
        of_running=NEVER,
        mark=("removed", "no longer"),
        pattern=r"""(?x)
            (?<![\w.-])(?P<key>[a-zA-Z][\w.-]{2,80})['"`]?\ (?:has\ been|was|is)\ (?:deprecated\ (?:since|in)
                \ [\w.]+\ and\ (?:was|has\ been)\ )?removed\ (?:in|since|with)\ (?:version\ |release\ )?v?\d
            | \b(?:directive|key|option|parameter|property|setting|variable)
                \ ['"`]?(?P<key_kind>[a-zA-Z][\w.-]{2,80})['"`]?\ (?:has\ been|was)\ removed\b
            | \b(?:directive|key|option|parameter|property|setting|variable)
                \ ['"`]?(?P<key_longer>[a-zA-Z][\w.-]{2,80})['"`]?
                \ is\ no\ longer\ (?:allowed|available|recogni[sz]ed|supported|valid)\b
        """,
        cause="the program's settings have {key}, which this release of it has taken out",
        cure="take {key} out, and set what the release notes name in its place; or run the release before until then",
        source="GitLab's own message; many programs",
        build="earlier",
        look="builds",
    ),
    Failure(
        name="command-removed",
        of_running=NEVER,
        mark=("removed", "no longer"),
        pattern=r"""(?x)
            [`'"](?P<old>[a-z][\w.-]{1,40}(?:\ [\w.-]{1,40}){0,3})[`'"]\ (?:sub)?command,?
                \ (?:has\ been|was)\ removed,?\ (?:please\ )?use\ [`'"](?P<new>[a-z][^`'"\n]{1,120})[`'"]
        """,
        cause="what starts the program calls its command {old}, which this release no longer has: {new} takes its "
        "place",
        cure="write {new} into the script or the command that calls it; or run the release before",
        source="Airflow's own message",
    ),
    Failure(
        name="key-unconfigured",
        of_running=ABOUT_SETTINGS,
        mark="not configured",
        pattern=r"\b[Cc]onfiguration error: (?P<key>[a-z][\w-]{1,40}(?:\.[\w-]{1,40}){1,5}) not configured\b",
        cause="the setting {key} in the program's configuration file has no value, or still that of the example",
        cure="give {key} the value of this host in the file",
        source="mautrix' own message",
    ),
)
