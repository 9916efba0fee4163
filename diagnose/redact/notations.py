"""Names and values that a notation holds apart.

XML, SQL, netrc, name and value pairs, pgpass, calls.
"""

import re

from diagnose.lazy_pattern import LazyPattern
from diagnose.redact.lines import at_signs, on_lines
from diagnose.redact.looks import exempt, is_mixed
from diagnose.redact.names import kind_of
from diagnose.redact.patterns import Mark, Scan, verbose
from diagnose.redact.values import mark_group, mark_mixed, raw_replaced, redact_value

_PGPASS_SIGN = LazyPattern(r":(?:\*|\d{4,5}):[\w.*-]{1,64}:")
_PGPASS = verbose(
    r"""
    (?m: (?:^|(?<=["'])) ([\w.*-]{1,128}:(?:\*|\d{4,5}):[\w.*-]{1,64}:[\w.*-]{1,64}:)
    ((?:[^\s:\\"']|\\.)++) (?:$|(?=["'])) )
    """
)
"""host:port:database:user:password, a line of .pgpass."""
_XML = verbose(
    r"""
    <([\w:.-]{1,100})(?:\s[^<>]{0,400})?>\s{0,40}(?:<!\[CDATA\[)?
    ([^<>\s][^<>\r\n]{0,400}?) (?:\]\]>)?\s{0,40}</\1\s{0,40}>
    """
)
"""<password>x</password>"""
_XML_NAMED = verbose(
    r"""
    <(?!a\s)\w{1,60}\s[^<>]{0,200}?\b(?:name|key|id)=["']([^"'<>]{1,100})["'][^<>]{0,200}>
    (?:\s{0,40}<value>)?([^<>\r\n]{1,400})</
    """
)
"""<property name="password">x</property>, not an anchor in a text."""
_XML_PAIR = LazyPattern(
    r"<(\w{0,40}[Nn]ame"
    r"|[Kk]ey)>([\w.-]{1,100})</\1>\s{0,40}<(\w{0,40}[Vv]alue|string)>([^<>\r\n]{1,400})</\3>"
)
"""<name>password</name><value>x</value>, <key>Password</key><string>x</string>"""
_XML_ADD = verbose(
    r"""
    (?i: <\w{1,60}\s[^<>]{0,200}?\b(?:key|name|id)=["']([^"'<>]{1,100})["']
    [^<>]{0,200}?\bvalue=["']([^"'<>]{1,4000})["'] )
    """
)
"""<add key="password" value="x">"""
_PAIR = verbose(
    r"""
    (?i: ["']?\b(?:name|key|k|env)["']?\s{0,40}[:=]\s{0,40}(["']?)([\w.-]{1,100}+)\1
    \s{0,40}+[,;]?\s{0,40}+(?:-\s)?
    ["']?(?:value|val|v)["']?\s{0,40}[:=]\s{0,40} )
    (?:"([^"\r\n]+)"|'([^'\r\n]+)'|([^\s"',}]+))
    """
)
"""{"name": "PASSWORD", "value": "x"}"""
_PAIR_BACKWARDS = LazyPattern(
    r'(?i)"value"\s{0,40}:\s{0,40}"([^"\r\n]{1,4000})"\s{0,40},\s{0,40}"(?:name'
    r'|key)"\s{0,40}:\s{0,40}"([\w.-]{1,100})"'
)
"""{"value": "secret", "name": "DB_PASSWORD"}"""
_YAML_PAIR_BACKWARDS = verbose(
    r"""
    (?m: ^[ \t]{0,40}-[ ]value:[ ]{1,9}["']?([^\s"'][^"'\r\n]{0,400}?)["']?[ ]{0,9}
    \r?\n [ \t]{1,40}(?:name|key):[ ]{1,9}["']?([\w.-]{1,100}) )
    """
)
"""The same as an item of YAML."""
_SQL = verbose(
    r"""
    (?i:\b (?: (?<!revision\ )identified\s{1,40}(?:with\s{1,40}[\w']{1,60}\s{1,40})?(?:by|as)
               (?:\s{1,9}(?:password|values))?
             | (?:with|encrypted|set)\s{1,40}(?:encrypted\s{1,40})?password
               (?:\s{1,40}for\s{1,40}\S{1,100})?(?:\s{0,40}=)?
             | password ) )
    (?:\s{1,40}\(?\s{0,40}|\(\s{0,40}) [NnEe]? (\\*+['"]|\$\w{0,20}\$) ([^'"\r\n]+?) \1    # N'x', $$x$$
    """
)
_SQL_BARE = verbose(
    r"""
    (?i: \b(?:alter|create)\s{1,9}(?:user|role|profile|login|database\s{1,9}link)\b
         [^;\n]{0,200}? \bidentified\s{1,9}by\s{1,9}
       | \bidentified\s{1,9}by\s{1,9}(?=\S{1,200};) )
    ([^\s'";,()]{1,128})
    """
)
"""A password without quotes, as Oracle takes it."""
_REDIS = LazyPattern(r'(?m)(^AUTH |"AUTH" (?:"[^"\n]{0,200}" )?")([^\s"]+)(?="?\s*$)')
"""The command as a client types it, and as MONITOR and the slow log show it."""
_NETRC = verbose(
    r"""
    (?i: \b(?: machine\s{1,40}\S{1,200}\s{1,40}(?:login\s{1,40}\S{1,200}\s{1,40})?password\s{1,40}
             | login\s{1,40}\S{1,200}\s{1,40}password\s{1,40} ) )
    ([^\s"']+)
    """
)
_IPSEC = LazyPattern(r":[ \t]{1,9}(?:PSK|XAUTH)[ \t]{1,9}\"([^\"\r\n]{1,200})\"")
"""A line of ipsec.secrets."""
_OPENVPN_LOGIN = LazyPattern(
    r"(<auth-user-pass>\s{1,40}[^\s<]{1,200}\s{1,40})([^\s<]{1,200})(?=\s{0,40}</auth-user-pass>)"
)
"""The second line between these marks of a client's settings is its password."""
_HAPROXY_LOGIN = LazyPattern(
    r"(?m)^([ \t]{0,40}stats[ \t]{1,40}auth[ \t]{1,40}[^\s:]{1,100}:)(\S{1,200})"
)
_ENV_PAIR = LazyPattern(
    r"(?m)\b(?:ENV|ARG|setx|setenv)\s{1,40}([A-Za-z_]\w{0,100}+)[ \t]{1,40}(?!=)([^\s=]\S*)"
)
"""ENV NAME value, as a Dockerfile may have it."""
CALLS = ("login", "connect", "credential", "auth", "pdo")
_CALL = verbose(
    r"""
    (?i: (?:login|connect|credentials?|auth|authenticate|pdo) [ \t]?=?[ \t]?
    ( \([^()\n]{0,100}["'],[^()\n]{1,100}\) ) )
    """
)
LOGINS = (
    *("pdo->__construct(", "pdo::__construct(", "new pdo("),
    *("mysqli->__construct(", "mysqli::__construct(", "new mysqli(", "mysqli->real_connect("),
    *("mysqli_connect(", "mysql_connect(", "mysql_pconnect("),
    *("ftp_login(", "ldap_bind(", "imap_open("),
)
"""PHP's calls, as its traces print them: their third argument is a password, whatever it looks
like."""
_ARGUMENT = r"(?:'[^'\n]{0,200}'|\"[^\"\n]{0,200}\"|[\w$()#\ ]{1,60})"
_LOGIN = LazyPattern(rf"[^(\n]{{1,24}}\((?:{_ARGUMENT}[ ]?,[ ]?){{2}}(['\"])([^'\"\n]{{1,200}})\1")
_LITERAL = LazyPattern(r"(?<=,)[ \t]{0,20}[\"']([^\"'\n]{8,100})(?=[\"'])")


