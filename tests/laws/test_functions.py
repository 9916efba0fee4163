"""The laws about functions: how much each of them takes and does, and what it calls things."""

from __future__ import annotations

import ast
import functools
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

from diagnose.word_sets import vocabulary
from tests.laws.house import ROOT

FILES = tuple(
    path for room in ("diagnose", "checks") for path in sorted((ROOT / room).rglob("*.py"))
)


@functools.cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@functools.cache
def _functions(path: Path) -> tuple[ast.FunctionDef, ...]:
    """The functions of a module and of its classes."""
    return tuple(_functions_below(_tree(path).body))


@functools.cache
def _calls(path: Path) -> tuple[ast.Call, ...]:
    return tuple(node for node in ast.walk(_tree(path)) if isinstance(node, ast.Call))


def _functions_below(body: list[ast.stmt]) -> Iterator[ast.FunctionDef]:
    for node in body:
        if isinstance(node, ast.FunctionDef):
            yield node
        elif isinstance(node, ast.ClassDef):
            yield from _functions_below(node.body)


MOST_PARAMETERS = 8
"""Nobody reads a call with more. Evidence that is taken together is an `EvidenceGroup`."""
LONG_LISTS = {
    "diagnose/registry.py": {"check"},
    "diagnose/model/findings.py": {"about"},
    "diagnose/questions/question.py": {"engine_get"},
    "diagnose/evidence/containers/run_context.py": {"run_context"},
}
"""Those that have more: they name the fields of what they make."""


def _has_long_list(function: ast.FunctionDef) -> bool:
    arguments = function.args
    names = [
        argument.arg
        for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
    ]
    return len([name for name in names if name not in ("self", "cls")]) > MOST_PARAMETERS


def test_parameter_lists_are_short():
    assert len(FILES) > 1000
    long = {
        str(path.relative_to(ROOT)): names
        for path in FILES
        if (names := {function.name for function in _functions(path) if _has_long_list(function)})
    }
    assert long == LONG_LISTS


_VAGUE = {"each", "item", "one", "thing"}
_MAY_BE_VAGUE = {"item": "CheckItem", "one": "other|several", "thing": "Thing"}
"""What a check yields is called an item; a `Thing` is of any type; one stands beside another."""


def _vague_names(text: str) -> list[str]:
    """The names of loops and of parameters that say nothing of what they hold."""
    if not any(name in text for name in _VAGUE):
        return []
    nodes = list(ast.walk(ast.parse(text)))
    loops = (node.target for node in nodes if isinstance(node, ast.For | ast.comprehension))
    bound = [name for loop in loops for name in ast.walk(loop)]
    names = [node.id for node in bound if isinstance(node, ast.Name)]
    names += [node.arg for node in nodes if isinstance(node, ast.arg)]
    return [name for name in names if name in _VAGUE and not _may_be_vague(name, text)]


def _may_be_vague(name: str, text: str) -> bool:
    return name in _MAY_BE_VAGUE and re.search(rf"\b(?:{_MAY_BE_VAGUE[name]})\b", text) is not None


def test_loops_and_parameters_are_called_what_they_hold():
    assert _vague_names("[item.name for item in ports]") == ["item"]
    assert _vague_names("def _finding(item: LostPort) -> Finding: ...") == ["item"]
    assert _vague_names("def _finding(item: CheckItem) -> Finding: ...") == []
    found = {path: _vague_names(path.read_text()) for path in FILES}
    assert {path: names for path, names in found.items() if names} == {}


MOST_LINES = 40
"""Of a function, beside its docstring: as many as a screen shows."""
MOST_LINES_OF_FILE = 400


def _is_long(function: ast.FunctionDef) -> bool:
    first = function.body[0]
    has_docstring = ast.get_docstring(function) is not None
    docstring = (first.end_lineno or 0) - first.lineno + 1 if has_docstring else 0
    return (function.end_lineno or 0) - function.lineno + 1 - docstring > MOST_LINES


def test_functions_fit_on_a_screen():
    long = {
        str(path.relative_to(ROOT)): names
        for path in FILES
        if (names := {function.name for function in _functions(path) if _is_long(function)})
    }
    assert long == {}


MOST_LINES_WITHOUT_DOCSTRING = 12


def _is_maker(function: ast.FunctionDef) -> bool:
    """Whether its name says what it gives: findings, or an instance of its class."""
    return function.name.endswith(("_finding", "_findings")) or function.name.startswith("__")


def test_what_does_not_fit_into_a_glance_has_a_docstring():
    """A name is enough for a few lines; of more a newcomer reads one sentence first."""
    silent = {
        path: names
        for path in FILES
        if (
            names := [
                function.name
                for function in _functions(path)
                if function.end_lineno - function.lineno >= MOST_LINES_WITHOUT_DOCSTRING
                and not _is_maker(function)
                and not ast.get_docstring(function)
            ]
        )
    }
    assert silent == {}


