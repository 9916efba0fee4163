"""The base of all questions.

A question has arguments, the type of its answer, and the policy under which it may be asked.
"""

import functools
import importlib
import json
import pkgutil
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Generic, Literal, TypeVar

import msgspec

from diagnose.model import SAYS_NOTHING, Failed, Json, Unavailable
from diagnose.shapes import convert

Lane = Literal["api", "local", "file", "netns", "probe", "last"]
"""Where a question is answered.

api: one thread with several keep-alive connections to the engine. local: /proc and netlink, quick.
file: the helper process, because the kernel may block. netns: visits to other network namespaces.
probe: a thread for each question (DNS, commands). last: one at a time, once everything else is
answered (/system/df, walks through folders).
"""

Scope = Literal["tool", "engine", "host", "network"]
"""What a question is about.

tool: this process. engine: what the API says. host: this machine; Failed("remote") where the engine
runs on another one. network: the same, and also the tool's own network namespace.
"""


class Policy(msgspec.Struct, frozen=True):
    """The terms under which a question may be asked, so that nobody can ask without a limit."""

    kind: str
    """The name under which question and answer are recorded. It never changes: recordings hold it.
    """
    what: str
    """How a person calls the answer: "the list of processes"."""
    collector: str
    """The function that answers it: module below `diagnose.live`, colon, name. It is imported when
    it is first needed."""
    lane: Lane
    deadline: float
    """Seconds that the answer may take in all, once it is being collected."""
    scope: Scope = "host"
    """What it is about: this machine, unless the question says otherwise."""
    priority: int = 5
    """A lower number is asked first."""
    longest: int = 16 * 1024
    """Characters of one string in the answer. Longer strings are cut before they are redacted and
    judged."""
    path: str = ""
    """The path of the engine's API, for a question that is one GET; `{id}` stands for the argument
    of that name."""
    parameters: Mapping[str, Json] = {}
    """Parameters that the GET always has, beside the question's arguments."""
    in_helper: bool = False
    """Whether a worker of the disk helper collects the answer, by the question's arguments alone:
    it makes so many calls of the kernel that it would keep the tool's own threads from working."""


def engine_get(
    kind: str,
    what: str,
    path: str,
    *,
    deadline: float,
    priority: int,
    lane: Lane = "api",
    longest: int = 16 * 1024,
    collector: str = "engine.api:get",
    parameters: Mapping[str, Json] = MappingProxyType({}),
) -> Policy:
    """The policy of a question that is one GET of the engine's API."""
    return Policy(
        kind,
        what=what,
        collector=collector,
        lane=lane,
        scope="engine",
        deadline=deadline,
        priority=priority,
        longest=longest,
        path=path,
        parameters=dict(parameters),
    )


Answer = TypeVar("Answer")

_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"))
"""Made once: a run on 1,000 containers writes some 2,500 questions."""

Part = TypeVar("Part")


def decode_parts(answer: Json, part: type[Part]) -> dict[str, Part | Failed]:
    """Answers by name, each of which may have failed by itself.

    It is then `{"failed": reason, "detail": text}`.

    msgspec.ValidationError for an answer or a part of another shape.
    """
    rows = convert(answer, dict[str, dict[str, Any]])

    def decoded(row: dict[str, Any]) -> Part | Failed:
        if "failed" in row:
            return Failed(row["failed"], row.get("detail", ""))
        return convert(row, part)

    return {name: decoded(row) for name, row in rows.items()}


class _With(msgspec.Struct, frozen=True):
    """`Question[Answer]` where a question is declared: the base class, and the type of the answer.

    What typing makes of it takes 3 ms of every run.
    """

    question: Any
    answer: Any

    def __mro_entries__(self, _bases: tuple[Any, ...]) -> tuple[Any, ...]:
        return (self.question,)