def in_password_files(text: str, _low: str, mark: Mark) -> str:
    """The text without the passwords of lines as in .pgpass."""
    if _PGPASS_SIGN.search(text):
        text = _PGPASS.sub(lambda hit: hit[1] + mark("password", hit[2], hit[0]), text)
    return text


def in_calls(text: str, _low: str, mark: Mark) -> str:
    """The text without what is handed to `connect("db", "root", "x")` after its first argument."""
    if "(" not in text:
        return text
    text = at_signs(
        text, CALLS, _CALL, lambda hit: hit[0].replace(hit[1], _later_arguments(hit[1], mark))
    )
    return at_signs(text, LOGINS, _LOGIN, lambda hit: mark_group(hit, 2, mark))


def _later_arguments(arguments: str, mark: Mark) -> str:
    return _LITERAL.sub(lambda hit: mark_mixed(hit, 1, mark), arguments)


def in_xml(text: str, low: str, mark: Mark, scan: Scan) -> str:
    """The text without the secrets in its XML."""
    if "</" in text:
        text = _XML.sub(lambda hit: _redacted_if_secret(hit, hit[1], 2, mark, scan), text)
        text = on_lines(
            text,
            "</",
            lambda lines: _XML_NAMED.sub(
                lambda hit: _redacted_if_secret(hit, hit[1], 2, mark, scan), lines
            ),
            more=1,
        )
        text = on_lines(
            text,
            "</",
            lambda lines: _XML_PAIR.sub(
                lambda hit: _redacted_if_secret(hit, hit[2], 4, mark, scan), lines
            ),
            more=1,
        )
    if "<" in text and "value=" in low:
        text = on_lines(
            text,
            "<",
            lambda lines: _XML_ADD.sub(
                lambda hit: _redacted_if_secret(hit, hit[1], 2, mark, scan), lines
            ),
        )
    return text


