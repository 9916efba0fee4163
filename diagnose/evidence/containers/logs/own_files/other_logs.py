"""Logs to which the last lines of a failed container point, where its own output says no more."""

import re

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.mounts.bind_mounts import named_path
from diagnose.lazy_pattern import LazyPattern

_POINTS = LazyPattern(
    r"""
    \b(?:
          see | check | consult | inspect
        | look(?:ing)?(?:\s+(?:at|in|into))?
        | refer\ to | view | details | information | found\ in | written\ to
        | saved\ (?:in|to|as) | logged\ (?:in|to) | log\ ?files? | logs?\ (?:at|in|is)
        | logs?:
        | logging\ (?:\w+\ ){0,4}(?:to|in)(?:\ file)?
      )(?=[\s:'"`(\[])
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""Words before the path of another log: "see", "details in", "logging to file"."""
_PATH = LazyPattern(r"(?<![\w./:-])/[\w.@+-]+(?:/[\w.@+-]+)*")
_IS_LOG = LazyPattern(r"\blogs?\b|[._-]log\b|_logs\b|\.err\b|\.out\b|trace|crash", re.IGNORECASE)
_STREAMS = ("/dev/", "/proc/", "/bin/", "/usr/bin/", "/etc/")
NEWEST = 20
"""Lines at the end of the output in which such a place counts."""


def other_log(container: Container, tail: LogTail) -> dict[str, str]:
    """The variable of a page about such a log: `other_log` on the host, else `log_inside`.

    Empty where no line points to one.
    """
    for index in range(len(tail.lines) - 1, max(-1, len(tail.lines) - 1 - NEWEST), -1):
        # a line may end with a colon, and the path stand alone on the next one
        before = tail.lines[index - 1] if index else ""
        line = tail.lines[index]
        points = _POINTS.search(line) or (before.rstrip().endswith(":") and _POINTS.search(before))
        paths = _PATH.findall(line) if points else ()
        for path in paths:
            path = path.rstrip(".")
            if _IS_LOG.search(path) and not path.startswith(_STREAMS):
                return _variable(container, path)
    return {}


def _variable(container: Container, path: str) -> dict[str, str]:
    place = named_path(container, f"'{path}'")
    if place is not None and place.mount.has_host_path and ".." not in place.rest:
        return {"other_log": place.on_host[-1]}
    return {"log_inside": f"{container.name}:{path}"}
