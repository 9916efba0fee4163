"""The laws that hold the house together: ids, pages, variables, causes, imports, data."""

from __future__ import annotations

import ast
import functools
import importlib
import itertools
import json
import re
import shlex
import subprocess
from collections.abc import Iterable, Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest
from markdown_it import MarkdownIt

import diagnose
from diagnose import registry, runbooks
from diagnose.model import Check, Severity
from diagnose.questions.question import by_kind, policies
from diagnose.runbooks.format import CommandBlock
from tests.lab import faults, machine_units
from tests.readme import INDEX, README, index, rewritten

ROOT = Path(__file__).parent.parent
CHECKS = registry.load()
PAGES = runbooks.paths()
HOSTILE = {"spaced": "a b", "substitution": "$(x)", "quote": "'", "flag": "-rf", "newline": "a\nb"}


def test_there_are_checks_and_pages():
    assert CHECKS
    assert PAGES
    assert policies()


def test_every_check_has_a_page_and_every_page_a_check():
    retired = {id for id in PAGES if runbooks.page(id).retired}
    assert set(CHECKS) == set(PAGES) - retired


SHOWS = (
    r"\S+ (?:-t \S+ )?-(?:S|vnL)\b",
    r"(?:docker|\{docker\}) (?:system df|info$|version$|history\b)",
    r"ip (?:-\S+ )*(?:address|link|route|rule)(?: show\b|$)",
    r"nft (?:-a )?list (?:table|ruleset)\b",
    r"sysctl (?:-a )?[^-]",
    r"dmesg\b",
    r"time ",
)
"""Commands that end with code 0 whatever they show."""
_SHOWS = re.compile("|".join(SHOWS))


def _only_shows(block: CommandBlock) -> bool:
    """Whether a block's last command cannot say by its exit code that something is wrong."""
    last = block.text.splitlines()[-1]
    is_plain = not re.search(r"&&|;|\|(?! (?:head|tail|sort)\b)|\$\(", last)
    if not is_plain or block.may_fail or block.example or block.manual:
        return False
    return bool(_SHOWS.match(last)) or _is_of_advice(last)


def _is_of_advice(command: str) -> bool:
    """Whether it asks a check whose findings change no exit code."""
    asked = registry.load().get(command.removeprefix("diagnose check "))
    return asked is not None and asked.severity is Severity.advice


@pytest.mark.parametrize("id", sorted(PAGES))
def test_page_is_whole(id: str):
    page = runbooks.page(id)
    assert page.id == id
    headings = re.findall(r"^## (.+)$", page.body, re.MULTILINE)
    assert headings == list(runbooks.SECTIONS)
    assert page.of("confirm"), "how would one see it?"
    assert page.of("fix"), "what is to be typed?"
    assert page.of("verify"), "how would one know that it is over?"
    silent = [block.text for block in page.of("verify") if _only_shows(block)]
    assert silent == [], "it cannot fail: let it decide, or mark it `may-fail`"
    used = set().union(*(runbooks.placeholders(block.text) for block in page.blocks)) - {"docker"}
    assert used <= set(page.variables), "a placeholder that is no declared variable"
    fences = re.findall(r"^```(\S.*)$", page.body, re.MULTILINE)
    assert all(
        info.split()[0] in ("sh", "json", "toml", "yaml", "ini", "text", "dockerfile")
        for info in fences
    )


@pytest.mark.parametrize("id", sorted(PAGES))
def test_what_is_removed_by_a_name_begins_with_it(id: str):
    """The engine's filter finds `shop-api-before-1` of another container by `api-before-` too."""
    removing = [block for block in runbooks.page(id).blocks if re.search(r"\brm\b", block.text)]
    filters = [re.findall(r"--filter[ =]name=(\S*)", block.text) for block in removing]
    assert [name for names in filters for name in names if not name.startswith("^")] == []


@pytest.mark.parametrize("id", sorted(PAGES))
def test_blocks_are_those_that_a_markdown_parser_finds(id: str):
    body = runbooks.page(id).body
    parsed = MarkdownIt("zero").enable("fence").parse(body)
    commands = [
        (token.info.split()[1], token.content.rstrip("\n"))
        for token in parsed
        if token.info.startswith("sh ")
    ]
    assert [(block.purpose, block.text) for block in runbooks.blocks_in(body, id)] == commands


