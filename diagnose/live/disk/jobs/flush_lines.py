"""Commands that delete all rules of the packet filter, in jobs and the scripts that they run. Pure.

A job that writes its own firewall this way takes Docker's rules along each time.
"""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

_FLUSH = re.compile(
    r"""(?<![\w.-])(?:
      (?:ip6?tables(?:-legacy|-nft)?|\$\{?\w{0,12}IPT\w{0,12}\}?)
        [ \t]+(?:-w[ \t]+)?(?:-t[ \t]+(?:filter|nat|raw)[ \t]+)?(?:-F|--flush)(?![\w-])
        (?![ \t]+-t[ \t]+(?:mangle|security))
        (?![ \t]+["']?(?!FORWARD|PREROUTING|POSTROUTING|OUTPUT|DOCKER(?!-USER))[\w$])  # another chain
    | nft[ \t]+flush[ \t]+ruleset
    | ip6?tables-restore(?![^\n;|&]{0,200}[ \t](?:-n|--noflush)(?![\w-]))
    )""",
    re.VERBOSE,
)
"""`iptables -F`, `$IPT -t nat -F`, `nft flush ruleset`, `iptables-restore` without --noflush."""
_SCRIPT = re.compile(r"(?<![\w./-])(?P<path>/[\w.@-]{1,80}(?:/[\w.@-]{1,80}){1,10})(?![\w./-])")
_MOST_SCRIPTS = 20
_AT_START = "@reboot"
_SECTION = re.compile(r"\[\w+\]")


class Flush(NamedTuple):
    """A line that flushes a table, or runs a script that does."""

    line: int
    text: str
    script: str
    is_at_start: bool = False
    """Whether cron runs the line once, when the host starts."""


def flushes(text: str, read: Callable[[str], str]) -> Iterator[Flush]:
    """The first command of each line that deletes rules, else that of the scripts which it runs.

    text: a crontab, a unit or a script. read: the text of a file, "" where there is none.
    """
    is_unit = _SECTION.search(text[:400]) is not None
    looked_at = 0
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("#") or (is_unit and not line.startswith("Exec")):
            continue
        is_at_start = line.lstrip().startswith(_AT_START)
        if (flush := _FLUSH.search(line)) is not None:
            yield Flush(number, flush[0], "", is_at_start)
            continue
        for script in _SCRIPT.findall(line):
            looked_at += 1
            flush_in_script = _flush_in(read(script)) if looked_at <= _MOST_SCRIPTS else ""
            if flush_in_script:
                yield Flush(number, flush_in_script, script, is_at_start)
                break


def _flush_in(script: str) -> str:
    """The first command of a script that deletes rules; "" where none does."""
    if not script.startswith("#!"):
        return ""
    for line in script.splitlines():
        match = None if line.lstrip().startswith("#") else _FLUSH.search(line)
        if match is not None:
            return match[0]
    return ""
