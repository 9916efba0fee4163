"""Questions about the cron jobs of the host."""

import msgspec

from diagnose.questions.question import Policy, Question


class CronCall(msgspec.Struct, frozen=True):
    """A line of the host's cron that calls docker with a terminal, which cron does not have."""

    path: str
    line: int
    flag: str
    """The option that asks for it, as it is written: `-it`."""
    target: str
    """The container or the image that the call names; "" where that is a variable."""
    text: str
    """The call, up to the program that it starts in the container."""


class ListCronCalls(Question[list[CronCall]], frozen=True):
    """The calls of `docker exec` and `docker run` with -i and -t in the host's crontabs."""

    POLICY = Policy(
        "cron.calls",
        what="the cron jobs of the host",
        collector="disk.cron:cron_calls",
        lane="file",
        deadline=1.5,
        priority=6,
    )
