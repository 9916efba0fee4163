"""The targets of `--on`: hosts as ssh knows them."""

import re
from dataclasses import dataclass

_TARGET = re.compile(
    r"(?:ssh://)?(?:(?P<user>[^@/\s]+)@)?(?P<host>\[[0-9A-Fa-f:.%\w]+\]"
    r"|[^@:/\[\]\s]+)(?::(?P<port>\d{1,5}))?/?"
)
"""admin@host, host:2222, ssh://admin@[2001:db8::1]:22/"""


class TargetError(ValueError):
    """The text names no host; one clear sentence."""


@dataclass(frozen=True)
class Target:
    """A host, and what the user says of the way to it; all else is in ssh's own configuration."""

    host: str
    user: str | None = None
    port: int | None = None
    """None where ssh's configuration decides."""

    @property
    def arguments(self) -> list[str]:
        """The words of an ssh command line that name this host."""
        words = ["-p", str(self.port)] if self.port is not None else []
        if self.user is not None:
            words += ["-l", self.user]
        return [*words, "--", self.host]

    def __str__(self) -> str:
        user = f"{self.user}@" if self.user is not None else ""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = f":{self.port}" if self.port is not None else ""
        return f"{user}{host}{port}"


def parse(text: str) -> Target:
    """`ssh://[USER@]HOST[:PORT]`; the scheme may be left out. TargetError for anything else."""
    match = _TARGET.fullmatch(text)
    if match is None:
        raise TargetError(f"{text!r} is not a host such as ssh://root@web1 or ssh://web1:2222")
    host = match["host"].strip("[]")
    if host.startswith("-") or (match["user"] or "").startswith("-"):
        raise TargetError(f"{text!r} begins with a dash, which ssh takes for an option")
    port = int(match["port"]) if match["port"] else None
    if port is not None and not 0 < port < 65536:
        raise TargetError(f"{text!r} has a port that does not exist")
    return Target(host, match["user"], port)