def in_pairs(text: str, _low: str, mark: Mark, scan: Scan) -> str:
    """The text without the values of pairs of a name and a value."""
    for backwards in (_PAIR_BACKWARDS, _YAML_PAIR_BACKWARDS):
        text = backwards.sub(lambda hit: _redacted_if_secret(hit, hit[2], 1, mark, scan), text)

    def pair(match: re.Match[str]) -> str:
        group = next(number for number in (3, 4, 5) if match[number])
        return _redacted_if_secret(match, match[2], group, mark, scan)

    return _PAIR.sub(pair, text)


def in_sql(text: str, low: str, mark: Mark, scan: Scan) -> str:
    """The text without the passwords of SQL statements."""
    for sign in ("password", "identified"):
        if sign in low:
            text = on_lines(
                text,
                sign,
                lambda lines: _SQL.sub(
                    lambda hit: _redacted_if_secret(hit, "password", 2, mark, scan), lines
                ),
            )
    if "identified" in low:
        text = _SQL_BARE.sub(lambda hit: _unquoted_password(hit, mark), text)
    return text


def _unquoted_password(match: re.Match[str], mark: Mark) -> str:
    """The password of a statement without quotes, unless the word is one of SQL or of prose."""
    raw = match[1]
    is_word = raw.lower() in ("by", "with", "values", "password", "as", "using", "default")
    is_statement = match[0][:1] not in "iI"
    if is_word or exempt("password", "", raw):
        return match[0]
    if not (is_statement or is_mixed(raw) or match[0].isupper()):
        return match[0]
    return raw_replaced(match, 1, mark("password", raw, match[0]))


def in_protocols(text: str, low: str, mark: Mark, scan: Scan) -> str:
    """The text without the passwords of Redis's AUTH, of .netrc and of a Dockerfile's ENV."""
    if "AUTH" in text:
        text = _REDIS.sub(lambda hit: _redacted_if_secret(hit, "password", 2, mark, scan), text)
    if "login" in low or "machine" in low:
        text = on_lines(
            text,
            "password",
            lambda lines: _NETRC.sub(
                lambda hit: _redacted_if_secret(hit, "password", 1, mark, scan), lines
            ),
        )
    if ": psk" in low or ": xauth" in low:
        text = _IPSEC.sub(lambda hit: _redacted_if_secret(hit, "password", 1, mark, scan), text)
    if "stats" in low and "auth" in low:
        text = _HAPROXY_LOGIN.sub(
            lambda hit: _redacted_if_secret(hit, "password", 2, mark, scan), text
        )
    if "<auth-user-pass>" in text:
        text = _OPENVPN_LOGIN.sub(
            lambda hit: _redacted_if_secret(hit, "password", 2, mark, scan), text
        )
    if any(word in text for word in ("ENV ", "ARG ", "setx ", "setenv ")):
        text = _ENV_PAIR.sub(lambda hit: _redacted_if_secret(hit, hit[1], 2, mark, scan), text)
    return text


def _redacted_if_secret(match: re.Match[str], name: str, group: int, mark: Mark, scan: Scan) -> str:
    """The match with one group replaced if its name makes it a secret."""
    kind = kind_of(name)
    value = match[group]
    if kind is None or exempt(kind, name, value):
        return match[0]
    return raw_replaced(match, group, redact_value(kind, name, value, mark, scan))