class Question(
    msgspec.Struct,
    Generic[Answer],
    eq=False,  # msgspec would compare the structs of each class by their fields
    frozen=True,
    dict=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
):
    """One question to a host.

    A subclass names the type of its answer, its policy, and its arguments as fields.

    Arguments that have their default are left out of the recording. Two questions are equal if they
    are recorded the same way. A question holds no absolute time, so that a recording can answer it
    too.
    """

    POLICY: ClassVar[Policy]
    ROUNDS: ClassVar[Mapping[str, Policy]] = {}
    """The policies of later rounds by the name of the round, for a question that a run repeats on
    purpose.

    The subclass has a field `round`, which is "" for the first one.
    """
    ANSWER: ClassVar[Any] = Json

    def __class_getitem__(cls, answer: Any) -> Any:
        return _With(cls, answer)

    def __init_subclass__(cls) -> None:
        for base in cls.__dict__.get("__orig_bases__", ()):
            if isinstance(base, _With):
                cls.ANSWER = base.answer
        if "POLICY" in cls.__dict__:
            for name, policy in {"": cls.POLICY, **cls.ROUNDS}.items():
                _POLICIES[policy.kind] = policy
                _CLASSES[policy.kind] = cls, name

    @property
    def policy(self) -> Policy:
        """The terms of this question, in its round."""
        return (
            self.ROUNDS.get(getattr(self, "round", ""), self.POLICY) if self.ROUNDS else self.POLICY
        )

    @property
    def kind(self) -> str:
        """The name under which it is recorded."""
        return self.policy.kind

    @property
    def args(self) -> dict[str, Json]:
        """Its arguments as they are recorded."""
        values = ((name, getattr(self, name), default) for name, default in _defaults(type(self)))
        return {name: _builtin(value) for name, value, default in values if value != default}

    @functools.cached_property
    def arguments(self) -> str:
        """Its arguments as canonical JSON."""
        args = self.args
        return _CANONICAL.encode(args) if args else "{}"

    @functools.cached_property
    def key(self) -> str:
        """The text by which questions are compared and sorted."""
        return self.kind if self.arguments == "{}" else f"{self.kind} {self.arguments}"

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Question) and self.key == other.key

    def __ne__(self, other: object) -> bool:
        return not self == other

    def about(self) -> str:
        """The subject of the question in a person's words."""
        return self.POLICY.what

    def unavailable(self, failed: Failed) -> Unavailable:
        """Why evidence that needs the answer is not there, in words that name the question.

        A file's failure names its path, and one of the engine's API its request.
        """
        if failed.reason not in SAYS_NOTHING or failed.detail.startswith("GET "):
            return Unavailable.of(failed)
        words = ": ".join(filter(None, (self.about(), failed.detail)))
        return Unavailable(failed.reason, words)

    @classmethod
    def decode(cls, answer: Json) -> Answer | Failed:
        """The typed answer; Failed("malformed") that names the field where it has another shape."""
        if cls.ANSWER is Json:
            typed: Answer = answer
            return typed
        try:
            decoded = cls.convert(answer)
        except (msgspec.ValidationError, ValueError, RecursionError) as error:
            return Failed("malformed", f"{cls.POLICY.what}: {error}")
        return decoded

    @classmethod
    def convert(cls, answer: Json) -> Answer:
        """The typed answer. msgspec.ValidationError or ValueError for one of another shape."""
        converted: Answer = convert(answer, cls.ANSWER)
        return converted


@functools.cache
def _defaults(question: type[Question[Any]]) -> tuple[tuple[str, Any], ...]:
    """The recorded arguments of this class, with the values where they are left out.

    `NODEFAULT`: none is.
    """
    names = question.__struct_fields__
    missing = len(names) - len(question.__struct_defaults__)
    defaults = (msgspec.NODEFAULT,) * missing + question.__struct_defaults__
    is_left_out = question.__struct_config__.omit_defaults
    return tuple(
        (name, default if is_left_out else msgspec.NODEFAULT)
        for name, default in zip(names, defaults, strict=True)
        if name != "round"
    )


def _builtin(value: Any) -> Json:
    return value if isinstance(value, str | int | float | None) else msgspec.to_builtins(value)


AnyQuestion = Question[Any]
"""A question of any class, for code that hands questions on."""

_POLICIES: dict[str, Policy] = {}
"""The policy of each kind of question, by its recorded name; complete after `policies`."""

_CLASSES: dict[str, tuple[type[AnyQuestion], str]] = {}
"""The class and the round of each kind, by its recorded name."""


class RecordedQuestion(Question[Json], frozen=True):
    """A question as a recording holds it.

    The name of its kind, and its arguments as canonical JSON. Its answer stays JSON.
    """

    kind: str
    arguments: str = "{}"

    @property
    def policy(self) -> Policy:
        return _POLICIES[self.kind]

    @property
    def args(self) -> dict[str, Json]:
        try:
            decoded: dict[str, Json] = msgspec.json.decode(self.arguments)
        except msgspec.DecodeError:  # a name that is not UTF-8
            decoded = json.loads(self.arguments)
        return decoded

    def about(self) -> str:
        if self.kind not in _POLICIES:
            return self.kind
        try:
            return typed(self).about()
        except (msgspec.ValidationError, TypeError, ValueError):
            return _POLICIES[self.kind].what  # the arguments of a recording that somebody wrote


@functools.cache
def policies() -> Mapping[str, Policy]:
    """The policy of each kind of question, by its recorded name.

    Every module of questions must have been imported.
    """
    import diagnose.questions as package

    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
    return _POLICIES


def by_kind() -> Mapping[str, type[AnyQuestion]]:
    """The class of each kind of question, by its recorded name."""
    policies()
    return {kind: cls for kind, (cls, _) in _CLASSES.items()}


def recorded(kind: str, args: Mapping[str, Json]) -> RecordedQuestion:
    """The question of this kind with these arguments, as a recording holds it."""
    return RecordedQuestion(kind, _CANONICAL.encode(args) if args else "{}")


def typed(question: AnyQuestion) -> AnyQuestion:
    """The question as its own class.

    msgspec.ValidationError for arguments of another shape, KeyError for an unknown kind.
    """
    if not isinstance(question, RecordedQuestion):
        return question
    policies()
    cls, name = _CLASSES[question.kind]
    args = {**question.args, "round": name} if name else question.args
    own: AnyQuestion = convert(args, cls)
    return own


def canonical(question: AnyQuestion) -> AnyQuestion:
    """The question as its own class where that is possible.

    A recording of another version may write arguments differently.
    """
    try:
        return typed(question)
    except (msgspec.ValidationError, KeyError, TypeError):
        return question
