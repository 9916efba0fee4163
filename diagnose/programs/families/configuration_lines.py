"""Lines of a configuration file that a server does not take, with the server's own reason.

Servers have hundreds of such reasons, and write the place in a few forms: the place and the reason
explain each of them.
"""

from diagnose.lazy_pattern import LazyPattern
from diagnose.programs.failures.recognition import ABOUT_SETTINGS, Failure

_REASON = r"(?:[^\n;]|;(?!\ )){2,180}[^\s;.,:\"]"
"""Up to the details that follow behind a semicolon and a blank."""
_ENDING = r"(?:cf|cfg|cnf|conf|config|hcl|ini|json|rules|toml|xml|ya?ml|zone)"
_NAME = rf"(?:[\w.@-]{{1,60}}\.{_ENDING}|[A-Z][a-z]{{1,20}}file|sshd?_config|named\.conf\S{{0,20}})"
_FILE = rf"/(?:[\w.@-]{{1,60}}/){{1,8}}{_NAME}"
"""A file of settings by its ending, or as Caddyfile and sshd_config are called."""
_ABOUT_ANOTHER_FILE = LazyPattern(
    r"\((?:2|13|30): |['\"]/[\w./@-]{1,200}['\"]? (?:does not exist|failed|is not a directory)"
    r"|/[^\s'\"]{2,200}['\"]? ?: ?No such file"
    r"|\bcannot open shared object|\b(?:open|stat|lstat|mkdir) /\S{1,200}: |\bNo such file\b.{0,40}\s/"
    r"|[Pp]ermission denied|[Rr]ead-only file system|\baddress already in use\b"
)
"""The file that the line of the configuration names is missing or closed, or a port is taken: that
file or port is the fault."""

