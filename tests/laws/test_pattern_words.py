"""A long pattern says what it is: its reader should not have to run it in his head."""

import ast
from collections.abc import Iterator

from tests.laws.house import ROOT

LONG = 100
"""Characters of a pattern that nobody reads at a glance."""
PATHS = sorted(path for room in ("checks", "diagnose") for path in (ROOT / room).rglob("*.py"))
EXPLAINED = '''
_LONG = LazyPattern(r"{}")
"""What it finds, or a line that it finds."""
'''
BARE = '_LONG = re.compile(\n    r"{}"\n)\n_NEXT = 1\n'
COMMENTED = '_LONG = LazyPattern(\n    # what it finds\n    r"{}"\n)\n'


def _text_of(node: ast.expr) -> str:
    """The literal text of a pattern, without what an f-string puts into it."""
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    constants = (part.value for part in parts if isinstance(part, ast.Constant))
    return "".join(value for value in constants if isinstance(value, str))


def _long_pattern(node: ast.stmt) -> bool:
    """Whether a statement gives a long pattern a name."""
    call = node.value if isinstance(node, ast.Assign) else None
    if not isinstance(call, ast.Call) or not call.args:
        return False
    is_pattern = ast.unparse(call.func) in ("re.compile", "LazyPattern")
    return is_pattern and len(_text_of(call.args[0])) >= LONG


def _bare_patterns(source: str) -> Iterator[str]:
    """The names of long patterns with neither a sentence below them nor a comment inside."""
    lines = source.splitlines()
    body = ast.parse(source).body
    for node, following in zip(body, [*body[1:], None], strict=True):
        if not isinstance(node, ast.Assign) or not _long_pattern(node):
            continue
        has_sentence = isinstance(following, ast.Expr) and _text_of(following.value)
        has_comment = any("# " in line for line in lines[node.lineno - 1 : node.end_lineno])
        if not (has_sentence or has_comment):
            yield ast.unparse(node.targets[0])


def test_a_long_pattern_is_explained():
    assert list(_bare_patterns(BARE.format("a" * LONG))) == ["_LONG"]
    assert list(_bare_patterns(BARE.format("a" * 20))) == []
    assert list(_bare_patterns(EXPLAINED.format("a" * LONG))) == []
    assert list(_bare_patterns(COMMENTED.format("a" * LONG))) == []
    bare = {str(path.relative_to(ROOT)): list(_bare_patterns(path.read_text())) for path in PATHS}
    assert {path: names for path, names in bare.items() if names} == {}
