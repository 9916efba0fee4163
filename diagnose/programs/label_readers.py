"""Programs that act on containers by their labels. Pure data."""

import msgspec

from diagnose.lazy_pattern import LazyPattern


class LabelReader(msgspec.Struct, frozen=True):
    """A program that acts on containers with a label, and leaves all others alone."""

    image: LazyPattern
    label: str
    does: str
    """The verb of a sentence about it: updates, restarts."""
    mode: LazyPattern | None = None
    """The setting, as NAME=value or as a word of its command, by which it looks for labels; None
    for a program that always does."""
    off: LazyPattern | None = None
    """A setting by which it acts on all containers."""
    named_by: str = ""
    """The variable with another name for the label."""


WATCHTOWER = LazyPattern(r"(?:^|/)watchtower(?:[:@]|$)")
AUTOHEAL = LazyPattern(r"(?:^|/)(?:docker-)?autoheal(?:[:@]|$)")
DIUN = LazyPattern(r"(?:^|/)diun(?:[:@]|$)")
OFELIA = LazyPattern(r"(?:^|/)ofelia(?:[:@]|$)")
"""The images of these programs."""

LABEL_READERS = (
    LabelReader(
        WATCHTOWER,
        "com.centurylinklabs.watchtower.enable",
        "updates",
        mode=LazyPattern(r"(?i)(?:WATCHTOWER_LABEL_ENABLE=(?:true|1)|--label-enable(?:=true)?)"),
    ),
    LabelReader(
        AUTOHEAL,
        "autoheal",
        "restarts",
        off=LazyPattern(r"AUTOHEAL_CONTAINER_LABEL=all"),
        named_by="AUTOHEAL_CONTAINER_LABEL",
    ),
    LabelReader(
        DIUN,
        "diun.enable",
        "watches",
        mode=LazyPattern(r"(?i)DIUN_PROVIDERS_DOCKER=true"),
        off=LazyPattern(r"(?i)DIUN_PROVIDERS_DOCKER_WATCHBYDEFAULT=true"),
    ),
    LabelReader(OFELIA, "ofelia.enabled", "runs jobs in", mode=LazyPattern(r"--docker(?:=true)?")),
)
"""Their documentation. Ofelia runs jobs of other containers only with that label beside them."""
REMOTE = LazyPattern(r"(?:DOCKER_HOST|DOCKER_SOCK)=(?:tcp|https?|ssh)://.{0,200}")
"""The setting of a program that acts on the containers of another engine, or by a proxy."""
