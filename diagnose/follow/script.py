"""The steps of a page as a commented script, for a place without a terminal."""

from collections.abc import Sequence

from diagnose.follow.steps import CurePlan, PageStep
from diagnose.render.words import clean

_HEAD = """#!/bin/sh
# What `diagnose follow` would ask, for host {host}. As it stands it only looks: each fix is commented out.
# Read it, remove the `# ` before the commands that you want, and diagnose again after each fix.
"""


def text(plans: Sequence[CurePlan], host: str) -> str:
    """A script that only looks as long as nobody removes the comment signs before a fix."""
    lines = _HEAD.replace("{host}", clean(host).replace("\n", " ")).splitlines()
    for plan in plans:
        lines += ["", *_comment(f"== {plan.key}"), *_comment(plan.summary)]
        for title, steps in (
            ("Confirm", plan.confirm),
            ("Fix", plan.fixes),
            ("Verify", plan.verify),
        ):
            for step in steps:
                lines += _step(title, step)
    return "\n".join(lines) + "\n"


def _step(title: str, step: PageStep) -> list[str]:
    """One command of a page with its comments; what changes the host is a comment too."""
    command = step.command
    risk = f" ({command.risk})" if command.purpose == "fix" else ""
    by_hand = ["put your own values into it first"] if command.example else []
    touches = [f"touches: {step.touches}"] if step.touches else []
    head = [
        f"{title}{risk}: {command.impact}" if command.impact else f"{title}{risk}",
        *touches,
        *by_hand,
    ]
    lines = ["", *(line for part in head for line in _comment(part))]
    is_live = command.purpose != "fix" and clean(command.text) == command.text
    return [*lines, *(command.text.splitlines() if is_live else _comment(command.text))]


def _comment(words: str) -> list[str]:
    return [f"# {line}" for line in clean(words).splitlines()]
