"""The law of plain English: what a user reads has no word of the old dialect, and pages have short
sentences."""

from __future__ import annotations

import re
import tokenize
from pathlib import Path

import pytest

from diagnose import registry, runbooks
from tests import command_line

ROOT = Path(__file__).parents[2]
REFUSED = (
    "in vain",
    "anew",
    "hangs on",
    "nobody who",
    "surely",
    "alike",
    "told",
    "astray",
    "brings? forth",
    "begets?",
    "the tape",
    "taped",
    "made by hand",
    "is the image of",
    "speaks? of",
    "what stands in",
    "no line:",
    "asked for in",
    "unasked",
    "looked for is",
    "till",
    "thereby",
    "wherein",
    "by ipv[46]",
    "(?:end|exit)(?:s|ed) with success",
    "answers nobody",
    "(?:is|are) to (?!(?:blame|be|the|an?|its|this|your|say|code)\\b)[a-z]+",
    "(?:is|are) of (?:another|different|two|an (?:older|earlier)) [a-z]+",
    "mostly",
    "lives? on",
    "outside of (?:its )?volumes",
    "stays under another name",
    "(?:created|made) again",
    "creates? the (?:container|network) again",
    "of before",
    "for trial",
    "for want of",
    "look-ups?",
    "time-outs?",
    "given behind",
    "ended with exit code",
    "usually heals it",
    "tells? of",
    "ought to",
    r"[.]\s+(?:compared|counted|left out|looked at|read) are",
    r"[.]\s+(?:nor|so) (?:are|can|do|does|has|have|is)",
    "(?<!there )(?:is|are|was|were) no (?!longer|more|such)[a-z-]+",
)
"""Words and idioms that a reader whose first language is not English stops at."""
DIALECT = re.compile(rf"\b({'|'.join(REFUSED)})\b")
"""For texts in small letters: to ignore the case costs four times as much."""
REFUSED_ON_PAGES = (
    "go(?:es)? on(?! (?:the|a) )",
    "runs? on as before",
    "mend(?:s|ed|ing)?",
    "one's own words",
    "the daemon's own words",
    "(?:is|are) to be (?:found|seen|had)",
    "for ever",
    "the (?:value|number) of now",
    "no way to the",
    "goes by",
    "(?:container|line|log|program|server) misses",
    "for [a-z]+ alone[,.;:]",
)
"""Further ones that pages, README and help do without; comments in code may have them."""
DIALECT_OF_PAGES = re.compile(rf"\b({'|'.join((*REFUSED, *REFUSED_ON_PAGES))})\b")
FRAGMENT = re.compile(r"^Whether\b")
"""How a caption begins that is not a sentence: `Check whether` is one."""
MOST_WORDS = 25
"""Words in a sentence of a page."""

README = ROOT / "README.md"
DOCUMENTS = [README, *sorted((ROOT / ".github").rglob("*.md"))]
PAGES = sorted(runbooks.paths().values())


def prose(text: str) -> str:
    """The prose of a Markdown text: without front matter, blocks of code and code in a line."""
    text = re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.DOTALL)
    text = re.sub(r"^ *(```|~~~).*?^ *\1", "", text, flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"`[^`]*`", "CODE", text)


def sentences(text: str) -> list[str]:
    """The sentences of a prose, each item of a list and each heading by itself."""
    blocks = re.split(r"\n\s*\n|\n(?=\s*[-*|#\d]+[.)]? )", prose(text))
    return [
        sentence
        for block in blocks
        if not block.lstrip().startswith("|")
        for sentence in re.split(r"(?<=[.:;!?])\s+", " ".join(block.split()))
        if sentence
    ]


def words(sentence: str) -> int:
    return len(re.findall(r"[\w'./-]+", sentence))


def idioms(pattern: re.Pattern[str], text: str) -> list[str]:
    """The refused words in a text, also where a line ends inside them."""
    return pattern.findall(" ".join(text.lower().split()))


def test_there_is_something_to_read():
    assert len(PAGES) > 100
    assert len(DOCUMENTS) > 3


def test_no_word_of_the_old_dialect():
    used = {path: idioms(DIALECT, prose(path.read_text())) for path in DOCUMENTS}
    used |= {path: idioms(DIALECT_OF_PAGES, prose(path.read_text())) for path in (*PAGES, README)}
    assert {path: refused for path, refused in used.items() if refused} == {}


def captions(text: str) -> list[str]:
    """The last sentences before blocks of commands, without what stands in brackets."""
    text = re.sub(r"^```.*?^```|<!--.*?-->", "\n\n", text, flags=re.DOTALL | re.MULTILINE)
    paragraphs = [" ".join(block.split()) for block in re.split(r"\n\s*\n", prose(text))]
    last = [re.split(r"(?<=[.])\s+(?=[A-Z])", paragraph)[-1] for paragraph in paragraphs]
    return [re.sub(r"\([^()]*\)", "", sentence) for sentence in last if sentence.endswith(":")]


def test_a_caption_has_one_colon():
    """ "Nothing, or an empty value: set the variable:" is read twice before it is understood."""
    assert captions("One.\n\nTwo. Three (a: b): four:\n\n```sh\nfive: six:\n```\n") == [
        "Three : four:"
    ]
    assert [
        (path.name, caption)
        for path in PAGES
        for caption in captions(path.read_text())
        if ": " in caption and not caption.startswith("By hand: ")
    ] == []


def test_captions_of_a_page_are_sentences():
    assert [
        (path.name, sentence)
        for path in PAGES
        for sentence in sentences(path.read_text())
        if FRAGMENT.match(sentence)
    ] == []


def test_sentences_of_a_page_are_short():
    assert [
        (path.name, sentence)
        for path in PAGES
        for sentence in sentences(path.read_text())
        if words(sentence) > MOST_WORDS
    ] == []


def test_titles_of_checks():
    titles = {id: check.title for id, check in registry.load().items()}
    assert titles
    assert [id for id, title in titles.items() if DIALECT.search(title.lower())] == []


COMMANDS = (
    "all",
    "check",
    "bundle",
    "list",
    "explain",
    "timeline",
    "diff",
    "repair",
    "path",
    "watch",
    "ask",
)


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_is_in_plain_words(command: str):
    shown = command_line.run(*filter(None, [command]), "--help").stdout
    assert shown
    assert idioms(DIALECT_OF_PAGES, shown) == []


def test_reports_of_the_recorded_broken_host():
    shown = command_line.run("all", "--from", "demo", "--no-color", "-v").stdout
    assert "CRITICAL" in shown
    assert idioms(DIALECT_OF_PAGES, shown) == []


SOURCES = sorted([*(ROOT / "checks").rglob("*.py"), *(ROOT / "diagnose").rglob("*.py")])


def texts(path: Path) -> str:
    """All strings and comments of a module."""
    with path.open("rb") as source:
        tokens = [
            token.string
            for token in tokenize.tokenize(source.readline)
            if token.type in (tokenize.STRING, tokenize.COMMENT)
        ]
    return "\n".join(tokens)


def test_texts_in_code():
    """Strings may reach a user; docstrings and comments reach the next engineer.

    To read a file as tokens costs ten times the search: only one with such a word is read so.
    """
    suspects = [path for path in SOURCES if idioms(DIALECT, path.read_text())]
    used = {path: idioms(DIALECT, texts(path)) for path in suspects}
    assert {path: refused for path, refused in used.items() if refused} == {}
