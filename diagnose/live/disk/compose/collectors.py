"""Collectors for what compose files say."""

import os

from diagnose.live import Live
from diagnose.live.disk.files import ask_worker
from diagnose.model import Json
from diagnose.questions.compose import (
    FindComposeFiles,
    FindEmptiedTexts,
    ListComposeFiles,
    ReadComposeProject,
    ReadComposeService,
    ReadComposeVolumes,
    ReadDifferingContents,
)
from diagnose.questions.compose_variables import (
    FindBlankReferences,
    FindLostDollars,
    ReadComposeVariables,
)


def compose_project(live: Live, question: ReadComposeProject) -> Json:
    """The whole project; empty where one of its files cannot be read."""
    return ask_worker(live, question, "compose_project", question.paths)


def compose_service(live: Live, question: ReadComposeService) -> Json:
    """A service in the files of its project; empty where one of them cannot be read."""
    return ask_worker(live, question, "compose_service", question.paths)


def compose_volumes(live: Live, question: ReadComposeVolumes) -> Json:
    """The volumes in the files of a project; none where one of them cannot be read."""
    return ask_worker(live, question, "compose_volumes", question.paths)


def found_compose_files(live: Live, question: FindComposeFiles) -> Json:
    """The compose files in folders that are on this host's own disks."""
    return live.helper("disk").call(
        "found_compose_files",
        {**question.args, "here": _current_folder()},
        question.POLICY.deadline,
    )


def _current_folder() -> str:
    """The folder in which the tool was called; "" where it is gone."""
    try:
        return os.getcwd()  # noqa: PTH109 - a text
    except OSError:
        return ""


def differing_contents(live: Live, question: ReadDifferingContents) -> Json:
    """The paths in the container; none where a file of the project cannot be read."""
    return ask_worker(live, question, "differing_contents", question.paths)


def emptied_texts(live: Live, question: FindEmptiedTexts) -> Json:
    """The lines of compose files with variables that have such a text without them."""
    return ask_worker(live, question, "emptied_texts", question.paths)


def lost_dollars(live: Live, question: FindLostDollars) -> Json:
    """The variables of env files and compose files whose `$` names a variable that is not set.

    The values stay here: they may be secrets.
    """
    return ask_worker(live, question, "lost_dollars", question.paths)


def blank_references(live: Live, question: FindBlankReferences) -> Json:
    """The commands of compose files with a variable that `.env` does not set."""
    return ask_worker(live, question, "blank_references", question.paths)


def compose_files(live: Live, question: ListComposeFiles) -> Json:
    """The files of a compose project, with the times of their last changes."""
    return ask_worker(live, question, "compose_files", question.paths)


def compose_variables(live: Live, question: ReadComposeVariables) -> Json:
    """The variables that a service of compose has in the files of its project."""
    return ask_worker(live, question, "compose_variables", question.paths)
