"""`from __future__ import annotations` stands where an annotation names what is not there yet."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.laws.house import ROOT

ANSIBLE = "diagnose/fleet/ansible/"
"""Runs on the Python of Ansible, which may be an old one."""

FILES = [
    path
    for room in ("diagnose", "checks")
    for path in sorted((ROOT / room).rglob("*.py"))
    if ANSIBLE not in str(path)
]


def _annotations(node: ast.AST) -> Iterator[ast.expr]:
    for child in ast.walk(node):
        if isinstance(child, ast.arg | ast.AnnAssign) and child.annotation is not None:
            yield child.annotation
        elif (
            isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) and child.returns is not None
        ):
            yield child.returns


def _imported_for_types(tree: ast.Module) -> set[str]:
    """The names that only the type checker imports, since they stand above this module."""
    blocks = [node for node in tree.body if isinstance(node, ast.If)]
    return {
        alias.asname or alias.name
        for block in blocks
        if ast.unparse(block.test).endswith("TYPE_CHECKING")
        for node in ast.walk(block)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def _needs_it(tree: ast.Module) -> bool:
    later = {node.name: node.end_lineno for node in tree.body if isinstance(node, ast.ClassDef)}
    later |= {
        target.id: node.end_lineno
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    typed = _imported_for_types(tree)
    for annotation in _annotations(tree):
        for name in ast.walk(annotation):
            if isinstance(name, ast.Name):
                is_later = later.get(name.id, 0) >= annotation.lineno
                # A question is not a type at run time, and stands beside no `|`.
                if is_later or name.id in typed or name.id == "AnyQuestion":
                    return True
    return False


def test_the_future_import_stands_where_it_is_needed():
    trees = {path: ast.parse(path.read_text()) for path in FILES}
    needless = [
        str(path.relative_to(ROOT))
        for path, tree in trees.items()
        if any(
            isinstance(node, ast.ImportFrom) and node.module == "__future__" for node in tree.body
        )
        and not _needs_it(tree)
    ]
    assert needless == []


def test_a_class_that_names_itself_needs_it():
    assert _needs_it(ast.parse("class Tree:\n    def parent(self) -> Tree: ..."))
    assert not _needs_it(ast.parse("class Tree: ...\ndef root(tree: Tree) -> Tree: ..."))
