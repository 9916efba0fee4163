"""Registration of checks and evidence.

How a check and an evidence kind come to be known, and the only import by name. Where checks are
looked for stands in `packs`.
"""

import functools
import importlib
import importlib.util
import inspect
import itertools
import pkgutil
import sys
import types
import typing
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, TypeVar

from diagnose import packs
from diagnose.annotations import field_hints, hints
from diagnose.model import (
    Check,
    EvidenceGroup,
    Need,
    NoEvidenceError,
    Severity,
    Threshold,
    Unavailable,
)
from diagnose.model.units import UNITS

F = TypeVar("F", bound=Callable[..., Any])

SEVERITIES = {severity.name: severity for severity in Severity}
_checks: dict[str, Check] = {}
_evidence: dict[type, Callable[..., Any]] = {}
_early: set[type] = set()
_edits: dict[str, Callable[..., Any]] = {}
_repairs: dict[str, Callable[..., Any]] = {}
_predictions: dict[str, Callable[..., Any]] = {}


def check(
    id: str,
    *,
    severity: Severity,
    caused_by: Iterable[str] = (),
    causes: Iterable[str] = (),
    posture: bool = False,
    aloud: tuple[str, str] | None = None,
    aloud_of_engine: str = "",
    observed: bool = False,
    pressure: bool = False,
) -> Callable[[F], F]:
    """Register a pure function as the check of this id.

    posture: configuration advice, shown in one block. aloud: advice after which a report is not
    calm; two predicates for its first line, of one subject and of several;
    aloud_of_engine: that of the engine, if it differs. observed: its findings repeat what a
    program, a probe or the engine met, in its own words. No edit of the host changes what was met:
    whether a cure ends such a finding is judged by the words (`judgement.proof`). pressure: its
    findings say that the whole host is busy, which what runs there may cause.

    Raises ValueError for an id that is taken already or does not belong to the function's module.
    """

    def register(function: F) -> F:
        """Keep the function as the check of this id."""
        if id.partition(".")[0] not in function.__module__.split("."):
            raise ValueError(f"check {id} stands in module {function.__module__}")
        if id in _checks and _checks[id].function.__module__ != function.__module__:
            raise ValueError(f"check {id} is registered twice")
        signature = _signature(function)
        _checks[id] = Check(
            id=id,
            title=(function.__doc__ or "").strip().partition("\n")[0],
            severity=severity,
            function=_taking_each_need(function),
            needs=signature.needs,
            thresholds=signature.thresholds,
            caused_by=tuple(caused_by),
            causes=tuple(causes),
            posture=posture,
            aloud=aloud,
            aloud_of_engine=aloud_of_engine,
            observed=observed,
            pressure=pressure,
        )
        return function

    return register


