"""All hosts of `--on` at once.

Progress on stderr, the reports in the order of the command line, the exit code of the worst.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

from diagnose.reach.target import Target
from diagnose.reach.visit import RemoteRun, Visit, VisitError, visit
from diagnose.render.stages import Stages

AT_ONCE = 16
"""Hosts that are visited at the same time."""
ORDER_OF_CODES = (0, 3, 1, 2)
"""Exit codes, the worst last."""
UNKNOWN = 3

Outcome = Visit | VisitError


def worst(codes: Sequence[int]) -> int:
    """The exit code of several runs."""
    return max(codes, key=ORDER_OF_CODES.index, default=UNKNOWN)


def go(
    targets: Sequence[Target], remote_run: RemoteRun, deliver: Callable[[Target, Outcome], int]
) -> int:
    """Visit all of them.

    deliver: is given each outcome, in order, and says its exit code. The exit code of the
    worst.
    """
    stages = Stages([str(target) for target in targets])
    if remote_run.ask_password is not None:
        remote_run = replace(remote_run, ask_password=stages.asking_once(remote_run.ask_password))
    pool = ThreadPoolExecutor(min(AT_ONCE, len(targets)))

    def one(number: int) -> Outcome:
        try:
            outcome: Outcome = visit(
                targets[number], remote_run, lambda text: stages.set(number, text)
            )
        except VisitError as error:
            stages.set(number, f"failed: {error}")
            return error
        stages.set(number, "done")
        return outcome

    with stages.shown():
        pending: list[Future[Outcome]] = [
            pool.submit(one, number) for number in range(len(targets))
        ]
        outcomes = [future.result() for future in pending]
    return worst(
        [deliver(target, outcome) for target, outcome in zip(targets, outcomes, strict=True)]
    )
