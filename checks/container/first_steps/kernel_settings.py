"""First steps where a line names a setting of the kernel."""

from __future__ import annotations

from diagnose.evidence.containers.listing import Container
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import PageVariables

_SETTING = LazyPattern(
    r"(?<![\w./-])(?:net\.(?:core|ipv[46]|netfilter)|vm|fs|kernel)\.[a-z0-9_]+(?:\.[a-z0-9_]+){0,5}\b(?!\.[a-z]|\()"
)


def kernel_setting_steps(container: Container, text: str) -> PageVariables:
    """The variables of a page about the setting, as `sysctl` takes it."""
    match = _SETTING.search(text)
    return {"wanted_setting": match[0], "set_for": container.name} if match is not None else {}