@pytest.mark.fuzz
@pytest.mark.parametrize("id", sorted(PAGES))
@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
def test_hostile_values_stay_one_word(id: str, value: str):
    """A placeholder is a whole shell word or a word's suffix: filled with anything, the words stay
    the same in number.

    A name that docker would read as an option has `--` before it.
    """
    page = runbooks.page(id)
    variables = dict.fromkeys(page.variables, value)
    plain = dict.fromkeys(page.variables, "x")
    whole = "\n".join(f"(\n{runbooks.fill(block.text, variables)}\n)" for block in page.blocks)
    parsed = subprocess.run(
        ["bash", "-n"], input=whole, text=True, capture_output=True, check=False
    )
    assert parsed.returncode == 0, f"{whole}\n{parsed.stderr}"
    for block in page.blocks:
        filled = runbooks.fill(block.text, variables)
        for hostile, tame in zip(
            _commands(filled), _commands(runbooks.fill(block.text, plain)), strict=True
        ):
            assert [_harmless(word, value) for word in _without_dashes(hostile, value)] == [
                _harmless(word, value) for word in _without_dashes(tame, value)
            ]


def _without_dashes(words: list[str], value: str) -> list[str]:
    """The words without a `--` that comes before an operand beginning with `-`."""
    if not value.startswith("-"):
        return words
    return [word.replace(" -- ", " ") for word in words if word != "--"]


def _harmless(word: str, value: str) -> str:
    """The word with x for the hostile value, which is quoted where it is in a command
    substitution."""
    return word.replace(shlex.quote(value), "x").replace(value, "x")


def _commands(text: str) -> list[list[str]]:
    """The words of a block by our own lexer of POSIX quoting, the whole block as one."""
    return [shlex.split(text, comments=True)]


PAGE = """## Fix

Restart the unit.

```sh fix disruptive on-systemd
systemctl restart docker
```

```sh fix disruptive off-systemd off-podman
service docker restart
```

```sh fix safe
{docker} start {container}
```
"""


@pytest.mark.parametrize(
    ("traits", "variables", "suiting"),
    [
        ({"systemd"}, {}, ["systemctl restart docker"]),
        (set(), {}, ["service docker restart"]),
        ({"podman"}, {}, []),
        ({"podman"}, {"container": "web"}, ["{docker} start {container}"]),
    ],
)
def test_a_block_suits_the_host_and_the_finding(
    traits: set[str], variables: dict[str, str], suiting: list[str]
):
    blocks = runbooks.blocks_in(PAGE, "page")
    assert [block.text for block in blocks if block.suits(variables, frozenset(traits))] == suiting


@pytest.mark.parametrize("info", ["sh fix safe on-mars", "sh fix", "sh confirm safe", "sh mend"])
def test_a_block_that_is_not_understood_is_refused(info: str):
    with pytest.raises(runbooks.PageError):
        runbooks.blocks_in(f"```{info}\ntrue\n```\n", "page")


def test_title_is_one_short_sentence():
    for id, check in CHECKS.items():
        assert 0 < len(check.title) < 80, id
        assert check.title.endswith("."), id
        assert check.title.count(". ") == 0, id


def test_causes_exist():
    for id, check in CHECKS.items():
        for other in (*check.caused_by, *check.causes):
            assert other in CHECKS, f"{id} names {other}"
            assert other != id


def test_causes_make_no_circle():
    edges: dict[str, set[str]] = {id: set(check.caused_by) for id, check in CHECKS.items()}
    for id, check in CHECKS.items():
        for effect in check.causes:
            edges[effect].add(id)
    assert any(edges.values())
    done: set[str] = set()
    while True:
        free = {id for id in edges if id not in done and edges[id] <= done}
        if not free:
            break
        done |= free
    assert set(edges) - done == set(), "these stand in a circle"


