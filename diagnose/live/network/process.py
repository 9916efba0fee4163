"""Questions that the network process answers."""

import time

from diagnose.live import Live
from diagnose.live.helper import MARGIN_S
from diagnose.model import Json
from diagnose.questions import AnyQuestion
from diagnose.questions.firewall import CountPackets
from diagnose.questions.netns import VisitNetns
from diagnose.questions.queues import WatchQueues

LATER_S = 1.0
"""A program that works accepts what waits for it in less."""


def ask(live: Live, question: AnyQuestion) -> Json:
    """The answer of the network process.

    The functions named in `worker` describe arguments, shapes and errors.
    """
    return _call(live, question, question.kind)


def _call(live: Live, question: AnyQuestion, function: str) -> Json:
    """The answer of one function of the network process."""
    patience = live.deadline(question) - MARGIN_S
    return live.helper("network").call(function, question.args, patience)


def list_again(live: Live, question: AnyQuestion) -> Json:
    """Interfaces, addresses or routes of the host, listed once more."""
    kind = question.kind.removesuffix(".later")
    return live.helper("network").call(kind, {}, live.deadline(question) - MARGIN_S)


def count_later(live: Live, question: CountPackets) -> Json:
    """The counters of rules once packets had time to come."""
    time.sleep(LATER_S)
    return ask(live, question)


def visit_later(live: Live, question: VisitNetns) -> Json:
    """A visit to a network namespace once what lasts a moment is over."""
    time.sleep(LATER_S)
    return _call(live, question, "netns")


def watch_queues(live: Live, question: WatchQueues) -> Json:
    """The queues of interfaces, read twice with a second between."""
    samples: list[Json] = []
    for pause in (0.0, LATER_S):
        time.sleep(pause)
        samples.append(ask(live, question))
    return samples
