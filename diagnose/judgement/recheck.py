"""A third look at containers that may have changed during the run.

Answers are not a snapshot, and some findings compare two sources.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

import msgspec
from msgspec.structs import replace

from diagnose.model import ContainerRun, Failed, Finding, Json, Result, Unexamined, Verdict
from diagnose.phrases import unix
from diagnose.questions import Host
from diagnose.questions.containers import InspectContainer
from diagnose.questions.processes import SeeProcess
from diagnose.questions.run import ReadClock

LONGEST_S = 600.0
"""No run of this tool lasts longer: a start that lies further ahead is of an engine whose clock
differs."""


def recheck(host: Host, results: Sequence[Result]) -> list[Result]:
    """The results without findings about containers that have changed since.

    Only findings that compared two sources go.
    """
    ended_runs: set[ContainerRun] = set()
    restarted: dict[ContainerRun, str] = {}
    unsettled: dict[ContainerRun, str] = {}
    findings = [finding for result in results for finding in result.findings]
    for run in _begun_meanwhile(host, findings):
        restarted[run] = "it started during this run; run diagnose again"
    for doubt, answer in host.ask_about(_doubts(host, findings), _Doubt.question):
        run = doubt.run
        if not isinstance(answer, Failed):
            if _is_another_run(run, answer):
                restarted[run] = "it restarted during this run; run diagnose again"
        elif answer.reason == "gone":
            ended_runs.add(run)
        elif doubt.round == "settled" and answer.reason != "not recorded":
            unsettled[run] = f"the engine did not answer about it a second time: {answer}"
    doubtful = {
        run: why for run, why in {**unsettled, **restarted}.items() if run not in ended_runs
    }
    return [_without_ended_runs(result, doubtful, ended_runs) for result in results]


def _begun_meanwhile(host: Host, findings: Iterable[Finding]) -> Iterator[ContainerRun]:
    """The compared runs that began after this run of the tool.

    What was read before that, such as the rules of the container's ports, is of no run at all.
    """
    reading = host.ask(ReadClock())
    if isinstance(reading, Failed):
        return
    for finding in findings:
        for run in finding.recheck:
            ahead = (unix(run.started_at) or 0.0) - reading.wall
            if 0.0 <= ahead <= LONGEST_S:
                yield run


class _Doubt(msgspec.Struct, frozen=True):
    """A container run that a finding depends on, and why it is asked about again."""

    run: ContainerRun
    round: Literal["recheck", "settled"]

    def question(self) -> InspectContainer:
        return InspectContainer(self.run.id, round=self.round)


def _doubts(host: Host, findings: Sequence[Finding]) -> list[_Doubt]:
    compared = [run for finding in findings for run in finding.recheck]
    maybe_ended = {run for finding in findings for run in finding.recheck_later}
    unsure = maybe_ended.difference(_with_live_process(host, maybe_ended))
    return [
        *(_Doubt(run, "recheck") for run in dict.fromkeys(compared)),
        *(_Doubt(run, "settled") for run in unsure),
    ]


def _is_another_run(run: ContainerRun, inspect: Json) -> bool:
    """Whether a container is in another run by now than in the one that a check saw."""
    state = inspect.get("State") if isinstance(inspect, dict) else None
    if not isinstance(state, dict):
        return False
    return (state.get("Pid"), state.get("StartedAt")) != (run.pid, run.started_at)


def _with_live_process(host: Host, runs: Iterable[ContainerRun]) -> set[ContainerRun]:
    """The runs whose first process lives, so that there is no end for the engine to notice.

    Another process with the same number is in another control group.
    """
    return {
        run
        for run, process in host.ask_about(runs, lambda run: SeeProcess(run.pid))
        if not isinstance(process, Failed) and process.is_alive and process.container == run.id
    }


def _without_ended_runs(
    result: Result, doubtful: Mapping[ContainerRun, str], ended_runs: set[ContainerRun]
) -> Result:
    """The result without findings about runs that are over, or of which nobody knows.

    A container that is gone leaves no trace; one that restarted was not examined in its new run.

    doubtful: why a container counts as not examined.
    """
    over = ended_runs.union(doubtful)
    remaining = tuple(finding for finding in result.findings if not over.intersection(finding.runs))
    if len(remaining) == len(result.findings):
        return result
    to_recheck = []
    for finding in result.findings:
        whys = [doubtful[run] for run in finding.runs if run in doubtful]
        if whys:
            to_recheck.append(Unexamined(finding.subject, whys[0]))
    unexamined = (*result.unexamined, *to_recheck)
    if remaining:
        return replace(result, findings=remaining, unexamined=unexamined)
    if not unexamined:
        return replace(result, verdict=Verdict.PASSED, findings=())
    first = unexamined[0]
    return replace(
        result,
        verdict=Verdict.UNKNOWN,
        why=f"{first.subject.name}: {first.why}",
        findings=(),
        unexamined=unexamined,
    )
