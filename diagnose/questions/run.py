"""Questions about this process: its clock, what the user asked of it, and who runs it."""

from __future__ import annotations

from diagnose.model import Json
from diagnose.questions.question import Policy, Question


class ReadClock(Question[Json], frozen=True):
    """The time now, and when the machine started."""

    POLICY = Policy("now", "the clock", "tool:now", "local", "tool", 1, 0)


class ReadOptions(Question[Json], frozen=True):
    """What the user asked of this run."""

    POLICY = Policy("options", "the options of the run", "options:options", "local", "tool", 1, 0)


class IdentifyCaller(Question[Json], frozen=True):
    """The user and the rights of this process."""

    POLICY = Policy("caller", "the user and the rights of this process", "tool:caller", "local", "tool", 1, 0)


class IdentifyKernel(Question[Json], frozen=True):
    """What uname says."""

    POLICY = Policy("uname", "the name and the version of the kernel", "kernel.proc:uname", "local", "tool", 1, 0)
