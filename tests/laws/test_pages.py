"""The laws about pages: parts, blocks of commands, variables, and what no command does."""

from __future__ import annotations

import itertools
import re
import shlex
import subprocess

import pytest
from markdown_it import MarkdownIt

from diagnose import registry, runbooks
from diagnose.model import Severity
from diagnose.runbooks.format import CommandBlock
from tests import shared_parts
from tests.laws.house import CHECKS, PAGES

HOSTILE = {"spaced": "a b", "substitution": "$(x)", "quote": "'", "flag": "-rf", "newline": "a\nb"}
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
    assert used <= set(page.variables), "a placeholder that is not a declared variable"
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


_POINTS_BACK = re.compile(
    r"(?:Or|Also|Then|Next|Instead|Afterwards|Otherwise|Until then|After that|The same)\b"
)
"""How a paragraph begins that goes on with the one before it."""


def test_the_paragraph_before_a_fix_stands_for_itself():
    """A report shows it with the command, and nothing before it."""
    impacts = {
        (id, block.impact)
        for id in CHECKS
        for block in runbooks.page(id).of("fix")
        if not block.example
    }
    assert len(impacts) > 200
    assert {impact for impact in impacts if _POINTS_BACK.match(impact[1])} == set()


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


def test_no_command_is_one_quoted_value():
    """A value is one word to the shell: where it holds a whole command, `sh -c` has to read it."""
    found = {
        (id, name)
        for id in CHECKS
        for block in runbooks.page(id).blocks
        for name in re.findall(r"^\{(\w+)\}", block.text, re.MULTILINE)
        if " " in runbooks.page(id).variables.get(name, "")
    }
    assert found == set()


def test_what_pages_share_is_the_same_on_each():
    """`python -m tests.shared_parts ID` writes the parts of one page into the others."""
    texts: dict[str, list[str]] = {}
    for path in PAGES.values():
        for name, text in shared_parts.parts(path.read_text()).items():
            texts.setdefault(name, []).append(text)
    assert len(texts) > 5
    assert [name for name, versions in texts.items() if len(versions) < 2] == []
    assert [name for name, versions in texts.items() if len(set(versions)) > 1] == []


def test_a_shared_part_is_written_into_the_other_pages():
    page = "before\n<!-- shared: looks -->\n\nold\n\n<!-- end of shared -->\nbehind\n"
    changed = shared_parts.with_parts(page, {"looks": "\nnew\n\n", "fixes": "\nof others\n\n"})
    assert changed == page.replace("old", "new")
    assert shared_parts.parts(changed) == {"looks": "\nnew\n\n"}


def test_each_look_says_what_it_shows():
    """A command alone prints an output, and does not say what to look for in it."""
    looks = [(id, look) for id in PAGES for look in runbooks.page(id).of("confirm")]
    assert len(looks) > 500
    assert [(id, look.text) for id, look in looks if not look.impact] == []
