"""Prints the tests that a change touches, for `.ci/quick`: the laws, and the tests nearest to it.

A test is near if its file imports what was changed, or imports what imports it, and so on. A check
is not imported by its tests: these name its id, or have its name. Where no test is found so, the
room of the changed file is near. The files that come after the nearest ones are counted on stderr,
and `.ci/quick --all` runs them.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parent.parent
MOST_FILES = 60
"""Test files that a run takes besides the laws: some 20 s of CPU."""
LAWS = (
    "tests/laws/test_code_laws.py",
    "tests/laws/test_contract.py",
    "tests/laws/test_first_commands.py",
    "tests/laws/test_functions.py",
    "tests/laws/test_language.py",
    "tests/laws/test_pages.py",
    "tests/laws/test_rooms.py",
)
"""What is asked of all code and pages, whatever was changed."""
LAW_OF_PATTERNS = "tests/laws/test_marks.py"
"""What is asked of rows of failures: it takes as much CPU as most other laws together."""
_IMPORT = re.compile(
    r"^ *(?:from (?P<module>[\w.]+) import (?P<names>\([^)]*\)|[^\n#]+)"
    r"|import (?P<modules>[\w.]+(?:, [\w.]+)*))",
    re.MULTILINE,
)
"""An import at the top of a file or in a function: `from a import b, c`, `import a.b`."""
_CHECK = re.compile(r'^@check\(\s*"(?P<id>[a-z]+\.[a-z0-9-]+)"', re.MULTILINE)
_QUOTED_ID = re.compile(r'"(?P<id>[a-z]+\.[a-z0-9-]+)"')
_QUOTED_NAME = re.compile(r'"([\w.-]+)"')
_COLLECTOR = re.compile(r'collector="(?P<module>[\w.]+):')
"""The collector that a question names: `collector="disk.files:stats"`."""

Graph = Mapping[Path, Collection[Path]]
"""By file, the files that use it."""


def main() -> None:
    changed = changed_files()
    nearest = list(nearest_tests(changed, users_of_files(ROOT)))
    left_out = len(nearest) - MOST_FILES
    if left_out > 0:
        print(
            f"{len(nearest)} test files use what was changed: the nearest {MOST_FILES} run now, "
            "and `.ci/quick --all` runs all of them",
            file=sys.stderr,
        )
    tests = [str(path) for path in nearest[:MOST_FILES]]
    print("\n".join(dict.fromkeys([*laws_for(changed), *tests])))


def laws_for(changed: Iterable[Path]) -> tuple[str, ...]:
    """The laws that a change is held against."""
    has_patterns = any(path.is_relative_to("diagnose/programs") for path in changed)
    return (*LAWS, LAW_OF_PATTERNS) if has_patterns else LAWS


def changed_files() -> list[Path]:
    """The files that differ from where this branch left main, committed or not."""
    base = _git("merge-base", "HEAD", "main")[0]
    names = _git("diff", "--name-only", base) + _git("ls-files", "--others", "--exclude-standard")
    return [_unit(Path(name)) for name in names if (ROOT / name).exists()]


def _unit(path: Path) -> Path:
    """What tests name: of files of test data the entry of `tests/data` that holds them."""
    return Path(*path.parts[:3]) if path.is_relative_to("tests/data") else path


def _git(*arguments: str) -> list[str]:
    output = subprocess.run(
        ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return output.stdout.splitlines()


def nearest_tests(changed: Iterable[Path], users: Graph) -> Iterator[Path]:
    """The quick test files that use a changed file, from the nearest to the farthest."""
    starts = {near for path in changed for near in (path, *_tests_beside(path, users))}
    for ring in _rings(starts, users):
        yield from sorted(filter(_is_quick_test, ring))


def _rings(starts: set[Path], users: Graph) -> Iterator[set[Path]]:
    """The files, then those that use them, then those that use these, without the ones before."""
    reached: set[Path] = set()
    ring = starts
    while ring:
        yield ring
        reached |= ring
        ring = {user for path in ring for user in users.get(path, ())} - reached


def _tests_beside(path: Path, users: Graph) -> list[Path]:
    """The tests that are found without the graph.

    Those below a changed conftest.py; for other files those of the same name, or, if no test uses
    the file, those of its room (`checks/dns` has `tests/checks/dns`). What has no room is seen from
    the command line.
    """
    if path.name == "conftest.py":
        return _test_files_below(path.parent)
    parts = path.parts[1:] if path.parts[0] in ("diagnose", "tests") else path.parts
    room = _test_files_below(Path("tests", *parts[:-1]))
    namesakes = [test for test in room if test.stem == f"test_{path.stem}"]
    has_test = any(_is_quick_test(user) for ring in _rings({path}, users) for user in ring)
    if namesakes or has_test or path.suffix not in (".py", ".md"):
        return namesakes
    return (
        room
        or _test_files_below(Path("tests", *parts[:1]))
        or _test_files_below(Path("tests/commands"))
    )


def _test_files_below(folder: Path) -> list[Path]:
    return [path.relative_to(ROOT) for path in (ROOT / folder).glob("**/test_*.py")]


def _is_quick_test(path: Path) -> bool:
    is_of_lab = path.is_relative_to("tests/lab")
    return path.name.startswith("test_") and path.suffix == ".py" and not is_of_lab


def users_of_files(root: Path) -> Graph:
    """The files that use each file of the code, the pages and the recorded hosts."""
    texts = {
        path.relative_to(root): path.read_text()
        for room in ("diagnose", "checks", "tests")
        for path in root.glob(f"{room}/**/*.py")
    }
    modules = {_module_name(path): path for path in texts}
    checks = {
        match["id"]: path
        for path, text in texts.items()
        if path.parts[0] == "checks"
        for match in _CHECK.finditer(text)
    }
    data = {path.name: path.relative_to(root) for path in root.glob("tests/data/*")}
    users: dict[Path, set[Path]] = defaultdict(set)
    for path, text in texts.items():
        for used in _files_used(path, text, modules, checks):
            users[used].add(path)
        for name in data.keys() & set(_QUOTED_NAME.findall(text)):
            users[data[name]].add(path)
    for fixture in root.glob("fixtures/**/*"):
        users[fixture.relative_to(root)].add(modules["tests.recorded"])
    return users


def _module_name(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _files_used(
    path: Path, text: str, modules: Mapping[str, Path], checks: Mapping[str, Path]
) -> Iterator[Path]:
    """The files that one file imports, asks for by a check's id, or names as a collector."""
    for name in _imported_names(text):
        if name in modules:
            yield modules[name]
    if path.parts[0] == "tests":
        for match in _QUOTED_ID.finditer(text):
            if match["id"] in checks:
                yield checks[match["id"]]
                yield Path(f"runbooks/{match['id']}.md")
    for match in _COLLECTOR.finditer(text):
        name = f"diagnose.live.{match['module']}"
        if name in modules:
            yield modules[name]


def _imported_names(text: str) -> Iterator[str]:
    """The names of modules that a file imports, and of what it takes from them."""
    for match in _IMPORT.finditer(text):
        if match["modules"]:
            yield from match["modules"].split(", ")
            continue
        yield match["module"]
        for name in re.findall(r"\w+", match["names"]):
            yield f"{match['module']}.{name}"


if __name__ == "__main__":
    main()