def _begins_with_parameter(function: ast.FunctionDef) -> bool:
    """Whether the docstring explains a parameter before it says what the function gives."""
    arguments = function.args
    names = {argument.arg for argument in (*arguments.args, *arguments.kwonlyargs)}
    begin = re.match(r"(\w+)(?:, \w+)*: ", ast.get_docstring(function) or "")
    return begin is not None and begin[1] in names


def test_a_docstring_says_first_what_the_function_gives():
    late = {
        path: names
        for path in FILES
        if (
            names := [
                function.name
                for function in _functions(path)
                if _begins_with_parameter(function) and not _is_maker(function)
            ]
        )
    }
    assert late == {}


def test_files_have_one_topic():
    lengths = {path: path.read_text().count("\n") for path in FILES}
    assert {path: lines for path, lines in lengths.items() if lines > MOST_LINES_OF_FILE} == {}


NO_NAMES = {
    "attribute",
    "ctypes.CDLL(None).prctl",
    "docker_py.Tls",
    "pytest.param",
    "select.select",
    "self._argv",
    "struct.pack",
    "type",
}
"""Functions whose parameters have no names, or stand in a table."""
_EMPTY = {"None", "()", "[]", "{}", "''", "0", "0.0", "False", "True", "frozenset()"}


_HALF_NAMES = vocabulary(
    "absolute alive around assigned at bare behind below beside between blind broken calling"
    " changed chosen clean closed collected common comparable corrected differing distinct doubled"
    " emptied equalling essential explaining fitting fixed followed former fullest given"
    " here idle included innermost insecure inside internal joint kept lacking last lasting left"
    " limited listless local lowered major matching nearest needed newest of one open original"
    " overdue ownerless parted plain present proxied public published quoted raw reached readable"
    " rebound recent recognised removable replaced restarting rewritten scanned sharing short"
    " shown silent strictest strong suiting touched traced translated unanswered unchecked undone"
    " unhealthy unknown unlinked unpassed unproven unquoted unread unreadable unshown until"
    " used wanted what whole whose why writable written"
)
"""Words that say where, when or of what kind, and not what: `_mounted_below`, `_silent_hosts`."""
_HALF_BEGIN = re.compile(
    r"_(?:at|behind|below|beside|by|for|from|in|near|of|on|over|under|within)_\w+"
)
"""Names that leave out what is there: `_servers_in_files`, not `_in_files`."""


def _has_half_name(function: ast.FunctionDef) -> bool:
    """A mapping may be called by its keys: `_by_name`."""
    returns = ast.unparse(function.returns) if function.returns is not None else ""
    if function.name.startswith("_by_") and returns.startswith(("dict[", "Mapping[")):
        return False
    name = function.name
    is_half = name.startswith("_") and name[1:] in _HALF_NAMES
    return is_half or _HALF_BEGIN.fullmatch(name) is not None


def test_a_private_function_is_named_after_what_it_gives():
    named = {
        path: [function.name for function in _functions(path) if _has_half_name(function)]
        for path in FILES
    }
    assert {path: names for path, names in named.items() if names} == {}


MOST_TERMS = 3


def _long_conditions(tree: ast.Module) -> Iterator[str]:
    """Conditions of more terms, of which one at least is a comparison that has no name."""
    inner = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.BoolOp) and node not in inner:
            inner |= {part for part in ast.walk(node) if isinstance(part, ast.BoolOp)}
            terms = list(_terms(node))
            if len(terms) > MOST_TERMS and any(isinstance(term, ast.Compare) for term in terms):
                yield ast.unparse(node)


def _terms(node: ast.expr) -> Iterator[ast.expr]:
    if isinstance(node, ast.BoolOp):
        for value in node.values:
            yield from _terms(value)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield from _terms(node.operand)
    else:
        yield node


def test_a_long_condition_has_names():
    """`a and b > 1 and not (c or d)` is held in the head; named terms read as a sentence."""
    assert [*_long_conditions(ast.parse("a and b > 1 and not (c or d)"))]
    assert not [*_long_conditions(ast.parse("is_a or is_b or is_c or is_d"))]
    long = {path: texts for path in FILES if (texts := [*_long_conditions(_tree(path))])}
    assert long == {}


MOST_PLACES = 5
"""Nobody counts to the sixth argument of a call."""
LISTS = {"_nginx", "combined", "format_", "prediction", "sentence", "without"}
"""Functions that take as many things of one kind as there are."""


def _calls_with_many_places(path: Path) -> Iterator[str]:
    for call in _calls(path):
        if len(call.args) > MOST_PLACES:
            is_list = any(isinstance(argument, ast.Starred) for argument in call.args)
            if not is_list and ast.unparse(call.func) not in LISTS:
                yield f"{path.relative_to(ROOT)}:{call.lineno}"