def evidence(function: F) -> F:
    """Register a function as the collector of the evidence type that its return annotation names.

    Its parameters are `host: Host` and other evidence kinds: required, `| None`, or `| Unavailable`
    where it reads the reason. Where it raises NoEvidenceError, as `host.require` does, its result
    is the reason.
    """

    @functools.wraps(function)
    def collect(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except NoEvidenceError as error:
            return error.reason

    _evidence[_kind_of(function)] = _taking_each_need(collect)
    return typing.cast(F, collect)


def begun_early(function: F) -> F:
    """Declare that this evidence waits on every host, for a time or a program: it is begun first.

    Stands above `evidence`. What is begun last would be waited for when all else is done. That of
    our own is begun before the checks are imported: see `early`.
    """
    _early.add(_kind_of(function))
    return function


def is_begun_early(kind: type) -> bool:
    """Whether `begun_early` names the collector of this kind."""
    return kind in _early


def leads_to(kind: type, goal: type) -> bool:
    """Whether this evidence is the goal, or the goal stands on it."""
    return kind is goal or kind in stands_on(goal)


def leads_to_early(kind: type) -> bool:
    """Whether this evidence is begun early, or evidence that is begun early stands on it."""
    return any(leads_to(kind, early) for early in tuple(_early))


def early() -> tuple[type, ...]:
    """The evidence of our own that is begun early; only its modules are imported."""
    for module in BEGUN_EARLY:
        importlib.import_module(module)
    return tuple(_early)


def _kind_of(collect: Callable[..., Any]) -> type:
    """The evidence that a collector returns."""
    kinds = [kind for kind in hints(collect)["return"] if kind is not Unavailable]
    return typing.cast(type, kinds[0])


def _entering_decorator(
    table: dict[str, Callable[..., Any]], ids: Iterable[str]
) -> Callable[[F], F]:
    """A decorator that enters its function in a table, under each of these ids."""

    def enter(function: F) -> F:
        table.update(dict.fromkeys(ids, _taking_each_need(function)))
        return function

    return enter


def without(*ids: str) -> Callable[[F], F]:
    """Register what the host looks like without a cause that one of these checks found.

    The function takes `finding: Finding` and evidence kinds, and returns an `Edit`: the evidence
    that changes, by kind. None where it cannot tell.
    """

    return _entering_decorator(_edits, ids)


def prediction(*ids: str) -> Callable[[F], F]:
    """Register what becomes of the findings of these checks on a host without some cause.

    For checks whose evidence is an observation that no edit can derive. The function takes
    `finding: Finding` and evidence kinds as they are on the edited host, and returns an `Outcome`.
    """

    return _entering_decorator(_predictions, ids)


def repairs(*ids: str) -> Callable[[F], F]:
    """Register the smallest repair of what one of these checks found.

    The function may take `finding: Finding` and `host: Host` beside evidence kinds, and returns the
    differences between the host as it is and as it must be (`repair.differences`); none where no
    repair is known for this finding. It may raise NoRepairError.
    """

    return _entering_decorator(_repairs, ids)


def repair_of(id: str) -> Callable[..., Any] | None:
    """The function that `repairs` registered for this check.

    No report needs it.
    """
    for module in packs.families().get(id.partition(".")[0], ()):
        _import_late(module, "repairs")
    return _repairs.get(id)


def edit_without(id: str) -> Callable[..., Any] | None:
    """The function that `without` registered for this check."""
    import_edits()
    return _edits.get(id)


def prediction_of(id: str) -> Callable[..., Any] | None:
    """The function that `prediction` registered for this check."""
    import_edits()
    return _predictions.get(id)


def import_edits() -> None:
    """Import what the families in use know of the host without a cause.

    A report needs it only where a finding may have a cause.
    """
    for module in itertools.chain.from_iterable(packs.families().values()):
        if module in sys.modules:
            _import_late(module, "counterfactuals")


@functools.cache
def _import_late(family: str, name: str) -> None:
    """Import a module of a family's package, if it has one of this name."""
    spec = importlib.util.find_spec(family)
    is_package = spec is not None and spec.submodule_search_locations is not None
    if is_package and importlib.util.find_spec(f"{family}.{name}") is not None:
        importlib.import_module(f"{family}.{name}")


def stands_on(kind: type) -> frozenset[type]:
    """The evidence kinds that this kind is collected from, directly or not.

    Empty for a kind whose module is not imported yet: evidence is begun early before that.
    """
    return _stands_on(kind) if kind in _evidence else frozenset()


@functools.cache
def _stands_on(kind: type) -> frozenset[type]:
    direct = [need.kind for need in needs_of(collector(kind))]
    return frozenset(direct).union(*(stands_on(below) for below in direct))


def collector(kind: type) -> Callable[..., Any]:
    """The function that collects this evidence kind. KeyError if none is registered."""
    return _evidence[kind]


@functools.cache
def needs_of(function: Callable[..., Any]) -> tuple[Need, ...]:
    """The evidence kinds among a function's parameters.

    A parameter named `host` asks questions, and is not evidence.
    """
    return _signature(function).needs


class _Signature(NamedTuple):
    """The parameters of a check or of a function of evidence."""

    needs: tuple[Need, ...]
    thresholds: tuple[Threshold, ...]
    """By keyword; each has its unit by its annotation, and a default."""


def _signature(function: Callable[..., Any]) -> _Signature:
    """The needs and the thresholds of a function, by its parameters."""
    allowed = hints(function)
    code = inspect.unwrap(function).__code__
    required = code.co_varnames[: code.co_argcount]
    options = code.co_varnames[code.co_argcount :][: code.co_kwonlyargcount]
    defaults = function.__kwdefaults__ or {}
    thresholds = [
        Threshold(name, defaults[name], UNITS[allowed[name][0].__name__]) for name in options
    ]
    groups = _groups(function)
    needs: list[Need] = []
    for name in required:
        if name in groups:
            fields = field_hints(groups[name])
            needs += [_need(field, kinds) for field, kinds in fields.items()]
        elif name not in ("host", "finding"):
            needs.append(_need(name, allowed[name]))
    return _Signature(tuple(needs), tuple(thresholds))


def _need(parameter: str, kinds: tuple[Any, ...]) -> Need:
    """The need of a parameter, by the types that its annotation allows."""
    (kind,) = [kind for kind in kinds if kind not in (Unavailable, types.NoneType)]
    return Need(parameter, kind, optional=len(kinds) > 1, reads_reason=types.NoneType not in kinds)


def _groups(function: Callable[..., Any]) -> dict[str, type[EvidenceGroup]]:
    """The groups of evidence that a function takes, by parameter."""
    return {
        name: kinds[0]
        for name, kinds in hints(function).items()
        if isinstance(kinds[0], type) and issubclass(kinds[0], EvidenceGroup)
    }


def _taking_each_need(function: F) -> F:
    """The function as the engine calls it, with each need by its name."""
    groups = _groups(function)
    if not groups:
        return function

    @functools.wraps(function)
    def call(**arguments: Any) -> Any:
        for name, group in groups.items():
            fields = {field: arguments.pop(field) for field in group.__struct_fields__}
            arguments[name] = group(**fields)
        return function(**arguments)

    return typing.cast(F, call)


BASIS = "diagnose.evidence.run.report_basis"
"""The evidence that every report needs. It is imported by name: no check does, and the engine
stands below all evidence."""
BEGUN_EARLY = (
    "diagnose.evidence.dns.samples",
    "diagnose.evidence.engine.daemon_json.faults",
    "diagnose.evidence.machine.busy_containers",
    "diagnose.evidence.machine.kernel_log",
)
"""The evidence that waits on every host, by name: it is begun before any check is known."""
OF_ALL_CHECKS = ("diagnose.evidence.run.profile", "diagnose.evidence.run.recent_changes")
"""The evidence by which hosts are compared, and what was changed recently: imported by name for the
same reason, with all families."""


def load(names: Iterable[str] | None = None) -> dict[str, Check]:
    """Import the modules of these families, and give every check registered so far.

    families None: all. The checks are by id, sorted. A damaged installation, in which no check is
    found, raises ImportError: without checks nothing would be wrong anywhere.
    """
    importlib.import_module(BASIS)
    if names is None:
        for module in OF_ALL_CHECKS:
            importlib.import_module(module)
    for family in packs.families() if names is None else names:
        for module in packs.families().get(family, ()):
            _import_with_topics(module)
    if names is None and not _checks:
        raise ImportError("this installation of diagnose has no checks")
    return dict(sorted(_checks.items()))


LATE = ("repairs", "counterfactuals")
"""Modules of a family that are imported when they are first needed: see `repair_of` and
`import_edits`."""


@functools.cache
def _import_with_topics(name: str) -> None:
    """Import a family, and if it is a package all its modules and rooms but the late modules."""
    module = importlib.import_module(name)
    for topic in pkgutil.iter_modules(getattr(module, "__path__", ())):
        if topic.ispkg:
            _import_with_topics(f"{name}.{topic.name}")
        elif topic.name not in LATE:
            importlib.import_module(f"{name}.{topic.name}")
