"""Which lines of a log are those of a container's last run."""

import pytest

from diagnose.evidence.containers.logs.tail import LogTail, read_tails
from diagnose.model import Json
from diagnose.questions import Question
from tests.hosts import Made
from tests.inspected import container

LOG = "\n".join(
    [
        "2026-01-02T03:04:00.000000000Z done",
        "2026-01-02T03:04:05.000000000Z sh: /app/job: not found",
    ]
)


def answer(question: Question) -> Json:
    return {"text": LOG}


STARTS = {
    "noted with the first line": ("2026-01-02T03:04:05Z", ("sh: /app/job: not found",)),
    "noted seconds later, after the end": ("2026-01-02T03:04:09Z", ("sh: /app/job: not found",)),
}


@pytest.mark.parametrize(("started", "lines"), STARTS.values(), ids=STARTS)
def test_the_lines_of_a_short_run_are_its_own(started: str, lines: tuple[str, ...]) -> None:
    """An engine that notes a start late does not make the run one that printed nothing."""
    state = {"Status": "restarting", "StartedAt": started, "FinishedAt": "2026-01-02T03:04:05.1Z"}
    looping = container(State=state)
    (tail,) = read_tails(Made({"api.logs": answer}), [looping]).tails.values()
    assert tail.lines == lines
    assert tail.earlier == ("done",)


def test_the_end_of_the_run_before_divides_the_lines_of_a_container_that_runs() -> None:
    """A program that fails at once is started again within a second: it may be seen as it runs."""
    state = {
        "Status": "running",
        "Pid": 9,
        "StartedAt": "2026-01-02T03:04:05.9Z",
        "FinishedAt": "2026-01-02T03:04:05.05Z",
    }
    looping = container(State=state, RestartCount=3)
    (tail,) = read_tails(Made({"api.logs": answer}), [looping]).tails.values()
    assert tail.lines == ()
    assert tail.before_this_run.lines == ("done", "sh: /app/job: not found")


REFUSED = ("chown: changing ownership of '/run': Operation not permitted",)


def test_a_start_script_that_changes_owners_wants_root():
    failure = LogTail(REFUSED, begins_as_root=False).failure
    assert failure is not None
    assert failure.needs == ("--user=0",)


def test_root_without_the_capability_wants_the_capability():
    failure = LogTail(REFUSED).failure
    assert failure is not None
    assert failure.needs == ("--cap-add=CHOWN",)