def test_the_sixth_argument_has_a_name():
    assert [place for path in FILES for place in _calls_with_many_places(path)] == []


def _calls_with_empty_places(path: Path) -> Iterator[str]:
    """`Namespace(web, 1, (), ())`: which of its lists are empty?"""
    for call in _calls(path):
        if len(call.args) > 2 and ast.unparse(call.func) not in NO_NAMES:
            are_empty = [ast.unparse(argument) in _EMPTY for argument in call.args]
            if (True, True) in itertools.pairwise(are_empty):
                yield f"{path.relative_to(ROOT)}:{call.lineno}"


def test_what_is_empty_is_named():
    tests = (path for path in sorted((ROOT / "tests").rglob("*.py")) if "lab" not in path.parts)
    assert [place for path in (*tests, *FILES) for place in _calls_with_empty_places(path)] == []


def test_a_choice_fits_on_a_line():
    """A ternary over several lines has its condition in the middle: an `if` has it at the top."""
    spread = {
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in FILES
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.IfExp) and node.lineno != node.end_lineno
    }
    assert spread == set()


LEAST_KEYS, LEAST_ROWS = 4, 3
"""What has fewer is read at a glance."""


def _is_table(value: ast.expr | None) -> bool:
    """Whether its columns have no names: those of rows that are structs have."""
    if isinstance(value, ast.Dict):
        return len(value.values) >= LEAST_KEYS
    rows = value.elts if isinstance(value, ast.Tuple | ast.List) else []
    return len([row for row in rows if isinstance(row, ast.Tuple)]) >= LEAST_ROWS


def _silent_tables(tree: ast.Module) -> Iterator[str]:
    """The tables of a module below which no sentence says what they hold."""
    for node, below in itertools.pairwise([*tree.body, ast.Pass()]):
        is_named = isinstance(node, ast.Assign | ast.AnnAssign) and _is_table(node.value)
        has_sentence = isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
        if is_named and not has_sentence:
            yield ast.unparse(node).partition(" =")[0]


def test_a_table_says_what_it_holds():
    table = "A = {'x': 1, 'y': 2, 'z': 3, 'w': 4}\n"
    assert [*_silent_tables(ast.parse(table))] == ["A"]
    assert [*_silent_tables(ast.parse(f"{table}'The number of a letter.'"))] == []
    assert [*_silent_tables(ast.parse("B = (Row(a=1), Row(a=2), Row(a=3))"))] == []
    silent = {path: names for path in FILES if (names := [*_silent_tables(_tree(path))])}
    assert silent == {}


MOST_POSITIONS = 2
"""Of a tuple: nobody remembers what the third one is. What has more is a `NamedTuple`."""
_SORT_KEYS = ("rank", "likelihood", "order")
"""What the names of functions have that give what is only sorted by."""
LONG_TUPLES = {
    "diagnose/cli/main.py": {"resolve_command"},
    "diagnose/redact/commands.py": {"_hidden_places"},
}
"""The first is a method of click's."""


def _takes_positions(function: ast.FunctionDef) -> bool:
    """Whether an annotation of it has a tuple of several things that differ."""
    if any(word in function.name for word in _SORT_KEYS):
        return False
    arguments = (*function.args.args, *function.args.kwonlyargs)
    annotations = (function.returns, *(argument.annotation for argument in arguments))
    return any(map(_has_positions, filter(None, annotations)))


def _has_positions(annotation: ast.expr) -> bool:
    tuples = (
        [ast.unparse(part) for part in node.slice.elts]
        for node in ast.walk(annotation)
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple)
        if ast.unparse(node.value) == "tuple"
    )
    return any(len(parts) > MOST_POSITIONS and len(set(parts)) > 1 for parts in tuples)


def test_parts_of_tuples_have_names():
    assert _has_positions(ast.parse("dict[str, tuple[str, int, bool]]").body[0].value)  # type: ignore[attr-defined]
    assert not _has_positions(ast.parse("tuple[str, ...] | tuple[int, bool]").body[0].value)  # type: ignore[attr-defined]
    positions = {
        str(path.relative_to(ROOT)): names
        for path in FILES
        if (names := {function.name for function in _functions(path) if _takes_positions(function)})
    }
    assert positions == LONG_TUPLES


_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def _nests(function: ast.FunctionDef) -> bool:
    """Whether a comprehension stands inside another one: it takes two looks to read."""
    outer = [node for node in ast.walk(function) if isinstance(node, _COMPREHENSIONS)]
    inner = {child for node in outer for child in ast.walk(node) if child is not node}
    return any(node in inner for node in outer)


def test_comprehensions_are_flat():
    nested = {
        str(path.relative_to(ROOT)): names
        for path in FILES
        if (names := {function.name for function in _functions(path) if _nests(function)})
    }
    assert nested == {}
