"""Faults and healthy hosts, declared by decorators: what is broken, and what the tool must say
about it.

    @fault("container.oom-killed", subject="container:hungry", shareable=True)
    def oom(box: Box) -> None:
        '''A container reaches its memory limit and the kernel kills it.'''
        box.docker("run", "-d", "--name", "hungry", "-m", "16m", "hungry:1")
        box.wait_state("hungry", "exited")
        assert box.inspect("hungry")["State"]["OOMKilled"]

The function breaks the box for real and asserts the symptom without the tool. Scenario modules lie
in `scenarios/`; every module and folder there is found by discovery. A scenario is named
`TOPIC.FUNCTION`: the topic is the module, or the folder whose modules share it.
"""

from __future__ import annotations

import importlib
import pkgutil
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from .box import Box
from .engines import Engine

Inject = Callable[[Box], None]
Expectation = tuple[str, str]
"""A check id and a subject "kind:name"; each may be a glob."""

SUBJECT_ANY = "*"
_OWN_HOST = {
    "baseline",
    "engine_started",
    "box",
    "config",
    "flags",
    "engine_env",
    "args",
    "user",
    "groups",
    "env",
    "runs",
}
"""Options that no scenario of a shared box can have."""


@dataclass(frozen=True)
class Engines:
    """Which engines can have a fault: major versions from `since` to `until`, both included."""

    since: int = 0
    until: int = 999

    def __contains__(self, engine: object) -> bool:
        return isinstance(engine, Engine) and self.since <= engine.major <= self.until


ALL = Engines()


@dataclass(frozen=True)
class Scenario:
    """One declared host. `expected` is empty for a healthy one; `also` is allowed, not required."""

    name: str
    doc: str
    inject: Inject
    expected: tuple[Expectation, ...]
    also: tuple[Expectation, ...] = ()
    advice: frozenset[str] | None = None
    engines: Engines = ALL
    shareable: bool = False
    baseline: bool = True
    engine_started: bool = True
    box: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    engine_env: Mapping[str, str] = field(default_factory=dict)
    args: tuple[str, ...] = ()
    user: str | None = None
    groups: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    exit_code: int | None = None
    runs: int = 1
    first_command: tuple[str, str] | None = None

    @property
    def healthy(self) -> bool:
        """Whether nothing above advice may be found."""
        return not self.expected

    @property
    def shared_box(self) -> str | None:
        """The box in which this scenario is beside others; None if it needs one of its own.

        They are spread over several boxes: one with all faults fails more programs than the tool
        reads logs of, and 150 hosts side by side leave no time to any of them.
        """
        if not self.shareable:
            return None
        kind, boxes = ("healthy", _HEALTHY_BOXES) if self.healthy else ("broken", _BROKEN_BOXES)
        return f"{kind}-{zlib.crc32(self.name.encode()) % boxes}"

    def allows(self, check: str, subject: str) -> bool:
        """Whether a finding is required or allowed here."""
        return any(matches(e, check, subject) for e in (*self.expected, *self.also))


SCENARIOS: dict[str, Scenario] = {}
_BROKEN_BOXES = 8
_HEALTHY_BOXES = 3


def matches(expectation: Expectation, check: str, subject: str) -> bool:
    """Whether a finding's id and subject ("kind:name") are those expected."""
    return fnmatchcase(check, expectation[0]) and fnmatchcase(subject, expectation[1])


def fault(
    check: str,
    *,
    subject: str,
    expect: Iterable[Expectation] = (),
    also: Iterable[Expectation | str] = (),
    **options: Any,
) -> Callable[[Inject], Inject]:
    """Declare a broken host.

    check, subject: the finding that must be there; expect: more of them. also: findings above
    advice that are consequences and allowed, as (id, "kind:name") or an id alone; globs work
    everywhere. Further options:

    engines: ALL or Engines(since=, until=). shareable=True: costs little, touches only things of
    its own (its own container, network and port names) and can be in one box beside the others.
    baseline=False: no healthy `web` container beside it. engine_started=False: the function starts
    the engine itself. box: arguments of Box (disk, inodes, provider). config (over the runner's
    BASE_CONFIG; None removes a key), flags, engine_env: how the engine is started. args: more
    arguments for `diagnose all`; user, groups, env: as whom it runs. exit_code: the tool's, where
    it is not the one of the worst finding. runs: how often the tool is run, for its figures in the
    summary. first_command: what the first command of the report does, and why, where that was
    judged by reading (`tests/laws/test_first_commands.py` has the verdicts).
    """

    def register(inject: Inject) -> Inject:
        allowed = tuple((a, SUBJECT_ANY) if isinstance(a, str) else a for a in also)
        _add(inject, expected=((check, subject), *expect), also=allowed, **options)
        return inject

    return register


def healthy(*, advice: Iterable[str] | None = None, **options: Any) -> Callable[[Inject], Inject]:
    """Declare a host that may look broken and is not: no finding above advice, exit 0.

    advice: the exact ids of the advice expected, or None where that is not the point. Options as
    for `fault`.
    """

    def register(inject: Inject) -> Inject:
        _add(inject, expected=(), advice=None if advice is None else frozenset(advice), **options)
        return inject

    return register


def _add(inject: Inject, **options: Any) -> None:
    topic = inject.__module__.removeprefix(f"{__package__}.scenarios.").partition(".")[0]
    name = f"{topic}.{inject.__name__}"
    if name in SCENARIOS:
        raise ValueError(f"two scenarios are named {name}")
    doc = (inject.__doc__ or "").strip().split("\n")[0]
    if not doc:
        raise ValueError(f"{name}: say in a docstring what is broken")
    own = sorted(_OWN_HOST & options.keys())
    if options.get("shareable") and own:
        raise ValueError(
            f"{name}: a shared box is started in one way, so it cannot set {', '.join(own)}"
        )
    SCENARIOS[name] = Scenario(name=name, doc=doc, inject=inject, **options)


def discover() -> dict[str, Scenario]:
    """Import every module of `scenarios/` and return all declared hosts by name."""
    from . import scenarios

    for module in pkgutil.walk_packages(scenarios.__path__, f"{scenarios.__name__}."):
        importlib.import_module(module.name)
    return SCENARIOS
