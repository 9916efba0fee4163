"""Values that are not set at all, as the runtime says that was given nothing in their place.

A program that reads its settings without looking at them hands on null, None, nil or undefined. The
call that gets it tells what kind of value it was: a number, a path, an address, a text.
"""

from diagnose.programs.failures.recognition import NEVER, Failure
from diagnose.programs.failures.remedies import TypedLike

_NOTHING = r"(?:undefined|null|nil|None|NoneType)"
_CURE = (
    "set the variable or the key that holds it, as the documentation of this version names it, and see that it "
    "reaches the container"
)

UNSET_VALUES: tuple[Failure, ...] = (
    Failure(
        name="path-unset",
        of_running=NEVER,
        mark=("received", "nonetype"),
        pattern=rf"""(?x)
            \bThe\ "(?:path|paths\[\d\]|file|filename|dir)"\ (?:argument|property)\ must\ be\ \S
                [^\n]{{0,160}}?\bReceived\ {_NOTHING}\b
            | \bexpected\ str,\ bytes\ or\ os\.PathLike\ object,\ not\ NoneType
            | \bpath\ should\ be\ string,\ bytes,\ os\.PathLike\ or\ integer,\ not\ NoneType
        """,
        cause="a path that the program takes from its settings is not set",
        cure=_CURE,
        source="Node.js' and Python's own messages",
    ),
    Failure(
        name="address-unset",
        of_running=NEVER,
        mark="",
        pattern=r"""(?x)
            \bbad\ URI\ ?\(is\ not\ URI\?\):\ (?:nil|"")
            | \b(?i:ur[il])\b[^\n]{0,60}?\bmust\ be\ a\ string,\ got\ "undefined"
            | \bThe\ "url"\ argument\ must\ be\ of\ type\ string\.\ Received\ undefined
            | \bInvalid\ URL:?\ ['"]?undefined\b | \binput:\ ['"]undefined['"]
            | \bjdbcUrl\ is\ required\b
            | \bExpected\ string\ or\ URL\ object,\ got\ None\b
            | \bCould\ not\ parse\ (?:rfc1738|SQLAlchemy)\ URL\ from\ (?:given\ URL\ )?string\ (?:''|"")
            | \bparse\ \\?"\\?":\ empty\ url\b | \bdial\ (?:tcp|udp):\ missing\ address\b
            | \bdial\ tcp\ :\d{2,5}:\ connect:\ connection\ refused
            | \bgetaddrinfo\ (?:EAI_AGAIN|ENOTFOUND)\ (?:undefined|null|nil|None)\b
            | \blookup\ :\ no\ such\ host | \bURI\ (?:is\ not\ absolute|can\ not\ be\ null)\b
            | \bThe\ ConnectionString\ property\ has\ not\ been\ initialized
            | \bHost\ can't\ be\ null\b | \bno\ Host\ in\ request\ URL\b
            | \b[a-z][a-z0-9+]{1,20}://:(?:\d{0,5}/|\d{2,5}\b)
        """,
        cause="the address of a server that the program calls is not set",
        cure=_CURE,
        source="Ruby's, Mongoose's, Node.js', HikariCP's, SQLAlchemy's, Go's and .NET's own messages",
        remedy=TypedLike(r"(?:ADDR(?:ESS)?|CONN(?:ECTION)?|DSN|ENDPOINT|HOST|UR[IL])$"),
    ),
    Failure(
        name="number-unset",
        of_running=NEVER,
        mark="",
        pattern=r"""(?x)
            \b(?:int|float)\(\)\ argument\ must\ be\ a\ string[^\n]{0,80}\bnot\ 'NoneType'
            | \bcan't\ convert\ nil\ into\ (?:Integer|Float)\b
            | \bbinary_to_(?:integer|float)\(nil\)
            | \bNumberFormatException:\ (?:null$|Cannot\ parse\ null\ string|For\ input\ string:\ ""|empty\ String)
            | \bport\b[^\n]{0,40}\bReceived\ (?:type\ number\ \()?NaN\b
        """,
        cause="a number that the program takes from its settings is not set, or empty",
        cure=_CURE,
        source="Python's, Ruby's, Erlang's, Java's and Node.js' own messages; m1dnight/exbin#28",
    ),
    Failure(
        name="text-unset",
        of_running=NEVER,
        mark="",
        pattern=rf"""(?x)
            \bcan\ only\ concatenate\ str\ \(not\ "NoneType"\)
            | \bno\ implicit\ conversion\ of\ nil\ into\ String\b
            | \bThe\ (?:first\ |"(?:data|key|string|secret|value|buffer)"\ )argument\ must\ be\ [^\n]{{1,200}}
                \bReceived\ {_NOTHING}\b
            | \bargument\ of\ type\ 'NoneType'\ is\ not\ iterable
        """,
        cause="the program works with a text that is not there: usually a variable or a key of its settings that is "
        "not set",
        cure=_CURE,
        source="Python's, Node.js' and Ruby's own messages",
    ),
)
"""Before the families of values, which are there and cannot be read."""
