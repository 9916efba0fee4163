"""The search in the code of pages that a tool has built."""

import itertools
import os
import re
import time
from collections.abc import Iterator

from diagnose.live import Refused
from diagnose.live.disk.opening import open_folder, open_regular, read_all
from diagnose.live.disk.page_calls import calls
from diagnose.model import Json

_CODE = (".htm", ".html", ".js", ".json", ".mjs")
_PASSED_OVER = frozenset({"node_modules", "cache"})
_DEEPEST = 8
_MOST_FILES = 3000
_MOST_BYTES = 64 << 20
_LARGEST = 12 << 20
_SECONDS = 1.8
_LOCAL = re.compile(rb"https?://(?:localhost|127\.0\.0\.1|0\.0\.0\.0):\d{1,5}")
_MOST_LOCAL = 20


class _Search:
    """The texts that were found so far, and the rest of the limits."""

    def __init__(self, texts: list[str]) -> None:
        self.wanted = {text: text.encode() for text in texts}
        self.found: set[str] = set()
        self.local: set[str] = set()
        self.calls: dict[str, Json] = {}
        self.files = 0
        self.bytes = 0
        self.newest = 0.0
        self.until = time.monotonic() + _SECONDS

    @property
    def is_over(self) -> bool:
        is_late = time.monotonic() > self.until
        return is_late or self.files >= _MOST_FILES or self.bytes >= _MOST_BYTES

    def read(self, path: str, root: str) -> None:
        """Search one file."""
        try:
            descriptor = open_regular(path, root)
        except (OSError, Refused):
            return
        try:
            changed = os.fstat(descriptor).st_mtime
            body = read_all(descriptor, _LARGEST)
        finally:
            os.close(descriptor)
        self.files += 1
        self.bytes += len(body)
        self.newest = max(self.newest, changed)
        self.found |= {text for text, sought in self.wanted.items() if sought in body}
        if len(self.local) < _MOST_LOCAL:
            self.local |= {match.decode() for match in _LOCAL.findall(body)}
        for call in itertools.islice(calls(body), _MOST_LOCAL):
            self.calls.setdefault(call.address, {**call._asdict(), "file": path})


def built_pages(args: Json) -> Json:
    """See `files.built_pages`."""
    search = _Search(list(args["texts"]))
    is_complete = True
    for folder in args["folders"]:
        for path in _files_below(folder, args["root"]):
            if search.is_over:
                is_complete = False
                break
            search.read(path, args["root"])
    return {
        "texts": sorted(search.found),
        "local": sorted(search.local)[:_MOST_LOCAL],
        "calls": list(search.calls.values())[:_MOST_LOCAL],
        "files": search.files,
        "newest": search.newest,
        "is_complete": is_complete,
    }


def _files_below(folder: str, root: str) -> Iterator[str]:
    """The scripts and pages below a folder, which is resolved inside of the root."""
    waiting = [(folder, 0)]
    while waiting:
        path, depth = waiting.pop()
        try:
            descriptor = open_folder(path, root)
        except (OSError, Refused):
            continue
        try:
            with os.scandir(descriptor) as listed:
                entries = sorted(listed, key=lambda entry: entry.name)
                folders = {entry.name for entry in entries if entry.is_dir(follow_symlinks=False)}
        except OSError:
            continue
        finally:
            os.close(descriptor)
        if depth < _DEEPEST:
            waiting += [(f"{path}/{name}", depth + 1) for name in sorted(folders - _PASSED_OVER)]
        for entry in entries:
            if entry.name not in folders and entry.name.endswith(_CODE):
                yield f"{path}/{entry.name}"
