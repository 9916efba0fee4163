"""How numbers, names, times and sizes are written in a sentence.

Pure; checks, evidence and renderers use it.
"""

from collections.abc import Iterable, Sequence, Sized
from datetime import UTC, datetime


def unix(text: str | None) -> float | None:
    """The Unix time of an RFC 3339 text.

    None for nothing, nonsense, or Go's zero time (0001-01-01T00:00:00Z).
    """
    if not text or text.startswith("0001-"):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def unix_of_http(text: str | None) -> float | None:
    """The Unix time of a date as HTTP writes it: `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110).

    None for nothing or nonsense. `strptime` reads it too; its first use takes 4 ms of each run.
    """
    try:
        _, day, month, year, clock, zone = (text or "").split(" ")
        moment = datetime.fromisoformat(f"{year}-{MONTHS.index(month) + 1:02}-{day}T{clock}")
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC).timestamp() if zone == "GMT" else None


_FIRST_DAY = datetime(1, 1, 2, tzinfo=UTC).timestamp()
_LAST_DAY = datetime(9999, 12, 31, tzinfo=UTC).timestamp()


def utc(moment: float) -> datetime:
    """A Unix time as a date in UTC.

    `touch` gives a file on btrfs or in memory any time: one that no date can say is the first or
    the last day.
    """
    return datetime.fromtimestamp(min(max(moment, _FIRST_DAY), _LAST_DAY), UTC)


def rfc3339(moment: float) -> str:
    """A Unix time as programs read it: 2026-11-28T09:15:00+00:00."""
    return utc(moment).isoformat()


def rfc3339_if_known(moment: float | None) -> str | None:
    """A Unix time as programs read it; None for a time that is not known."""
    return None if moment is None else rfc3339(moment)


def time_of_day(moment: float) -> str:
    """A Unix time as people read it within a day: 09:15:00, in UTC."""
    return utc(moment).strftime("%H:%M:%S")


def duration(seconds: float) -> str:
    """A duration in words, two digits at most: 40 s, 12 min, 3 h, 5 days."""
    if seconds >= 2 * 86400:
        return f"{round(seconds / 86400)} days"
    for size, unit in ((3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{round(seconds / size)} {unit}"
    return f"{max(0, round(seconds))} s"


def ago(seconds: float) -> str:
    """How long ago something was: 12 min ago, less than 1 s ago."""
    return f"{duration(seconds)} ago" if seconds >= 0.5 else "less than 1 s ago"


MIB = 1 << 20
"""Bytes of a mebibyte."""


def size(count: float) -> str:
    """A number of bytes in binary units, three digits at most: 512 B, 21.4 GiB."""
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if abs(count) < 1000 or unit == "TiB":
            return (
                f"{count:.0f} {unit}" if unit == "B" or abs(count) >= 100 else f"{count:.1f} {unit}"
            )
        count /= 1024
    raise AssertionError("unreachable")


def short_id(id: str) -> str:
    """The id of an image or a container as docker shows it: twelve digits."""
    return id.removeprefix("sha256:")[:12]


def count(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun: 1 container, 2 containers, 2 addresses."""
    if number == 1:
        return f"1 {noun}"
    return f"{number} {plural or noun + 's'}"


def how_often(times: int, last: str = "") -> str:
    """once, twice, 3 times; and when: once, 40 s ago; 3 times, last 40 s ago."""
    often = {1: "once", 2: "twice"}.get(times, f"{times} times")
    if not last:
        return often
    return f"{often}, {last}" if times == 1 else f"{often}, last {last}"


def agree(things: Sized, singular: str, plural: str) -> str:
    """The word that goes with so many things: agree(names, "is", "are")."""
    return singular if len(things) == 1 else plural


_NEVER_CAPITAL = frozenset(
    (
        *("apt", "chmod", "chown", "docker", "ip", "iptables", "modprobe", "mv", "npm", "pip"),
        *("rm", "sysctl", "systemctl", "ufw"),
        *("containerd", "dockerd", "musl", "nginx", "runc", "systemd"),
    )
)
"""Commands and programs: a sentence may begin with one."""


def capitalised(words: str) -> str:
    """Words with a capital, unless they begin with a command, or with what is not a plain word."""
    first = words.partition(" ")[0]
    is_plain = first.isalpha() and first.islower() and first not in _NEVER_CAPITAL
    return words[:1].upper() + words[1:] if is_plain else words


def and_more(names: Iterable[str], most: int = 3) -> str:
    """The first names in their order, and how many more there are: a, b, c and 2 more."""
    all_names = list(names)
    shown = ", ".join(all_names[:most])
    hidden = len(all_names) - most
    return f"{shown} and {hidden} more" if hidden > 0 else shown


def joined(names: Sequence[str], conjunction: str = "and") -> str:
    """All names: a; a and b; a, b and c."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} {conjunction} {names[-1]}"


def named(kind: str, names: Iterable[str], most: int = 3) -> str:
    """Things by kind and quoted name: container "web"; containers "a" and "b".

    Beyond `most` they are counted: containers "a", "b", "c" and 3 more.
    """
    quoted = [f'"{name}"' for name in names]
    noun = kind if len(quoted) == 1 else f"{kind}s"
    shown = joined(quoted) if len(quoted) <= most else and_more(quoted, most)
    return f"{noun} {shown}"


def numbered(kind: str, numbers: Iterable[object], most: int = 4) -> str:
    """Things by their numbers: port 80; ports 80, 443; ports 1, 2, 3, 4 and 2 more."""
    texts = [str(number) for number in numbers]
    if not texts:
        return f"{kind}s"
    return f"{agree(texts, kind, kind + 's')} {and_more(texts, most)}"


def counted(kind: str, names: Iterable[str], most: int = 3) -> str:
    """A number of things with some of their names.

    1 container (web); 5 containers (a, b, c and 2 more).
    """
    all_names = list(names)
    return f"{count(len(all_names), kind)} ({and_more(all_names, most)})"


def sentence(main: str, *clauses: str) -> str:
    """A main clause with further clauses behind it, empty ones left out: "main, clause; clause"."""
    rest = "; ".join(clause for clause in clauses if clause)
    return f"{main}; {rest}" if rest else main


QUOTED = 300
"""Characters of a line that evidence shows."""


def quoted(line: str) -> str:
    """The part of a log line that evidence shows."""
    return line[:QUOTED]


def shortened(text: str, width: int = 240) -> str:
    """A text cut at its end to `width` characters."""
    return text if len(text) <= width else f"{text[: width - 3]}..."
