"""Taking a bundle: one run of every check, more questions for a colleague, the report judged again from what is sealed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from diagnose import config, engine, run
from diagnose.exits import code_of
from diagnose.host import Question
from diagnose.model import Check, Failed, Report
from diagnose.recorder import Budget, Entry, Recorder, Replay
from diagnose.redact import Redactor
from diagnose.ticket import bundle

REPLAY_S = 3600.0
"""The time to judge a tape in: there is nobody to wait for."""

Hands = Callable[[run.Asked, Sequence[str], float, Redactor], tuple[Recorder, Budget]]
"""Makes the recorder of a host and the budget of its run; what it answers is redacted by the redactor given."""


def take(
    known: Mapping[str, Check],
    asked: run.Asked,
    *,
    began: float,
    max_size: int,
    hands: Hands = run.live,
    redactor: Redactor | None = None,
) -> tuple[Report, bundle.Bundle]:
    """Run every check, ask for what a colleague may need beyond it, seal it all, and prove that it holds no secret.

    run.AskedWrongError for a bad configuration; bundle.TooLargeError, bundle.LeakError as their modules say.
    """
    try:
        configured = config.load(asked.config)
    except config.ConfigError as error:
        raise run.AskedWrongError(str(error)) from error
    redactor = redactor or Redactor()
    recorder, budget = hands(asked, tuple(known), began, redactor)
    what = engine.Run(known, tuple(known), thresholds=configured.thresholds, silences=configured.silences)
    with run.attended(recorder, budget):
        report = engine.run(recorder, what, began=began, budget=budget)
        for questions in (bundle.superset(), bundle.last_words(recorder.tape)):
            for _ in recorder.ask_many(questions):
                pass
    # A secret that an early answer showed in a place of its own may be known only from a later one. The bundle's report is
    # judged again from what the bundle holds, so that both say the same.
    settled = dict(_settled(question, entry, redactor) for question, entry in recorder.tape.items())
    again = engine.run(
        Replay(settled),
        replace(what, uncollected=report.uncollected),
        began=began,
        budget=Budget(time.monotonic() + REPLAY_S),
    )
    report = replace(again, duration_s=report.duration_s, source="live")
    sealed = bundle.make(
        report,
        code_of(report, "warning"),
        settled,
        run.manifest(report, configured.thresholds),
        redacted=redactor.counts,
        max_size=max_size,
    )
    bundle.prove(sealed, redactor.secrets)
    return report, sealed


def _settled(question: Question, entry: Entry, redactor: Redactor) -> tuple[Question, Entry]:
    """Question and answer without what the run has learned to be secret since they were taped."""
    args = redactor.settle(question.args)
    if args != question.args:
        question = Question(question.kind, json.dumps(args, sort_keys=True, separators=(",", ":")))
    if isinstance(entry.answer, Failed):
        return question, Entry(Failed(entry.answer.reason, redactor.text(entry.answer.detail)), entry.duration_s)
    return question, Entry(redactor.settle(entry.answer), entry.duration_s)
