"""What an empty folder of the host hides in the image of a failed container."""

from __future__ import annotations

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.tails import LogTail
from diagnose.evidence.containers.mounts.empty_mounts import EmptyMounts
from diagnose.evidence.containers.settings.named_settings import NamedSetting
from diagnose.model import Json


def hidden_evidence(container: Container, mounts: EmptyMounts | None) -> dict[str, Json]:
    """The empty folders that are mounted over what the image has."""
    return mounts.evidence_of(container) if mounts is not None else {}


def hidden_variables(
    container: Container, tail: LogTail, setting: NamedSetting | None, mounts: EmptyMounts | None
) -> dict[str, str]:
    """The variables of a page about the one such folder, where the log explains nothing better."""
    is_explained = setting is not None or tail.failure is not None
    return {} if mounts is None or is_explained else mounts.variables_of(container)
