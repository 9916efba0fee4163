"""Containers that a run has no time to inspect: none is forgotten, few are named."""

import itertools

import pytest

from diagnose.evidence.containers import listing
from diagnose.evidence.containers.containers import Containers
from diagnose.judgement.tracking_host import TrackingHost
from diagnose.model import Failed, Json
from diagnose.model.findings import number_of
from diagnose.model.subjects import HOST, container
from diagnose.questions import AnyQuestion
from tests.hosts import Made

REACHED = 2_500
LATE = Failed("budget", "no answer within the time limit")


def many_containers(number: int) -> Made:
    """A host of so many containers, whose engine answers about the first of them in time."""
    answered = itertools.count()

    def inspect(question: AnyQuestion) -> Json | Failed:
        id = str(question.args["id"])
        return {"Id": id, "Name": f"/web-{id}"} if next(answered) < REACHED else LATE

    rows: Json = [{"Id": f"{at:06}", "Names": [f"/web-{at:06}"]} for at in range(number)]
    return Made({"api.containers": rows, "api.container": inspect})


@pytest.fixture
def host() -> Made:
    return many_containers(9_000)


def inspected(host: Made) -> Containers:
    found = listing.containers(TrackingHost(host))
    assert isinstance(found, Containers)
    return found


def test_all_containers_are_inspected_or_counted(host: Made) -> None:
    found = inspected(host)
    assert len(found) == REACHED
    assert len(found.unexamined) == listing.MOST_NAMED
    assert len(found) + number_of(found.unexamined) == 9_000


def test_nobody_is_asked_about_once_the_time_is_over(host: Made) -> None:
    inspected(host)
    asked = [question for question in host.asked if question.kind == "api.container"]
    assert len(asked) == 2 * listing.AT_ONCE


def test_each_of_those_without_a_name_may_be_meant(host: Made) -> None:
    left_out = inspected(host).unexamined
    assert any(one.may_be(container("web-008999")) for one in left_out)
    assert not any(one.may_be(HOST) for one in left_out)


def test_few_are_named_each() -> None:
    found = inspected(many_containers(REACHED + 3))
    assert [one.subject.name for one in found.unexamined] == [
        "web-002500",
        "web-002501",
        "web-002502",
    ]
    assert number_of(found.unexamined) == 3


def test_a_reason_that_thousands_have_is_kept_once(host: Made) -> None:
    tracking = TrackingHost(host)
    listing.containers(tracking)
    assert len(tracking.unanswered) == 1


def test_a_run_inspects_no_more_than_its_memory_holds_and_those_that_run_first() -> None:
    rows: list[dict[str, Json]] = [
        {"Id": f"{at:06}", "Names": [f"/web-{at:06}"], "State": "running" if at % 9 else "exited"}
        for at in range(listing.MOST_INSPECTED + listing.NAMES_OF_ONE)
    ]
    host = Made(
        {
            "api.containers": rows,
            "api.container": lambda asked: {
                "Id": asked.args["id"],
                "Name": f"/web-{asked.args['id']}",
                "State": {"Status": "running", "Pid": int(str(asked.args["id"])) % 9},
            },
        }
    )
    found = inspected(host)
    assert len(found) == listing.MOST_INSPECTED - 1
    assert len(found.running) == sum(row["State"] == "running" for row in rows)
    assert number_of(found.unexamined) == listing.NAMES_OF_ONE + 1


def test_a_longer_run_inspects_more() -> None:
    number = listing.MOST_INSPECTED + 1
    host = Made(
        {
            "options": {"budget_s": 30.0},
            "api.containers": [{"Id": f"{at}", "Names": [f"/web-{at}"]} for at in range(number)],
            "api.container": lambda asked: {"Id": asked.args["id"], "Name": "/web"},
        }
    )
    assert len(inspected(host)) == number
