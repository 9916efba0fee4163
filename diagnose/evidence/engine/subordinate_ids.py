"""The subordinate ids of the user to whom the engine remaps the users of containers."""

from collections.abc import Iterator

import msgspec

from diagnose.evidence.engine.config import DaemonConfig
from diagnose.model import Unavailable
from diagnose.numbers import is_number
from diagnose.questions import Host
from diagnose.questions.file_answers import file_text
from diagnose.registry import evidence

USER_IDS = "/etc/subuid"
GROUP_IDS = "/etc/subgid"


class SubordinateIds(msgspec.Struct, frozen=True):
    """The ids that a user owns by now. The engine has read them when it started."""

    user: str
    count: int
    """So many ids are mapped, from 0 on, for users as well as for groups."""


@evidence
def subordinate_ids(host: Host, config: DaemonConfig) -> SubordinateIds | Unavailable:
    """The ids of the user in `userns-remap`. The two files are read where that is set."""
    user = remapped_user(config)
    if not user:
        return Unavailable("not applicable", "userns-remap names no user")
    counts = [sum(_counts_of(user, file_text(host, path))) for path in (USER_IDS, GROUP_IDS)]
    return SubordinateIds(user, min(counts))


def remapped_user(config: DaemonConfig | None) -> str:
    """The user whose subordinate ids the engine uses (`default` stands for dockremap).

    "" where the setting is missing, or is the number of a user.
    """
    configured_user = config.value("userns-remap") if config is not None else None
    name = str(configured_user or "").partition(":")[0]
    if name.isdigit():
        return ""
    return "dockremap" if name == "default" else name


def _counts_of(user: str, text: str) -> Iterator[int]:
    """The sizes of the user's ranges: the third field of `dockremap:100000:65536`."""
    for line in text.splitlines():
        name, _, rest = line.strip().partition(":")
        size = rest.partition(":")[2]
        if name == user and is_number(size):
            yield int(size)