NO_REAL_FAULT = {
    "firewall.podman-rules-missing": "Podman has no scenarios: tests/lab/test_engine_collectors.py flushes the rules of a real one",
    "kernel.netdevice-stuck": "a reference that a kernel bug never gives back: tests/test_checks_kernel.py has the real line",
    "resources.io-saturated": "a disk that is too slow for a real share of 60 s: tests/test_checks_resources.py",
    "security.stop-denied": "a kernel with AppArmor and a confined runc: tests/checks/security/test_confinement.py has lines as reported",
    "security.sysctl-denied": "an engine inside LXC with AppArmor: tests/checks/security/test_confinement.py has the words as reported",
    "resources.limits-not-enforced": "a kernel built or booted without a controller: tests/test_checks_resources.py",
}
"""Checks that no host of the lab can be made to bring, and why: they are proven on made evidence.
"""


def test_every_check_is_found_on_a_real_fault():
    hosts = [*faults.discover().values(), *machine_units.SCENARIOS]
    proven = {id for host in hosts for id, _ in host.expected}
    assert set(CHECKS) - proven == set(NO_REAL_FAULT)


PASSED_NOWHERE = {
    "firewall.overlay-lost": "no recorded host is in a swarm",
    "swarm.address-gone": "no recorded host is in a swarm",
    "swarm.update-stuck": "no recorded host is in a swarm",
    "network.address-duplicate": "no recorded host has a macvlan network",
    "swarm.ipvs-missing": "no recorded host is in a swarm and was asked for the file of IPVS",
    "container.cpu-unsupported": "no recorded log speaks of missing instructions",
    "daemon.containerd-config-invalid": "no recorded host with a containerd of the system was asked",
    "daemon.unit-invalid": "no recorded host has systemd and was asked for its unit",
    "firewall.neighbour-banned": "no bundle of a recorded host holds its ARP table",
    "dns.search-wildcard": "no recorded host was asked for a wildcard",
    "daemon.not-enabled": "no recorded host has systemd",
    "firewall.between-containers": "no container of a recorded host is configured to call another one",
    "firewall.bridge-filter-off": "no recorded host has a network without traffic between its containers",
    "firewall.dropped-inside-container": "no recorded host was asked for the rules inside a container",
    "firewall.host-port-closed": "no recorded host has a container on its own network",
    "firewall.input-dropped": "no container of a recorded host is configured to use its host",
    "firewall.closed-over-ipv6": "no recorded host has an address of the IPv6 internet",
    "firewall.neighbour-discovery-dropped": "no recorded host has a network with IPv6",
    "firewall.ping-dropped": "no container of a recorded host pings anything",
    "firewall.other-bridges-cut-off": "no recorded host has another program's bridge",
    "firewall.podman-rules-missing": "no recorded host runs Podman",
    "kernel.modules-gone": "the lab's kernel has no loadable modules",
    "network.ipv4-leads-nowhere": "no recorded host reaches the outside only over IPv6",
    "network.gateway-unanswered": "no recorded host has a macvlan network",
    "network.internal-called-out": "no recorded host has a container on internal networks only",
    "network.parent-in-use": "no recorded host has a macvlan network",
    "logging.backpressure": "no recorded host sends logs elsewhere",
    "network.host-service-not-listening": "no container of a recorded host is configured to use its host",
    "network.loopback-not-routed": "no recorded host runs without docker-proxy",
    "network.parent-subnet-foreign": "no recorded host has a macvlan network",
    "network.published-on-loopback": "no recorded host publishes on the loopback by default",
    "network.proxy-on-loopback": "no recorded host has a proxy on localhost",
    "network.proxy-takes-neighbours": "no recorded host has a proxy in an environment",
    "network.requests-taken-for-forged": "no recorded host has a second uplink with rp_filter",
    "network.ipv6-default-route-lost": "no recorded host has a global IPv6 address",
    "network.parent-down": "no recorded host has a macvlan network",
    "storage.network-volume-stale": "no recorded host mounts a network file system",
    "storage.store-leftover": "no recorded host has the containerd image store",
    "swarm.node-down": "no recorded host is in a swarm",
    "swarm.quorum-lost": "no recorded host is in a swarm",
    "swarm.service-underreplicated": "no recorded host is in a swarm",
}
"""Checks that apply to no recorded host, and why: the tests of their family show them passing on
made evidence."""