CONFIGURATION_LINES = (
    Failure(
        name="configuration-line",
        of_running=ABOUT_SETTINGS,
        unlike=_ABOUT_ANOTHER_FILE,
        mark="",
        pattern=rf"""(?x)
            # nginx
            \[emerg\]\ (?:\d{{1,9}}\#\d{{1,9}}:\ )?(?P<why_nginx>[^\n]{{3,180}}?)
                \ in\ (?P<place_nginx>/[^:\s]{{1,200}}):(?P<line_nginx>\d{{1,7}})
            # HAProxy
            | \bparsing\ \[(?P<place_haproxy>/[^\]:\n]{{1,200}}):(?P<line_haproxy>\d{{1,7}})\]\ {{0,2}}:?\ {{0,2}}
                (?P<why_haproxy>{_REASON})
            # Apache
            | \bSyntax\ error\ on\ line\ (?P<line_apache>\d{{1,7}})\ of\ (?P<place_apache>/[^:\s]{{1,200}}):;?\ ?
                (?P<why_apache>{_REASON})
            | ^(?P<why_apache_first>{_REASON});\ (?:AH\d{{5}}:\ )?Syntax\ error\ on\ line
                \ (?P<line_apache_first>\d{{1,7}})\ of\ (?P<place_apache_first>/[^:\s]{{1,200}}):
            # PHP-FPM
            | \bERROR:\ \[(?P<place_php>/[^\]:\n]{{1,200}}):(?P<line_php>\d{{1,7}})\]\ (?P<why_php>{_REASON})
            # PostgreSQL
            | (?:^|:\ {{1,2}})(?P<why_postgres>[^\n;:]{{3,120}})\ in\ file\ "(?P<place_postgres>/[^"\n]{{1,200}})"\ line
                \ (?P<line_postgres>\d{{1,7}})
            | (?:^|:\ {{1,2}})(?P<why_hba>[^\n;]{{3,160}});\ [^\n;]{{0,80}}\bCONTEXT:\ {{1,2}}line
                \ (?P<line_hba>\d{{1,7}})\ of\ configuration\ file\ "(?P<place_hba>/[^"\n]{{1,200}})"
            # Mosquitto
            | \bError:\ (?P<why_mosquitto>[^\n;]{{3,160}}?)\.?;\ (?:\d{{1,12}}:\ )?Error\ found\ at
                \ (?P<place_mosquitto>/[^:\s]{{1,200}}):(?P<line_mosquitto>\d{{1,7}})
            # Caddy
            | \badapting\ config\ using\ \w{{1,30}}:\ (?P<why_caddy>[^\n]{{3,180}}?),\ at
                \ (?P<place_caddy>[\w./@-]{{1,200}}):(?P<line_caddy>\d{{1,7}})
            # BIND, Unbound, Caddy and the readers of HCL
            | (?<![\w./-])(?P<place_colon>{_FILE}):(?P<line_colon>\d{{1,7}})(?:[:,]\d{{1,5}}(?:-\d{{1,5}})?)?
                (?::|\ -)\ (?:error:\ )?(?P<why_colon>{_REASON})
            # OpenSSH, Dovecot, Postfix
            | (?<![\w./-])(?P<place_words>{_FILE})(?::|,)?\ line\ (?P<line_words>\d{{1,7}}):\ (?P<why_words>{_REASON})
            # chrony, dnsmasq
            | ^(?:[\w.\ -]{{1,30}}:\ )?(?P<why_behind>(?!error\ at\b)[^\n;:]{{3,120}})\ at\ line
                \ (?P<line_behind>\d{{1,7}})
                \ (?:in\ file|of)\ (?P<place_behind>{_FILE})
        """,
        cause="the program does not take line {line} of {place}: {why}",
        cure="correct that line of {place}",
        source="nginx', HAProxy's, Apache's, PHP-FPM's, PostgreSQL's, Mosquitto's and Caddy's own messages",
    ),
    Failure(
        name="configuration-refused",
        of_running=ABOUT_SETTINGS,
        unlike=_ABOUT_ANOTHER_FILE,
        mark="",
        pattern=rf"""(?x)
            # Caddy
            \bError:\ adapting\ config\ using\ \w{{1,30}}:\ (?P<why_caddy>{_REASON})
            # HAProxy
            | ^\W{{0,3}}(?:ALERT\W{{1,12}}\(\d{{1,9}}\)\ :\ )?config\ :\ (?:config:\ )?(?P<why_haproxy>{_REASON})
            # Prometheus and its neighbours
            | \b[Ee]rror\ loading\ config\b[^\n]{{0,160}}?\berr="(?P<why_prometheus>[^\n]{{3,180}})"
            # the readers of INI, TOML and YAML
            | \b(?:error|failed|unable|cannot|could\ not)\ (?:to\ )?(?:decode|load|pars(?:e|ing)|read|unmarshal)
                \ (?:the\ )?(?:config(?:uration)?\ )?(?:file\ )?\\?["']?{_FILE}\\?["']?:\ (?P<why_read>{_REASON})
            # PHP-FPM
            | \b(?:ALERT|ERROR):\ \[pool\ \S{{1,60}}\]\ (?P<why_php>(?!.{{0,120}}\b(?:child|server
                \ reached|seems\ busy)\b)
                {_REASON})
        """,
        cause="the program does not take its configuration: {why}",
        cure="correct that in the file of its configuration",
        source="Caddy's, HAProxy's, Prometheus' and PHP-FPM's own messages",
    ),
    Failure(
        name="configuration-line-alone",
        of_running=ABOUT_SETTINGS,
        mark="line ",
        pattern=rf"""(?x)
            \b(?:hcl|ini|json|toml|xml|yaml):\ (?:error\ at\ )?line\ (?P<line>\d{{1,7}})
                (?:,\ column\ \d{{1,5}}|\ \([^()\n]{{1,80}}\))?:\ (?P<why>{_REASON})
            | \berror\ parsing\ (?:config\w{{0,10}}|data|file):\ line\ (?P<line_parsing>\d{{1,7}}):
                \ (?P<why_parsing>{_REASON})
        """,
        cause="the program does not take line {line} of its configuration: {why}",
        cure="correct that line in the file of its configuration",
        source="the readers of TOML and YAML in Go; Telegraf's own message",
    ),
)
"""Before the families of files and of syntax, whose words say less."""
