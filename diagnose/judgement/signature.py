"""The signature of a finding: what stays the same where the same problem is found on another host.

Pure.
"""

from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Finding, Subject

_ADDRESS4 = r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.])"
_ADDRESS6 = (
    r"(?<![\w:])(?=[0-9A-Fa-f:]*::"
    r"|(?:[0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?![\w:])"
)
"""Eight groups, or fewer with `::` between them: a time of day has neither."""
_UUID = r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"
_BRIDGE = r"\bbr-[0-9a-f]{12}\b"
_VETH = r"\bveth[0-9a-f]{5,}\b"
_TASK_ID = r"(?<=\.)[a-z0-9]{25}\b"
_HEX = r"\b(?=[0-9a-f]*\d)[0-9a-f]{12,}\b"
_MADE_UP = LazyPattern("|".join((_UUID, _BRIDGE, _VETH, _TASK_ID, _ADDRESS4, _ADDRESS6, _HEX)))
"""Words that a machine chose and that no other host repeats: ids, the names that engines give
interfaces, addresses."""


def without_ids(text: str) -> str:
    """The text with `*` in the place of ids and addresses."""
    return _MADE_UP.sub("*", text)


def signature(id: str, subject: Subject, finding: Finding) -> str:
    """Check id, subject and discriminator as in the key, without ids and addresses.

    A replica is named by its service.
    """
    name = finding.service or without_ids(subject.name)
    tail = f"#{without_ids(finding.discriminator)}" if finding.discriminator else ""
    return f"{id}@{subject.kind}:{name}{tail}"
