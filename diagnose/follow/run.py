"""`diagnose follow` as a whole: the finding, the walk, the transcript, the exit code."""

import contextlib
import signal
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from diagnose import session
from diagnose.follow import script, shell, steps
from diagnose.follow.guide import Guide, Means, Person, StoppedError
from diagnose.follow.transcript import Transcript
from diagnose.judgement.exit_codes import CRITICAL, OK, UNKNOWN, WARNING
from diagnose.model import Report, Reported, Severity, Verdict
from diagnose.questions.run import Options
from diagnose.session import InvalidRequestError


def printed(report: Report, target: str) -> str:
    """The steps for each finding that the target names, as a script.

    InvalidRequestError where there is none.
    """
    findings = steps.find(report, target)
    if not findings:
        raise InvalidRequestError(_not_found(report, target))
    return script.text([steps.plan(report, finding) for finding in findings], report.host.name)


def follow(
    report: Report, target: str, arguments: Sequence[str], output: Path | None, person: Person
) -> int:
    """Follow the page of one finding with the person at the terminal; the exit code.

    arguments: what the new diagnosis is called with. output: a new file for the transcript; None
    for a name of its own in the current folder. 0: healed, or nothing to heal. InvalidRequestError
    where the transcript cannot be made.
    """
    findings = steps.find(report, target)
    if not findings:
        person.say(
            f"Nothing to heal now: {_not_found(report, target)}. What comes and goes is seen only while it "
            "happens: try again then."
        )
        return UNKNOWN if _is_blind(report, target) else OK
    finding = _chosen_finding(findings, person)
    if finding is None:
        return UNKNOWN
    plan = steps.plan(report, finding)
    now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    path = output or Path(f"diagnose-follow-{plan.id}-{now}.md")
    transcript = _transcript(path)
    transcript.begin(plan, report.host.name, report.version)
    _show_plan(plan, person)
    means = Means(shell.run, lambda: shell.diagnose(arguments))
    ending = _ending(Guide(plan, person, means, transcript), person, transcript)
    why_unwritten = transcript.close()
    if why_unwritten:
        person.say(f"The transcript could not be written whole: {path}: {why_unwritten}.")
    else:
        person.say(f"The transcript for the ticket is {path}.")
    if ending == "unknown":
        return UNKNOWN
    still_there = CRITICAL if finding.severity is Severity.critical else WARNING
    return OK if ending == "healed" else still_there


def _transcript(path: Path) -> Transcript:
    """A new transcript. InvalidRequestError where it cannot be made."""
    try:
        return Transcript(path, session.redactor(session.configuration(Options())))
    except OSError as error:
        raise InvalidRequestError(
            f"cannot write {path}: {error.strerror}; -o FILE names another place"
        ) from error


def _ending(guide: Guide, person: Person, transcript: Transcript) -> str:
    """How the walk through the page ends."""
    with _ended_by_signals():
        try:
            return guide.walk()
        except StoppedError as why:
            person.say(str(why))
            transcript.note(str(why))
        except (EOFError, KeyboardInterrupt):
            person.say("\nInterrupted. Nothing else is run.")
            transcript.note("Interrupted.")
    return "stopped"


def _show_plan(plan: steps.CurePlan, person: Person) -> None:
    """Say what is wrong and what will be done, before the first command."""
    person.say(f"{str(plan.severity).upper()}  {plan.id}  {plan.subject.name}")
    person.say(plan.summary, 2)
    for cause in plan.causes:
        person.say(
            f"It is an effect of another finding. Follow that first: diagnose follow '{cause}'", 2
        )
    person.say(
        "Each command is shown first, "
        "and run only after you have typed the answer that it asks for."
    )


def _chosen_finding(findings: Sequence[Reported], person: Person) -> Reported | None:
    """The finding that is meant, asked for where several are; None if the person gave up."""
    if len(findings) == 1:
        return findings[0]
    for number, finding in enumerate(findings, 1):
        person.say(f"{number}  {finding.key}: {finding.finding.summary}", 2)
    while True:
        try:
            answer = person.ask("Which one? Type its number, or quit:")
        except (EOFError, KeyboardInterrupt):
            return None
        if answer == "quit":
            return None
        if answer.isascii() and answer.isdigit() and 0 < int(answer[:4]) <= len(findings):
            return findings[int(answer[:4]) - 1]


def _not_found(report: Report, target: str) -> str:
    id = target.partition("@")[0]
    result = next((result for result in report.results if result.check.id == id), None)
    if result is None or result.verdict is Verdict.FOUND:
        return f"{target} is not found on this host"
    why = f" ({result.why.strip().splitlines()[-1]})" if result.why.strip() else ""
    return f"{id} is not found on this host, the check says: {result.verdict.value}{why}"


def _is_blind(report: Report, target: str) -> bool:
    id = target.partition("@")[0]
    return any(result.check.id == id and result.is_unjudged for result in report.results)


@contextlib.contextmanager
def _ended_by_signals() -> Iterator[None]:
    """While it lasts, SIGTERM and SIGHUP end the walk as Ctrl-C does.

    The transcript is kept.
    """

    def stop(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = {
        number: signal.signal(number, stop)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
