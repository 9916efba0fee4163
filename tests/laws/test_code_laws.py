"""The laws about code: rooms, names, imports, and the form of a check."""

from __future__ import annotations

import ast
import functools
import importlib
import re
import sys
from collections.abc import Iterable, Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

from diagnose import packs
from diagnose.model import CheckResult
from diagnose.questions.question import by_kind, policies
from tests.laws.house import CHECKS, ROOT

_PATH = re.compile(r"(?<![\w/.])(?:diagnose|checks|tests)/[\w/]+\.py\b")
_PLACEHOLDERS = {"diagnose/questions/SUBJECT.py", "tests/test_x.py"}
"""A name to be filled in, and a line of a made log."""


def test_a_file_that_a_text_names_is_there():
    """Files move, and comments do not."""
    folders = ("diagnose", "checks", "tests", ".github", "runbooks")
    texts = [path for folder in folders for path in (ROOT / folder).rglob("*.[pm][yd]")]
    named = {
        (str(path.relative_to(ROOT)), name)
        for path in (*texts, ROOT / "README.md")
        for name in _PATH.findall(path.read_text())
    }
    assert len(named) > 50
    gone = {(path, name) for path, name in named if not (ROOT / name).exists()}
    assert {(path, name) for path, name in gone if name not in _PLACEHOLDERS} == set()


def test_annotations_of_answers_are_types():
    """As text msgspec would compile each of them in every run."""
    modules = {cls.__module__ for cls in by_kind().values()}
    assert len(modules) > 15
    assert {name for name in modules if hasattr(sys.modules[name], "annotations")} == set()


def test_no_public_class_name_is_used_twice():
    places: dict[str, list[str]] = {}
    for path in (*ENGINE_FILES, *CHECK_FILES):
        for name in _module(path).public_classes:
            places.setdefault(name, []).append(str(path.relative_to(ROOT)))
    assert len(places) > 100
    assert {name: files for name, files in places.items() if len(files) > 1} == {}


def test_each_family_has_its_folder_of_tests():
    folder = ROOT / "tests/checks"
    alone = {path.stem.removeprefix("test_") for path in folder.glob("test_*.py")}
    families = {path.relative_to(folder).parts[0] for path in folder.glob("*/**/test_*.py")}
    assert set(packs.families()) == alone | families


def test_a_module_is_named_like_its_check_or_listed_in_its_family():
    """So that nobody searches for an id: `container.dead` is listed as `running/state: dead`."""
    listed: dict[str, dict[str, set[str]]] = {}
    expected: dict[str, dict[str, set[str]]] = {}
    for check in CHECKS.values():
        family, *rest = check.function.__module__.split(".")[1:]
        problem = check.id.partition(".")[2]
        if rest and rest[-1] != problem.replace("-", "_"):
            expected.setdefault(family, {}).setdefault("/".join(rest), set()).add(problem)
    for family in expected:
        doc = importlib.import_module(f"checks.{family}").__doc__ or ""
        rows = re.findall(r"^- ([\w/]+): (.+)", doc.replace("\n  ", " "), re.MULTILINE)
        listed[family] = {module: set(re.findall(r"[\w-]+", ids)) for module, ids in rows}
    assert listed == expected


class _Module(NamedTuple):
    """What laws ask of a module. Its tree is not kept: all of them are a million objects."""

    public_classes: tuple[str, ...]
    imports: frozenset[str]
    """At its top and inside its functions."""
    functions: dict[str, ast.FunctionDef]
    counting: tuple[str, ...]
    """Its classes that have a length, and its constants of these."""
    makers: tuple[str, ...]
    """Its private functions that return findings."""
    tangles: tuple[str, ...]
    """Where a ternary stands inside another one, or inside an f-string."""
    pronouns: tuple[str, ...]
    """Its functions whose docstring begins with a word that stands for something else."""
    questions: tuple[str, ...]
    """Its functions and classes whose docstring begins as a question does."""