def test_every_check_passes_on_a_recorded_host():
    verdicts = [
        json.loads(path.read_text())["verdicts"]
        for path in (ROOT / "fixtures").glob("*/expected.json")
    ]
    assert verdicts
    passed = {id for host in verdicts for id, verdict in host.items() if verdict == "passed"}
    assert set(CHECKS) - passed == set(PASSED_NOWHERE)


def test_the_map_of_the_house_names_each_room():
    """The docstring of the package: a package is written with a slash, a module without one."""
    rooms = {
        f"{path.name}/" if path.is_dir() else path.stem
        for path in (ROOT / "diagnose").iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    } - {"__init__", "__main__"}
    assert diagnose.__doc__
    heads = re.findall(r"^- `([\w/]+)`", diagnose.__doc__, re.MULTILINE)
    assert rooms - set(re.findall(r"`([\w/]+)`", diagnose.__doc__)) == set()
    assert set(heads) - rooms == set()


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
    assert set(registry.families()) == alone | families


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
    )


_TANGLE = re.compile(
    r"""\bf"[^"\n]*\{[^{}"\n]* if [^{}"\n]* else |\bf'[^'\n]*\{[^{}'\n]* if [^{}'\n]* else """
    r"""|\belse [^\n,\])]+ if [^\n]+ else """
)
"""By the text: to visit each node of each tree takes a second."""


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
    "diagnose.lazy_pattern",
    "diagnose.mappings",
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
    assert len(CHECK_FILES) > len(registry.families())
    assert len(OUTSIDE_LIVE) > 10


@pytest.mark.parametrize("kind", sorted(policies()))
def test_every_kind_of_question_has_its_collector(kind: str):
    policy = policies()[kind]
    module, _, function = policy.collector.partition(":")
    path = ROOT / "diagnose" / "live" / f"{module.replace('.', '/')}.py"
    definition = _module(path).functions[function]
    question = ast.unparse(definition.args.args[1].annotation)
    assert question in (classes(policy.collector) | {"AnyQuestion"})


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


def test_every_question_says_for_whom_it_speaks():
    assert policies()
    for kind, question in by_kind().items():
        assert question.__doc__, kind
        assert policies()[kind].what, kind


def test_needs_are_collected_by_someone():
    def reachable(kind: type, seen: set[type]) -> None:
        if kind not in seen:
            seen.add(kind)
            for need in registry.needs_of(registry.collector(kind)):
                reachable(need.kind, seen)

    seen: set[type] = set()
    for check in CHECKS.values():
        for need in check.needs:
            reachable(need.kind, seen)
    assert seen


def test_readme_shows_what_the_program_says():
    text = README.read_text()
    assert rewritten(text) == text, "run: python -m tests.readme"


_FIXED_COPY = re.compile(
    r"\b(?:cp|mv) (?:-\w+ )*(\S+) \1\.\w+(?!\S)|\bsed -i\.\w+ |--backup\b"
    r"|\b(?:cp|mv) [^;&|\n]*\s[^\s$)]*\.(?:bak|before|damaged|disabled|old)(?!\S)"
)
"""A copy beside its file under a name that it has each time, or by an option that only GNU has."""


@pytest.mark.parametrize(
    ("text", "loses"),
    [
        ("cp -a {path} {path}.before", True),
        ("mv {old} {old}.before", True),
        ("sed -i.bak {edit} {edited}", True),
        ("cp -a {path} {path}.$(date +%F-%H%M%S)", False),
        ("sed -i.$(date +%F-%H%M%S) {edit} {edited}", False),
        ("sed -i {edit} {edited}", False),
        ("mv {path} /root/config.damaged", True),
        ("mv {path} {path}.$(date +%F-%H%M%S).disabled", False),
    ],
)
def test_a_copy_that_replaces_an_older_one_is_known(text: str, loses: bool):
    assert bool(_FIXED_COPY.search(text)) is loses


