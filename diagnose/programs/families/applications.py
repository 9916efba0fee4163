"""Complaints of many kinds of applications in their own words: keys, secrets, folders and
servers."""

from diagnose.lazy_pattern import LazyPattern
from diagnose.programs.failures.recognition import ABOUT_SETTINGS, NEVER, Failure
from diagnose.programs.failures.remedies import Typed, TypedLike

_MANY = "many programs"
_SERVER = r"PostgreSQL|MySQL|MariaDB|MongoDB|Redis|Valkey|Elasticsearch|OpenSearch|ClickHouse"
_OF_SAVED = LazyPattern(r"(?i:config|credential|database|\bkeys?\b|secret|setting|saved|stored)")
"""Words that a running program also prints about a cookie or a message of a caller."""
_OF_OWN_KEY = LazyPattern(
    r"\bFernet\b|Supported ciphers|encrypter found|(?i:config|setting)|[A-Z]{2}_[A-Z]"
)
"""Words that a running program also prints about a key of a caller."""

APPLICATIONS = (
    Failure(
        name="key-changed",
        mark="",
        pattern=r"""(?x)
            \bencryption\ key\ does\ not\ appear\ to\ be\ valid\ for
            | \b(?:encryption|private|secret)\ key\b[^.\n]{0,60}\b(?:has\ changed|was\ changed|is\ different)
            | \bcipher:\ message\ authentication\ failed  # Go
            | \b(?:fernet\.)?InvalidToken\b(?!\S) | \bSignature\ did\ not\ match\ digest\b  # Python
            | \bThe\ MAC\ is\ invalid\b  # Laravel
            | \b(?:could\ not|cannot|can't|failed\ to|unable\ to)\ (?:be\ )?decrypt(?:ed)?\b
                (?!.{0,40}\b(?:cookie|document|event|file|message|packet|payload|pdf|request|session)s?\b)
            | \bUnsupported\ state\ or\ unable\ to\ authenticate\ data\b  # Node.js
            | \bHMAC\ does\ not\ match\b | \bcorrupt\ or\ tampered\ with\b
            | \bErrDecryptFailed\b | \bDecryptionError\b  # Rust
            | \b(?:bad\ decrypt|BAD_DECRYPT)\b | \bwrong\ final\ block\ length\b  # OpenSSL
            | \bkey\ used\ to\ encrypt\b[^.\n]{0,60}\bdoes\ not\ match\b  # Duplicati
            | ^Error:\ Malformed\ UTF-8\ data$  # crypto-js
            | \b(?:another|(?:a\ )?different|(?:the\ )?wrong)\ (?:["'`]?\w+["'`]?\ ){0,2}?["'`]?\w*[Kk]ey["'`]?
                \ (?:was|is|has\ been)\ used\b
        """,
        cause="what the program has saved was encrypted with another key than the one in its settings now",
        cure="give it the previous key again, from the old container's variables or a backup of "
        "its .env file; what was saved cannot be read with a new one",
        of_running=_OF_SAVED,
        source="Authelia's, LLDAP's and Semaphore's own messages; puckel/docker-airflow#567",
        look="secrets",
    ),
    Failure(
        name="key-malformed",
        of_running=_OF_OWN_KEY,
        mark="",
        pattern=r"""(?x)
            \bFernet\ key\ must\ be\b
            | \bUnsupported\ cipher\ or\ incorrect\ key\ length\b | \bcipher\ and\ /\ or\ key\ length\ are\ invalid\b
            | (?P<key>\b[A-Za-z_]{0,40}(?:key|secret|salt)s?)\b\W{0,3}\ must\ be
                \ (?:exactly\ )?(?:a\ |an\ )?(?:\d+|valid|base64|hex\w*)\b
            | \binvalid\ (?:encryption\ |secret\ |private\ )?key\ (?:length|size)\b | \bBad\ key\ size\b  # Erlang
        """,
        cause="the key in the program's settings has not the length or the form that it needs",
        cure="make one of that form: openssl rand -hex 32 for hexadecimal digits, openssl rand -base64 32, "
        "php artisan key:generate --show for Laravel; a key that data was encrypted with has to stay",
        remedy=Typed("{key}"),
        source="cryptography's, Laravel's and Node.js' own messages",
        look="secrets",
    ),
    Failure(
        name="server-too-old",
        mark="",
        pattern=rf"""(?x)
            \bunsupported\ (?P<server>{_SERVER})\ (?:server\ )?version:?\ v?(?P<found>\d[\d.]*\d)\.
                \ Minimal\ supported\ version\ is\ (?P<least>\d[\d.]*\d)
            | \b(?P<server_zabbix>{_SERVER})\ database\ server\ version\ is\ too\ old\ \((?P<found_zabbix>[\d.]+)\)\.
                \ Must\ be\ a\ minimum\ of\ \((?P<least_zabbix>[\d.]+)\)
            | \bconnecting\ to\ (?P<server_sidekiq>Redis|Valkey)\ v?(?P<found_sidekiq>\d[\d.]*\d),\ \w+\ requires\ Redis
                \ v?(?P<least_sidekiq>\d[\d.]*\d)
            | \b(?P<server_django>{_SERVER})\ (?P<least_django>\d[\d.]*)\ or\ later\ is\ required
                \ \(found\ (?P<found_django>\d[\d.]*\d)
            | \bminimum\ (?P<server_minimum>Postgres|{_SERVER})\ version\ requirements\b.{{0,60}}\bFound:
                \ (?P<found_minimum>\d[\d.]*\d),\ Wanted:\ (?P<least_minimum>\d[\d.]*\d)
            | \brequires\ (?P<server_required>{_SERVER})\ (?:version\ )?(?P<least_required>\d[\d.]*)\ or
                \ (?:above|greater|higher|later|newer)\b.{{0,80}}?\b(?P<found_required>\d[\d.]*\d)
        """,
        cause="the program needs {server} {least} or newer, and its server is {server} {found}",
        cure="run a newer image of {server}; PostgreSQL takes its data along by a dump that is loaded into the new one",
        source="SonarQube's and Django's own messages",
        look="database",
    ),
    Failure(
        name="server-unsupported",
        mark="supported",
        pattern=rf"""(?xi)
            \b(?P<server>{_SERVER})\ (?:server\ )?(?:version\ )?v?\d[\w.-]{{0,30}}\ is\ (?:not|no\ longer)\ supported\b
            | \bcurrent\ (?P<server_current>{_SERVER})\ version\ is\ not\ supported\b
        """,
        cause="the program does not work with the release of its {server}: that is too old for it, or too new",
        cure="run an image of {server} that the program's release notes name; PostgreSQL takes its data along by a "
        "dump, MongoDB release by release",
        source="PhotoPrism's and Rocket.Chat's own messages",
        look="database",
    ),
    Failure(
        name="root-needed",
        mark="",
        pattern=r"""(?x)
            \bmust\ (?:be\ run|run(?:\ it|\ this|\ me)?|be\ started)\ (?:as|by|with)\ (?:an?\ |the\ )?
                (?:administrator|root|superuser)\b
            | \b(?:must|needs?\ to|has\ to)\ be\ (?:the\ )?root\b
            | \brequires\ root\ (?:access|permissions|privileges|rights)\b
            | ^(?:Password:\ )?su:\ Authentication\ failure$
            | \bare\ you\ root\? | \bcan't\ drop\ privilege\ as\ nonroot\ user\b
        """,
        cause="the program has to run as root, and its container runs it as another user",
        cure="recreate it with --user=0, or run the image's variant for users without rights",
        source="AdGuard Home's own message; 11notes/docker-adguard#1",
        of_running=NEVER,
        confirmed_by="container.option-missing",
        needs=("--user=0",),
    ),
    Failure(
        name="secret-required",
        mark="requires a secret",
        pattern=r"\b(?P<what>\w*Strategy) requires a secret\b",
        cause="the program has no secret for its tokens: the variable for it is not set",
        cure="set the variable that the image's documentation names for it; openssl rand -hex 32 makes a secret",
        source="FlowiseAI/Flowise#4563",
        remedy=TypedLike(r"(?:APP|AUTH|JWT|SESSION|TOKEN)\w*SECRET|^SECRET(?:_KEY)?$"),
        of_running=ABOUT_SETTINGS,
    ),
    Failure(
        name="folder-of-setting-denied",
        mark="writ",
        pattern=r"\b(?P<setting>[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+) is not writ(?:e)?able\b",
        cause="the program's user may not write in the folder that its setting {setting} names",
        cure="give that folder to the program's user with chown",
        source="paperless-ngx/paperless-ngx#8274",
    ),
)
"""Before the families of data and settings, whose words are wider."""