@functools.cache
def _module(path: Path) -> _Module:
    text = path.read_text()
    body = ast.parse(text).body
    classes = [node.name for node in body if isinstance(node, ast.ClassDef)]
    public = tuple(name for name in classes if not name.startswith("_"))
    is_collector = "live" in path.parts
    functions = [node for node in body if isinstance(node, ast.FunctionDef) and is_collector]
    by_name = {function.name: function for function in functions}
    return _Module(
        public,
        _imports(body),
        by_name,
        tuple(_counting(body)),
        tuple(_makers(body)),
        tuple(_TANGLE.findall(text)),
        tuple(_pronouns(body)),
        tuple(_questions(body)),
    )


_SINGLE_BRACES = re.compile(r"\b(?:rf|fr|f)[\"'][^\"'\n]*(?<!\{)\{\d+(?:,\s?\d*)?\}")
_TANGLE = re.compile(
    r"""\bf"[^"\n]*\{[^{}"\n]* if [^{}"\n]* else |\bf'[^'\n]*\{[^{}'\n]* if [^{}'\n]* else """
    r"""|\belse [^\n,\])]+ if [^\n]+ else """
)
"""By the text: to visit each node of each tree takes a second."""


_PRONOUN = re.compile(
    r"(?:(?:Whether|What|Where|Why|How|Who|That) )?(?:it|its|they|their|those|the same)\b",
    re.IGNORECASE,
)


def _pronouns(body: list[ast.stmt]) -> Iterator[str]:
    for node in body:
        is_named = isinstance(node, ast.FunctionDef | ast.ClassDef)
        if is_named and _PRONOUN.match(ast.get_docstring(node) or ""):
            yield node.name


_QUESTION = re.compile(r"(?:(?:By|In|At) )?(?:What|Which|Who|Whom|Whose|Where|As)\b", re.IGNORECASE)


def _questions(body: list[ast.stmt]) -> Iterator[str]:
    for node in body:
        if not isinstance(node, ast.FunctionDef | ast.ClassDef):
            continue
        if _QUESTION.match(ast.get_docstring(node) or ""):
            yield node.name
        if isinstance(node, ast.ClassDef):
            yield from _questions(node.body)


def _makers(body: list[ast.stmt]) -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.FunctionDef) and node.returns is not None:
            is_private = node.name.startswith("_") and not node.name.startswith("_with_")
            if is_private and ast.unparse(node.returns) in _OF_FINDINGS:
                yield node.name


_OF_FINDINGS = ("Finding", "Finding | None", "Iterator[Finding]")


def _counting(body: list[ast.stmt]) -> Iterator[str]:
    classes = [node for node in body if isinstance(node, ast.ClassDef)]
    names = {node.name for node in classes if _has_length(node)}
    yield from names
    for node in body:
        is_made = isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)
        if is_made and isinstance(node.value.func, ast.Name) and node.value.func.id in names:
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))


def _has_length(node: ast.ClassDef) -> bool:
    methods = {part.name for part in node.body if isinstance(part, ast.FunctionDef)}
    return "__len__" in methods or any("Items" in ast.unparse(base) for base in node.bases)


def _imports(body: list[ast.stmt]) -> frozenset[str]:
    names: set[str] = set()
    for statement in _statements(body):
        if isinstance(statement, ast.Import):
            names |= {alias.name for alias in statement.names}
        elif isinstance(statement, ast.ImportFrom) and statement.module:
            module = statement.module
            names |= {module, *(f"{module}.{alias.name}" for alias in statement.names)}
    return frozenset(names)


