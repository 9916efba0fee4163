"""The walk through a page's steps.

It asks before each command, and stops as soon as the host does not answer as the page says.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Protocol

import msgspec

from diagnose.compare import BLIND
from diagnose.follow.shell import CommandEnd
from diagnose.follow.steps import CurePlan, PageStep
from diagnose.follow.transcript import Transcript
from diagnose.model import Severity
from diagnose.phrases import and_more
from diagnose.render.words import clean

Ending = Literal["healed", "not healed", "unknown", "stopped"]
_TRIES = 3
_PAUSE_S = 2.0
"""A container that was started needs a moment before the diagnosis can see it well."""
_QUESTIONS = {
    "yes": "Run it? Type yes, skip or quit:",
    "name": "This loses data. To run it, type {name}; otherwise skip or quit:",
    "by hand": (
        "It depends on what only you know. "
        "Run it in another terminal, then type done; otherwise skip or quit:"
    ),
}


class StoppedError(Exception):
    """The walk ends here; one sentence says why."""


class Person(Protocol):
    """The person in front of the terminal."""

    def say(self, text: str = "", indent: int = 0) -> None: ...
    def show(self, command: str) -> None: ...
    def stream(self, output: str) -> None: ...
    def ask(self, question: str) -> str: ...


class Means(msgspec.Struct, frozen=True):
    """The means of a walk through a page.

    Run a command that was agreed to, and diagnose the host again (None: no report came).
    """

    run: Callable[[str, Callable[[str], None]], CommandEnd]
    diagnose: Callable[[], Mapping[str, Any] | None]
    pause: Callable[[float], None] = time.sleep


class Guide:
    """One walk. It keeps no state but the place in the plan."""

    def __init__(
        self, plan: CurePlan, person: Person, hands: Means, transcript: Transcript
    ) -> None:
        self._plan = plan
        self._person = person
        self._hands = hands
        self._transcript = transcript

    def walk(self) -> Ending:
        """Offer every step in its turn.

        StoppedError, EOFError and KeyboardInterrupt end it; the steps before have been run.
        """
        for step in self._plan.confirm:
            self._confirm(step)
        if self._plan.by_hand:
            self._person.say()
            self._tell(f"Fix (by hand): {self._plan.by_hand}")
        for number, step in enumerate(self._plan.fixes):
            ending = self._fix(step, is_last=number == len(self._plan.fixes) - 1)
            if ending in ("healed", "unknown"):
                return self._verify() if ending == "healed" else ending
        self._tell("No step of the page is left, and the finding is still there.")
        return "not healed"

    def _confirm(self, step: PageStep) -> None:
        """Run a look of the page. StoppedError where it does not show the symptom."""
        outcome = self._offer_step(step, "Confirm")
        if outcome is None or step.agreement == "by hand":
            return
        is_shown = bool(outcome.output.strip()) and outcome.code == 0
        if not is_shown and not step.command.may_fail:
            raise StoppedError(
                "This command does not show the symptom, "
                "so nothing was changed. Diagnose again first."
            )

    def _fix(self, step: PageStep, *, is_last: bool) -> Ending:
        """Offer a fix, run it, and diagnose again until the person goes on."""
        outcome = self._offer_step(step, "Fix")
        if outcome is None:
            return "not healed"
        if outcome.code != 0:
            raise StoppedError(
                f"The command failed with exit code {outcome.code}. Nothing else is run."
            )
        while True:
            ending = self._diagnose_again()
            if ending != "not healed":
                return ending
            choices = ["again"] if is_last else ["again", "next"]
            question = f"Some cures need a moment. Type {', '.join(choices)} or quit:"
            if self._answer(question, choices) == "next":
                return ending

    def _verify(self) -> Ending:
        """Run the last looks of the page, and say whether one of them still fails."""
        for step in self._plan.verify:
            outcome = self._offer_step(step, "Verify")
            if outcome is not None and outcome.code != 0 and not step.command.may_fail:
                self._tell(
                    f"This check of the page fails with exit code {outcome.code}, "
                    "though the finding is gone."
                )
                return "not healed"
        return "healed"

    def _offer_step(self, step: PageStep, title: str) -> CommandEnd | None:
        """Show a step and what it does, and run it once that was agreed to.

        None if it was left out.
        """
        command = step.command
        risk = f" ({command.risk})" if command.purpose == "fix" else ""
        self._person.say()
        self._person.say(f"{title}{risk}: {command.impact}" if command.impact else f"{title}{risk}")
        if step.touches:
            self._person.say(f"touches: {step.touches}", 2)
        self._person.show(command.text)
        self._transcript.step(f"{title}{risk}", command.text)
        if not self._is_agreed(step):
            self._tell("Left out.")
            return None
        if step.agreement == "by hand":
            self._transcript.note("Done by hand, the engineer says.")
            return CommandEnd(code=0, output="", seconds=0.0)
        outcome = self._hands.run(command.text, self._person.stream)
        self._transcript.ran(outcome)
        return outcome

    def _is_agreed(self, step: PageStep) -> bool:
        """Whether the person wants this command to be run, or says that it was done by hand."""
        name = self._plan.subject.name
        agreement = step.agreement
        shown = f"{step.command.text}{name}" if agreement == "name" else step.command.text
        if clean(shown) != shown:
            self._tell(
                "It holds characters that a terminal does not show, so it is not run from here."
            )
            return False
        right_word = {"yes": "yes", "name": name, "by hand": "done"}[agreement]
        answer = self._answer(_QUESTIONS[agreement].replace("{name}", name), [right_word, "skip"])
        return answer == right_word and answer != "skip"

    def _answer(self, question: str, choices: Sequence[str]) -> str:
        """One of the choices, word for word. StoppedError for quit, which is always one."""
        while True:
            answer = self._person.ask(question)
            if answer == "quit":
                raise StoppedError("You ended it. Nothing else is run.")
            if answer in choices:
                return answer
            self._person.say("Nothing was run.")

    def _diagnose_again(self) -> Ending:
        """The ending by a new diagnosis of the finding and its effects."""
        self._person.say("Diagnosing again ...")
        for attempt in range(_TRIES):
            if attempt:
                self._hands.pause(_PAUSE_S)
            report = self._hands.diagnose()
            still_found, new = self._still_found(report)
            if report is not None and not still_found:
                self._tell("Healed: the finding and its effects are gone.")
                self._mention(new)
                return "healed"
        if report is None or self._is_blind(report):
            self._tell("Whether it is healed is unknown: the new diagnosis could not look.")
            return "unknown"
        self._tell(f"Not healed: still there: {and_more(still_found)}.")
        self._mention(new)
        return "not healed"

    def _still_found(self, report: Mapping[str, Any] | None) -> tuple[list[str], list[str]]:
        """The watched findings that are still there, or could not be looked at.

        And those above advice that are new.
        """
        if report is None:
            return [self._plan.key], []
        loud = [
            finding["key"]
            for finding in report["findings"]
            if finding["severity"] != str(Severity.advice)
        ]
        if self._plan.severity > Severity.advice:
            present = loud
        else:
            present = [finding["key"] for finding in report["findings"]]
        remaining = [key for key in present if key in self._plan.watched]
        if not remaining and self._is_blind(report):
            remaining = [self._plan.key]
        return remaining, [key for key in loud if key not in self._plan.known]

    def _is_blind(self, report: Mapping[str, Any]) -> bool:
        verdicts = {check["id"]: check["verdict"] for check in report["checks"]}
        return verdicts.get(self._plan.id, "unknown") in BLIND

    def _mention(self, new: Sequence[str]) -> None:
        if new:
            self._tell(f"New since the beginning: {and_more(list(new))}.")

    def _tell(self, text: str) -> None:
        self._person.say(text)
        self._transcript.note(text)
