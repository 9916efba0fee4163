"""The log files that a collector of logs should read, by its settings. Pure."""

import re
from collections.abc import Iterator

from diagnose.questions.file_parts import OTHER_SOURCE

_OTHER = re.compile(
    r"(?mi)^[ \t-]*(?:docker_sd_configs|journal|syslog|autodiscover|loki_push_api|kafka|gelf"
    r"|type[ \t]*:[ \t]*(?:tcp|udp|unix)"
    r"|source[ \t]*:[ \t]*(?!file\b)\w+"
    r"|name[ \t]+(?:forward|systemd|syslog|tcp|http|docker|cpu|dummy|exec"
    r"|mem|kmsg|netif|stdin|serial|udp|mqtt|opentelemetry)"
    r"|@type[ \t]+(?:exec|forward|syslog|http|sample|dummy|sql|systemd|tcp|udp|unix))\b"
)
"""Promtail, Filebeat, CrowdSec, Fluent Bit and Fluentd, in this order."""
_SINGLE = re.compile(
    r"(?:filename[ \t]*+:|[ \t-]*+__path__[ \t]*+:|[ \t]*+path[ \t])[ \t]*+"
    r"[\"']?(?P<path>/[^\s\"']{1,300})",
    re.IGNORECASE,
)
"""CrowdSec, Promtail, both Fluents. An indented `filename` is where Promtail keeps positions."""
_LIST = re.compile(r"[ \t-]*(?:paths|filenames)[ \t]*:[ \t]*(?P<flow>\[[^\]\n]*\])?")
_ITEM = re.compile(r"[ \t]*-[ \t]+[\"']?(?P<path>/[^\s\"']{1,300})")
_IN_FLOW = re.compile(r"/[^\s\"',\]]{1,300}")
_OUTPUT = re.compile(r"[ \t]*(?:\[OUTPUT\]|<match\b)", re.IGNORECASE)
_INPUT = re.compile(r"[ \t]*(?:\[\w+\]|<source>)", re.IGNORECASE)


def log_paths(text: str) -> Iterator[str]:
    """The paths and patterns of files, one a line, and OTHER_SOURCE where it reads more."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith(("#", "//", ";"))]
    if _OTHER.search("\n".join(lines)):
        yield OTHER_SOURCE
    is_listing = False
    is_output = False
    for line in lines:
        if _OUTPUT.match(line) or _INPUT.match(line):
            is_output = _OUTPUT.match(line) is not None
        entry = _ITEM.match(line) if is_listing else None
        listed = _LIST.match(line)
        is_listing = entry is not None or (listed is not None and not listed["flow"])
        if entry is not None:
            yield entry["path"]
        elif listed is not None and listed["flow"]:
            yield from _IN_FLOW.findall(listed["flow"])
        elif not is_output and (single := _SINGLE.match(line)) is not None:
            path = single["path"]
            yield from [path] if "{" in path else path.split(",")
