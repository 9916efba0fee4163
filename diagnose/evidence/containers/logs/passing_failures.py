"""Whether the cause of a program's failure may be over at its next start. Pure."""

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.settings.named.named_settings import NamedSetting
from diagnose.programs.failures import Recognised
from diagnose.word_sets import vocabulary

PASSING = vocabulary(
    "dns io-error no-fork no-space oom open-files port-taken rate-limit refused timeout unreachable"
)
"""Error signatures of what may be over by now."""
_LASTING_CODES = (126, 127, 132)
"""Exit codes for a program that cannot be executed, one that is missing, and an instruction that
the processor does not know."""
SLOW_START_S = 120.0
"""Seconds that a large program may take to its start."""


def passing_signatures(container: Container, tail: LogTail) -> frozenset[str]:
    """The error signatures of failures that may be over by now.

    A port on a network without other containers stays taken by the program itself.
    """
    passing = tail.signs & PASSING
    return passing if container.shares_network else passing - {"port-taken"}


def fails_at_start(container: Container, tail: LogTail, short: float) -> bool:
    """Whether a container's program failed before it worked: within `short` seconds.

    Large programs take minutes until they read a setting or a file that does not change.
    """
    ran = container.ran_for or 0.0
    failure = tail.failure.failure if tail.failure is not None else None
    stays = failure is not None and not failure.may_pass
    return ran < short or (stays and ran < SLOW_START_S)


def may_have_passed(container: Container, tail: LogTail, setting: NamedSetting | None) -> bool:
    """Whether another start shows more than the log did.

    The log objects to nothing, or has words of a passing failure: a peer that is not ready yet, a
    name, a full disk. A setting does not change, nor does a known failure that no check looks for
    on this host.
    """
    is_lasting = container.state.exit_code in _LASTING_CODES
    if setting is not None or is_lasting or stays(tail.failure):
        return False
    if tail.failure is not None and tail.failure.failure.may_pass:
        return True
    complains = tail.has_complaint
    objects = complains or tail.failure is not None
    return not objects or bool(passing_signatures(container, tail))


def stays(failure: Recognised | None) -> bool:
    """Whether a failure is a known one that no other start changes."""
    row = failure.failure if failure is not None else None
    return row is not None and not row.confirmed_by and not row.may_pass