def _statements(body: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Statements with those inside them; expressions, most of a tree, are not entered."""
    for statement in body:
        yield statement
        for name in ("body", "orelse", "finalbody", "handlers", "cases"):
            yield from _statements(getattr(statement, name, []))


def test_imports_are_seen_wherever_they_stand(tmp_path: Path):
    module = tmp_path / "module.py"
    module.write_text(
        "import a\ndef f():\n    try:\n        from b import c\n    except OSError as e:\n"
        "        import d\n    finally:\n        import e\n    match 1:\n        case 2:\n"
        "            import f\nclass C:\n    if x:\n        pass\n    else:\n        import g\n"
    )
    assert _module(module).imports == {"a", "b", "b.c", "d", "e", "f", "g"}


CHECK_FILES = sorted((ROOT / "checks").rglob("*.py"))
ENGINE_FILES = sorted((ROOT / "diagnose").rglob("*.py"))
ALLOWED = (
    "diagnose.model",
    "diagnose.evidence",
    "diagnose.registry",
    "diagnose.error_signatures",
    "diagnose.file_paths",
    "diagnose.first_steps",
    "diagnose.foreign_words",
    "diagnose.lazy_pattern",
    "diagnose.mappings",
    "diagnose.numbers",
    "diagnose.phrases",
    "diagnose.programs",
)
FOR_REPAIRS = ("diagnose.repair.differences", "diagnose.questions")
"""What the repairs of a family may import too: they ask for the text that they change."""


def test_checks_import_only_what_the_house_allows():
    assert {path: names for path in CHECK_FILES if (names := _refused_in_checks(path))} == {}


def _refused_in_checks(path: Path) -> set[str]:
    family = ".".join(path.relative_to(ROOT).with_suffix("").parts[:2])
    allowed = (*ALLOWED, *(FOR_REPAIRS if path.name == "repairs.py" else ()), family)
    roots = {name: name.split(".")[0] for name in _module(path).imports}
    ours = {name for name, root in roots.items() if root in ("diagnose", "checks")}
    refused = {name for name in ours if not name.startswith(allowed)} - {"diagnose"}
    return refused | {name for name, root in roots.items() if root in WORLD}


WORLD = {"docker", "psutil", "pyroute2", "socket", "subprocess", "fcntl", "ssl", "requests"}
ACTS = {ROOT / "diagnose/follow/shell.py", ROOT / "diagnose/reach/channel.py"}
"""The files outside of `live/` that touch the world: one runs what the engineer has agreed to, one
runs ssh."""
OUTSIDE_LIVE = [path for path in ENGINE_FILES if "live" not in path.parts and path not in ACTS]


def test_only_live_touches_the_world_and_only_render_prints():
    assert {path: names for path in OUTSIDE_LIVE if (names := _refused_outside(path))} == {}


def _refused_outside(path: Path) -> set[str]:
    prints = "render" in path.parts
    refused = {*WORLD, "checks"} if prints else {*WORLD, "checks", "rich"}
    return {name.split(".")[0] for name in _module(path).imports} & refused


def test_no_rooms_of_the_package_import_each_other_in_a_circle():
    """`TopologicalSorter` names the circle in its error."""
    rooms = {_room(path) for path in ENGINE_FILES}
    below: dict[str, set[str]] = {room: set() for room in rooms}
    for path in ENGINE_FILES:
        names = {name.split(".")[1] for name in _module(path).imports if "diagnose." in name}
        below[_room(path)] |= names & rooms - {_room(path)}
    assert len(tuple(TopologicalSorter(below).static_order())) == len(rooms)


def _room(path: Path) -> str:
    """The package or the module right below `diagnose`."""
    return path.relative_to(ROOT / "diagnose").with_suffix("").parts[0]


def test_evidence_that_counts_nothing_is_not_taken_for_none():
    """`calls or HostNetworkCalls(())` forgets how many were watched: `is None` tells them apart."""
    files = (*CHECK_FILES, *ENGINE_FILES)
    counting = frozenset(name for path in files for name in _module(path).counting)
    assert {"Containers", "DaemonLog", "NO_LOG", "HostNetworkCalls"} <= counting
    assert _replaced_if_empty("a = b or HostNetworkCalls(())", counting) == ["HostNetworkCalls"]
    found = {path: _replaced_if_empty(path.read_text(), counting) for path in files}
    assert {path: names for path, names in found.items() if names} == {}


def _replaced_if_empty(text: str, counting: frozenset[str]) -> list[str]:
    """The defaults behind `or`, of classes whose truth is their length."""
    defaults = re.findall(r"\bor ([A-Z]\w*(?=\()|[A-Z][A-Z_]+\b)", text)
    return [name for name in defaults if name in counting]


def test_the_lists_of_files_are_not_empty():
    assert len(CHECK_FILES) > len(packs.families())
    assert len(OUTSIDE_LIVE) > 10


@pytest.mark.parametrize("kind", sorted(policies()))
def test_every_kind_of_question_has_its_collector(kind: str):
    policy = policies()[kind]
    module, _, function = policy.collector.partition(":")
    path = ROOT / "diagnose" / "live" / f"{module.replace('.', '/')}.py"
    definition = _module(path).functions[function]
    question = ast.unparse(definition.args.args[1].annotation)
    answered = classes(policy.collector)
    assert question in answered | ({"AnyQuestion"} if len(answered) > 1 else set())


def classes(collector: str) -> set[str]:
    """The names of the questions that this collector answers, and of their common ancestors."""
    owners = [
        question for kind, question in by_kind().items() if policies()[kind].collector == collector
    ]
    shared = set.intersection(*({cls.__name__ for cls in question.__mro__} for question in owners))
    return shared if len(owners) > 1 else {owners[0].__name__}


def test_every_question_is_asked():
    """By its name, outside of the module that declares it and of the collectors that answer."""
    homes = {question.__name__: question.__module__ for question in by_kind().values()}
    unasked = set(homes)
    for path in ENGINE_FILES + CHECK_FILES:
        if "live" not in path.parts:
            module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            named = unasked.intersection(re.findall(r"\b[A-Z]\w+", path.read_text()))
            unasked -= {name for name in named if homes[name] != module}
    assert unasked == set()


def test_every_check_has_one_form():
    """A generator with one return type: a check that hands over to a twin, or returns a list, reads
    in two places."""
    assert CHECKS
    forms = {check.function.__annotations__["return"] for check in CHECKS.values()}
    assert forms <= {CheckResult, "CheckResult"}


def test_a_function_that_makes_a_finding_is_called_so():
    """`_finding`, `_silent_probe_finding`, or `_findings` for several: a bare `_dropped` does not
    say whether it tells, decides or makes. `_with_...` gives a finding that it was handed."""
    makers = {path: _module(path).makers for path in CHECK_FILES}
    assert any(makers.values())
    others = {
        path: [name for name in names if not name.endswith(("_finding", "_findings"))]
        for path, names in makers.items()
    }
    assert {path: names for path, names in others.items() if names} == {}


def test_the_docstring_of_a_function_or_a_class_names_its_subject():
    """ "Whether it runs" is clear in a class; a function stands alone where a search has led to."""
    assert _PRONOUN.match("Whether its end was requested.")
    assert not _PRONOUN.match("Whether items are left.")
    files = (*ENGINE_FILES, *CHECK_FILES)
    assert {path: names for path in files if (names := _module(path).pronouns)} == {}


def test_a_docstring_names_the_thing_that_is_given():
    """ "What stat says of a path" leaves the noun to the body; "The stat of a path" is the noun."""
    assert _QUESTION.match("By which name the engine knows it.")
    assert not _QUESTION.match("Whether a path is a link.")
    files = (*ENGINE_FILES, *CHECK_FILES)
    assert {path: names for path in files if (names := _module(path).questions)} == {}


def test_no_ternary_stands_inside_another_or_inside_a_text():
    """Both are read twice: a line above them gives the choice a name."""
    assert _TANGLE.search("f\"{'a' if b else 'c'} d\"")
    assert _TANGLE.search("a = 1 if b else 2 if c else 3")
    files = (*ENGINE_FILES, *CHECK_FILES)
    assert {path: lines for path in files if (lines := _module(path).tangles)} == {}


def test_no_count_of_a_pattern_is_taken_for_a_value():
    """In an f-string `{1, 300}` is the text `(1, 300)`: the braces of a count are doubled."""
    assert _SINGLE_BRACES.search('rf"{A}{1, 300}"')
    assert not _SINGLE_BRACES.search('rf"{A}{{1,300}}"')
    files = (*ENGINE_FILES, *CHECK_FILES)
    found = {path: _SINGLE_BRACES.findall(path.read_text()) for path in files}
    assert {path: counts for path, counts in found.items() if counts} == {}
