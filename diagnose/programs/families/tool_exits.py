"""Meanings of the exit codes of well-known tools, where a program prints only the code."""

from collections.abc import Iterator, Mapping
from typing import Literal

from diagnose.programs.failures.recognition import NEVER, Failure, Look

_CODE = (
    r"\b[^\n\d]{0,100}?\b(?:exit(?:ed)?(?:\ with)?|error|status|return(?:ed|s)?|code|ended(?:\ with)?)"
    r"(?:\ (?:code|status|value))?\W{0,3}"
)
_TOOLS: Mapping[str, Mapping[str, tuple[str, Look | Literal[""]]]] = {
    "curl": {
        "6": ("the name of the server does not resolve", "networks"),
        "7": ("nothing accepts the connection at that address and port", "networks"),
        "22": ("the server answers with an error of HTTP (400 or above)", ""),
        "28": ("the time for the answer was over", "networks"),
        "35": ("the handshake of TLS fails: the server may speak plain HTTP there", "certificate"),
        "52": ("the server closed the connection without an answer", ""),
        "60": (
            "the certificate of the server is not trusted: an unknown authority, an old date, another name",
            "certificate",
        ),
        "77": ("the file with the certificate authorities cannot be read", "certificate"),
    },
    "wget": {
        "4": ("the network failed: no name, no connection or no answer", "networks"),
        "5": ("the certificate of the server is not trusted", "certificate"),
        "6": ("the server refuses the user or the password", "secrets"),
        "8": ("the server answers with an error", ""),
    },
    "rsync": {
        "10": ("the connection to the other end failed", "networks"),
        "11": ("a file could not be read or written, as where a disk is full", "data"),
        "12": ("the other end closed the connection: a wrong path or login, or no rsync there", ""),
        "23": ("some files could not be copied: rights, or they are not there", "data"),
    },
    "ssh": {"255": ("ssh itself failed: no connection, an unknown host key or a refused key", "")},
    "git": {"128": ("git ended with a fatal error: an address, a login or a folder", "")},
    "pg_dump": {"1": ("the dump failed: the server, the login or a right on a table", "database")},
    "tar": {"2": ("tar met a fatal error: a missing or damaged file, or no room", "data")},
}
"""By the tool and its exit code: the meaning of the code, and the next thing to look at."""


def _rows() -> Iterator[Failure]:
    """A known failure for each exit code of each tool."""
    for tool, codes in _TOOLS.items():
        for code, (meaning, look) in codes.items():
            yield Failure(
                name=f"{tool.replace('_', '-')}-exit-{code}",
                mark=tool,
                of_running=NEVER if tool in ("git", "tar") else None,
                pattern=rf"(?x)\b{tool}\b{_CODE}{code}\b",
                cause=f"{tool}, which the program runs, ended with code {code}: {meaning}",
                cure="correct what it means; the address, the file or the login is in the program's settings",
                source=f"{tool}'s own manual page",
                look=look,
            )


TOOL_EXITS = tuple(_rows())
"""After the families whose words explain more than a code."""
