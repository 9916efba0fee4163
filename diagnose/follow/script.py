"""The steps of a page as a script, for a place without a terminal: each fix is run by its name."""

import itertools
from collections.abc import Iterator, Sequence

from diagnose.follow.steps import CurePlan, PageStep
from diagnose.render.words import clean

_HEAD = """#!/bin/sh
# The steps of `diagnose follow`, for host {host}. Save this as FILE, and read it first.
#   sh FILE          runs the commands below "Confirm": they only look
#   sh FILE fix-1    runs fix 1 and nothing else; fix-2, if there is one, is another way
#   sh FILE verify   shows whether the problem is gone
"""
_FOOT = """
*)
echo "there is no step '$1' in this script" >&2
exit 2
;;
esac
"""


def text(plans: Sequence[CurePlan], host: str) -> str:
    """A script that only looks, as long as it is not given the name of a fix."""
    shown_host = clean(host).replace("\n", " ")
    numbers = itertools.count(1)
    lines = [*_HEAD.replace("{host}", shown_host).splitlines(), 'case "${1:-confirm}" in']
    lines += ["", "confirm)"]
    for plan in plans:
        lines += [*_comment(f"== {plan.key}"), *_comment(plan.summary), ""]
        lines += itertools.chain.from_iterable(_look("Confirm", step) for step in plan.confirm)
    lines.append(";;")
    for plan in plans:
        if plan.by_hand:
            lines += ["", *_comment(f"== {plan.key}"), *_comment(f"Fix by hand: {plan.by_hand}")]
        for step in plan.fixes:
            lines += ["", *_comment(f"== {plan.key}"), *_fix(step, numbers)]
    lines += ["", "verify)"]
    for plan in plans:
        lines += itertools.chain.from_iterable(_look("Verify", step) for step in plan.verify)
    lines.append(";;")
    return "\n".join(lines) + "\n" + _FOOT


def _look(title: str, step: PageStep) -> list[str]:
    """A command that shows something, below what it shows."""
    return [*_titled(title, step), *_commands(step), ""]


def _fix(step: PageStep, numbers: Iterator[int]) -> list[str]:
    """A fix with its risk.

    One that its reader has to judge first, or that hides what it does, has no name: nobody can run
    it as it stands.
    """
    risk = step.command.risk
    touches = _comment(f"touches: {step.touches}") if step.touches else []
    if step.command.example or _is_hiding(step):
        title = f"Fix by hand ({risk}), which depends on what only you know"
        return [*_titled(title, step), *touches, *_comment(step.command.text)]
    number = next(numbers)
    head = [*_titled(f"Fix {number} ({risk})", step), *touches]
    return [*head, f"fix-{number})", *_commands(step), ";;"]


def _titled(title: str, step: PageStep) -> list[str]:
    impact = step.command.impact
    return _comment(f"{title}: {impact}" if impact else title)


def _commands(step: PageStep) -> list[str]:
    """The lines of a command, which are a comment where the screen would hide a part of them."""
    command = step.command.text
    return _comment(command) if _is_hiding(step) else command.splitlines()


def _is_hiding(step: PageStep) -> bool:
    return clean(step.command.text) != step.command.text


def _comment(words: str) -> list[str]:
    return [f"# {line}" for line in clean(words).splitlines()]