def test_no_command_replaces_an_older_copy():
    """Typed a second time, it would keep what the first time has written, and lose the rest."""
    lost = {
        f"{id}: {block.text}"
        for id in PAGES
        for block in runbooks.page(id).blocks
        if _FIXED_COPY.search(block.text)
    }
    assert lost == set()


def test_index_of_the_pages_is_current():
    assert INDEX.read_text() == index(), "run: python -m tests.readme"
    assert INDEX not in runbooks.paths().values()


def test_schema_is_a_schema():
    import jsonschema

    for name in ("report", "fleet"):
        schema = json.loads((ROOT / f"diagnose/render/{name}.schema.json").read_text())
        jsonschema.Draft202012Validator.check_schema(schema)


def test_thresholds_have_units():
    limits = [(check, limit) for check in CHECKS.values() for limit in check.thresholds]
    assert limits
    for check, limit in limits:
        assert isinstance(check, Check)
        assert limit.default > 0


FAILED_STARTS = (
    "container.exits-at-start",
    "container.restart-loop",
    "container.restarts-exhausted",
)


def test_pages_of_failed_starts_share_their_cures():
    """One log, one cure, whether the engine tries again or not: a cure that is corrected on one
    page stays dangerous on the other. Loading a module differs: the engine tries again by itself in
    a restart loop; a start once more counts differently there too."""

    def cures(id: str) -> dict[frozenset[str], list[tuple[str, ...]]]:
        found: dict[frozenset[str], list[tuple[str, ...]]] = {}
        for block in runbooks.page(id).blocks:
            asked = runbooks.placeholders(block.text) - {"docker", "container"}
            if block.purpose == "fix" and asked and asked not in ({"module"}, {"again"}):
                impact = " ".join(block.impact.split())
                found.setdefault(frozenset(asked), []).append((block.risk, block.text, impact))
        return found

    for one, other in itertools.combinations(map(cures, FAILED_STARTS), 2):
        shared = one.keys() & other.keys()
        assert len(shared) > 20
        assert {key: one[key] for key in shared} == {key: other[key] for key in shared}


_STANDS_FOR = re.compile(
    r"(?<![\w${./=-])(?:NAME|IMAGE|CONTAINER|VOLUME|NETWORK|HOST|PORT|VERSION|SERVICE|USER)(?![\w=}])"
)
"""Words by which texts stand for a name that the reader has to put in."""


def test_no_command_holds_a_word_that_stands_for_a_name():
    """A report shows commands that can be run as they are; a script's own variables, and words in
    quotes, are no such word."""
    found = {}
    for id in CHECKS:
        for block in [block for block in runbooks.page(id).blocks if not block.example]:
            text = re.sub(r"'[^']*'|\"[^\"]*\"|\$\{?\w+", "", block.text)
            if words := _STANDS_FOR.findall(text):
                found[id] = words
    assert found == {}


def test_no_fix_makes_a_container_without_its_options():
    """`docker run -d IMAGE` forgets ports, volumes and the restart policy of the container that it
    is to replace."""
    blocks = [
        (id, block)
        for id in CHECKS
        for block in runbooks.page(id).blocks
        if block.purpose == "fix" and not block.example
    ]
    assert blocks
    assert [
        id
        for id, block in blocks
        if re.search(r"docker\}? run (?:-d|--detach)(?!.*--name)", block.text)
    ] == []


def test_every_check_has_one_form():
    """A generator with one return type: a check that hands over to a twin, or returns a list, reads
    in two places."""
    assert CHECKS
    forms = {check.function.__annotations__["return"] for check in CHECKS.values()}
    assert forms == {"CheckResult"}


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


def test_no_ternary_stands_inside_another_or_inside_a_text():
    """Both are read twice: a line above them gives the choice a name."""
    assert _TANGLE.search("f\"{'a' if b else 'c'} d\"")
    assert _TANGLE.search("a = 1 if b else 2 if c else 3")
    files = (*ENGINE_FILES, *CHECK_FILES)
    assert {path: lines for path in files if (lines := _module(path).tangles)} == {}
