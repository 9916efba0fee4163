"""Collectors for what the layers of images hold."""

from diagnose.live import Live
from diagnose.live.disk.files import ask_worker
from diagnose.model import Json
from diagnose.questions.hidden_files import FindHiddenFiles


def hidden_files(live: Live, question: FindHiddenFiles) -> Json:
    """The files of programs in layers, below folders of the host that are empty."""
    return ask_worker(live, question, "hidden_files", [place.source for place in question.places])
