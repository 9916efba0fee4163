"""Texts in the code of pages that a tool has built, of which nothing else is kept."""

import msgspec

from diagnose.questions.question import Policy, Question


class PageCall(msgspec.Struct, frozen=True):
    """A call of a page's code that leads each browser to its own machine."""

    address: str
    """http://localhost:8000"""
    quote: str
    """The sign before it in the code."""
    file: str
    is_direct: bool = False
    """Whether the address is an argument of the call, and no default that a setting replaces."""


class BuiltPages(msgspec.Struct, frozen=True):
    """The texts and addresses that were found in the files of built pages."""

    texts: list[str] = []
    """The texts, of those asked for, that are in one of them."""
    local: list[str] = []
    """Addresses with a port that lead each browser to its own machine: http://localhost:8000."""
    calls: list[PageCall] = []
    """Those that the code calls whatever the address of its page is, each once."""
    files: int = 0
    """The number of files that were searched."""
    newest: float = 0.0
    """Unix time of the last change of any of them."""
    is_complete: bool = True
    """Whether nothing was left out."""


class SearchBuiltPages(Question[BuiltPages], frozen=True):
    """The texts that are in the scripts and pages below folders that a web server shows."""

    POLICY = Policy(
        "file.built-pages",
        what="texts in the code of built pages",
        collector="disk.files:built_pages",
        lane="file",
        deadline=2.5,
        priority=6,
    )
    root: str
    """As of `ReadFile`."""
    folders: list[str]
    """A folder that does not exist has no files."""
    texts: list[str]

    def about(self) -> str:
        return f"texts in the pages below {', '.join(self.folders)}"
