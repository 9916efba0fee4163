"""Lines in which a server reports somebody who called it.

Such a line is about one request, one login or one mail of a client, and explains no end of the
server. A program's lines about its own calls have none of these forms.
"""

import functools
import re
from collections.abc import Iterable
from ipaddress import ip_address

from diagnose.lazy_pattern import LazyPattern, RarePattern

TURNED_AWAY = RarePattern(
    r"""
    access[ ]denied | denied[ ]by | forbidden[ ]by[ ]rule
    | auth\w{0,20}[ ](?:failed|failure) | failed[ ]to[ ]authenticate
    | failed[ ](?:password|authentication) | log[io]n[ ](?:failed|error|attempt) | \b login_error \b
    | (?:password|login|access) \b .{0,20} \b (?:failed|refused|rejected)
    | invalid[ ](?:user|uri)                            # sshd, Apache
    | no[ ]pg_hba\.conf[ ]entry                         # PostgreSQL
    | not[ ]authori[sz]ed | unauthori[sz]ed
    | relay[ ]access | \b reject(?:ed)?:                # Postfix
    | handshake | ssl_accept | plaintext[ ]http
    | unable[ ]to[ ](?:authenticate|negotiate)
    | security[ ]attack                                 # Redis, of a request by HTTP
    | \b no[ ]such[ ]user \b
    | could[ ]not[ ]be[ ]resolved | as[ ]host \b | http_host    # a made-up host name
    | \b incorrect \b | tls[ ]error | unwrapping[ ]failed
    | (?:parser|protocol|authentication)[ ]error | invalid[ ]receive
    | \b query \b .{0,60} \b denied                     # a DNS server
    | directory[ ]index[ ]of[ ] (?! .* \" (?:GET|HEAD)[ ]/[ ]HTTP )     # Apache, not of its start
    | primary[ ]script[ ]unknown                        # php-fpm, not of the program's own page
        .{0,300} \" [A-Z]+[ ]/ (?!index\.php) [^ ?\"]{0,300} \.php\d? [ /?]
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""Words of a server that refuses somebody."""
_CALLER = LazyPattern(
    r"""
    (?:                                                 # what the caller is called
        \b (?: client (?: [ _]? (?: ip | addr\w* ) | [ ]@0x[0-9a-f]{1,20} )? | from | peer | remote[ _-]?\w*
            | r?ip (?: [ _-]? addr\w* )? | host\w* | header ) \b
        | \b unknown
        | @
    )
    [\\\"']{0,3} [\s:=\[(/]{0,3} [\\\"']{0,3}
    (?P<address> \d{1,3} (?:\.\d{1,3}){3} )
    (?! [\w.]\d | [:#] (?: \d{1,4} | [12]\d{4} ) \b )   # a port that is served: no caller
    | (?<![\w.]) (?P<caller> \d{1,3} (?:\.\d{1,3}){3} )
        [:#] (?: 3[3-9] | [4-6]\d ) \d{3} \b            # a port that systems give to those who call
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""The address of the caller in a line about a refusal; or this host's own address, by which a
scanner has asked for it. An address with a port that systems give to clients is a caller's, and one
with another port is not."""
_REQUEST = LazyPattern(
    r"""
    ^ [^"\n]{0,300} (?<!\d) \s " (?:CONNECT|DELETE|GET|HEAD|OPTIONS|PATCH|POST|PROPFIND|PUT) [ ]
        [^"\s]{1,900} (?: [ ]HTTP/[\d.]{1,3} )? " [\s|]{1,3} [1-5]\d\d \b
    | ,[ ]client:[ ][\da-fA-F.:]{3,45},[ ]server:[ ]   # nginx
    | \[ (?:client|remote) [ ] [\da-fA-F.:]{3,45} \]  # Apache
    """,
    re.VERBOSE,
)
"""A request with the status of its answer, or a web server's words about one. urllib3 has the
address of its server before the request, which ends in a port."""
_CLIENT = RarePattern(
    r"""
    \b hostname [ ] \S{1,253} [ ] does [ ] not [ ] resolve [ ] to [ ] address \b     # Postfix
    | \[preauth\] | \b input_userauth_request:          # sshd
    | \b Failed[ ](?:keyboard-interactive/pam|none|password|publickey)[ ]for \b
    | \b [Ii]nvalid[ ]user[ ]\S{0,80}[ ]from[ ]
    | \b User[ ]\S{1,80}[ ]from[ ]\S{1,60}[ ]not[ ]allowed \b
    | \b pam_unix\([^)\s]{1,40}\): | \b rhost=\S | \b PAM:[ ](?:authentication|unknown[ ]user) \b
    | \b NOQUEUE: | \b ruleset=check_ | \][ ]said:[ ][45]\d\d \b     # Postfix, Sendmail
    | \b rip=[\da-fA-F.:]{3,45}, | \b pam\([^,)\s]{1,80},[\da-fA-F.:]{3,45}[,)]   # Dovecot
    | \b badlogin:[ ] | ,relay=:                       # Cyrus, Courier
    | \( [^()\s]{1,80} \[[\da-fA-F.:]{3,45}\] \)      # ProFTPD
    | \b client[ ] (?:@0x[0-9a-f]{1,20}[ ])? [\da-fA-F.:]{3,45}\#\d   # BIND
    | \b (?:client|peer|remote) [_-]? (?:ip|addr(?:ess)?) \b ["']? [=:] [ ]? ["']?
        [\da-fA-F]{1,4} [.:] (?! \S{0,40} : \d{2,4} \b )     # a port that is served: no caller
    | \b from[ ](?:IP|ip) :? [ ] [\da-fA-F]{1,4} [.:]
    | \[client[ ]\\{0,3}"[\da-fA-F.:]{3,45}\\{0,3}"\]    # a firewall of web applications
    | \[CLIENT:[ ][^\]]{1,60}\]                       # SQL Server
    | \[(?:Note|Warning)\][ ] (?:\[MY-\d{1,9}\][ ]\[\w{1,20}\][ ])?       # MySQL
        (?:Access[ ]denied[ ]for[ ]user|Aborted[ ]connection)
    | "c":[ ]?"ACCESS" (?! .{0,80} "ctx":[ ]?"main")    # MongoDB, but for its own key file
    | ^ (?:\S{1,60}[ ])? \d{4}-\d\d-\d\d [ ] \d\d:\d\d:\d\d [\d.]{0,8} [ ]
        (?! (?:CRIT|DEBUG|ERROR|FATAL|INFO|WARN) \b )  # a client that quotes its server
        (?: [A-Z]{2,5} | [+-]\d{2,4} ) \b .{1,160} \b  # the time zone, which PostgreSQL writes
        (?:ERROR|FATAL):[ ][ ] (?:                      # PostgreSQL, of one session
            password[ ]authentication[ ]failed | no[ ]pg_hba\.conf[ ]entry
            | (?:column|database|function|relation|role)[ ].{1,200}[ ]does[ ]not[ ]exist
            | sorry,[ ]too[ ]many[ ]clients | remaining[ ]connection[ ]slots
            | terminating[ ]\w{1,20}(?:[ ]\w{1,20})?[ ]due[ ]to[ ]administrator[ ]command
            | duplicate[ ]key[ ]value | syntax[ ]error[ ]at | null[ ]value[ ]in[ ]column
            | permission[ ]denied[ ]for[ ] | must[ ]be[ ]owner[ ]of[ ]
            | role[ ].{1,80}[ ]is[ ]not[ ]permitted[ ]to[ ]log[ ]in | canceling[ ]statement[ ]due[ ]to
            | cannot[ ]execute[ ].{1,60}[ ]in[ ]a[ ]read-only[ ]transaction
        )
    """,
    re.VERBOSE,
)
"""Words of servers about a client, which no client writes about itself."""

_LOGIN_FORM = RarePattern(
    r"""
    \b (?: (?:bad|incorrect|invalid|wrong) [ ] (?:admin[ ]|user[ ]?)?
            (?:credentials|login|name|password|token)
        | password [ ] is [ ] (?:incorrect|invalid|wrong)
        | (?:denied|failed|rejected) [ ] log[io]n
        | log[io]n [ ] (?:attempt[ ])? (?:denied|failed|rejected) ) \b
    [^\n]{0,120}? \b (?: from | ip | remote_?(?:addr(?:ess)?|ip) | client_?ip ) \b
    (?: [ ]IP )? [\s:="'\[`]{1,6}
    (?: \d{1,3}(?:\.\d{1,3}){3} (?!:\d) | [\da-f]{0,4}:[\da-f:]{1,40} )
    | \[ (?: \d{1,3}(?:\.\d{1,3}){3} | [\da-f]{0,4}:[\da-f:]{1,40} ) \] [ ]{0,2}
        \[? Log[io]n [ ] (?:denied|failed) \b
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""Words of an application about a user at its login, with the address: a service that calls another
one logs no address of its own, or one with a port."""


@functools.lru_cache(4096)
def is_about_a_caller(line: str) -> bool:
    """Whether a server reports a single request or a single client of its own.

    Each line of a tail is judged several times.
    """
    return bool(_REQUEST.search(line) or is_about_a_client(line) or is_about_a_stranger(line))


def is_about_a_client(line: str) -> bool:
    """Whether a server reports a single client of its own, other than the request of a
    web server."""
    return bool(_CLIENT.search(line) or _LOGIN_FORM.search(line))


def lines_about_callers(texts: Iterable[str]) -> frozenset[int]:
    """The places of the lines that are about callers."""
    return frozenset(place for place, text in enumerate(texts) if is_about_a_caller(text))


def is_about_a_stranger(line: str) -> bool:
    """Whether the line reports that the program turned an address of the internet away.

    Every server that the internet can reach is scanned, and asked for passwords: that is not a
    failure.
    """
    if TURNED_AWAY.search(line) is None:
        return False
    callers = (match["address"] or match["caller"] for match in _CALLER.finditer(line))
    return any(is_of_the_internet(address) for address in callers)


def is_of_the_internet(address: str) -> bool:
    """Whether a text is an address that routers of the internet know."""
    try:
        return ip_address(address).is_global
    except ValueError:
        return False
