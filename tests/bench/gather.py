"""Ask what a run asked of the API, by the tool's own hands and nothing else; print {"wall", "cpu"}
in seconds, imports left out."""

from __future__ import annotations

import gc
import json
import sys
import time

from diagnose.live import Live
from diagnose.live.engine import api  # noqa: F401 - imported before the clock starts
from diagnose.questions import RecordedQuestion
from diagnose.questions.question import policies
from diagnose.recording.budget import Budget
from diagnose.recording.recorder import Recorder


def main() -> None:
    gc.disable()  # as the tool does
    policies()  # a recorded question finds its policy where its module is imported
    with open(sys.argv[1]) as file:
        questions = [RecordedQuestion(*line.rstrip("\n").partition(" ")[::2]) for line in file]
    asked = [RecordedQuestion(question.kind, question.arguments or "{}") for question in questions]
    began, used = time.monotonic(), time.process_time()
    host = Recorder(Live(), Budget(time.monotonic() + 60))
    for _ in host.ask_many(asked):
        pass
    print(json.dumps({"wall": time.monotonic() - began, "cpu": time.process_time() - used}))


main()
