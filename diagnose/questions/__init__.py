"""The questions that can be put to a host.

One module per subject, each question beside its answer and its policy.

To add a question, touch two files:

1. `diagnose/questions/SUBJECT.py`: a struct for the answer, and a class for the question::

       class Listeners(msgspec.Struct, frozen=True):
           # the answer: each field that may be missing has a default

       class ListListeners(Question[Listeners], frozen=True):
           # its fields are the arguments, JSON values only
           POLICY = Policy(
               "listeners", what="the listening sockets", collector="kernel.open_files:listeners",
               lane="local", scope="network", deadline=2, priority=3,
           )

2. the module below `diagnose/live/` that `POLICY.collector` names: a function `(live, question) ->
  JSON value`, whose second parameter is annotated with the class of the question.

Evidence then reads `host.ask(ListListeners())`, which mypy knows to be `Listeners | Failed`, or
`host.require(ListListeners())` where it is nothing without the answer. The recording holds the name
of the kind, the arguments and the answer as JSON. A question that is repeated on purpose has a
field `round` and `ROUNDS`.

The modules of answers do without `from __future__ import annotations`: msgspec would compile each
annotation from its text, 8 ms of every run. A name that comes later stands in quotes.
"""

from diagnose.questions.host import AnswerSource, Host, LaneServer
from diagnose.questions.question import AnyQuestion, Lane, Policy, Question, RecordedQuestion, Scope
