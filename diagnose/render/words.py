"""Words for people: long names, and text that no terminal obeys."""

import itertools
import re
import unicodedata

from diagnose.phrases import and_more

LONG_LIST = 5
"""So many words between commas are a list."""
_FULL_ID = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{52}\b")
_LAYERS = re.compile(
    r"""(?:
        failed\ to\ create\ (?:task\ for\ container|shim(?:\ task)?)  # the engine, of containerd
        | OCI\ runtime\ create\ failed                               # containerd, of the runtime
        | (?:runc|crun)(?:\ create\ failed)?                          # the runtime
        | unable\ to\ start\ container\ process
        | error\ during\ container\ init
        | \w+_linux\.go:\d+                                          # the runtime before 1.1
        | (?:starting\ container\ process|container\ init)\ caused
    ):\ """,
    re.VERBOSE,
)
"""Who passed an error on, before the error itself."""


def middle(text: str, width: int) -> str:
    """A long name cut in its middle, never at its end, where names differ."""
    if len(text) <= width:
        return text
    tail = (width - 3) // 2
    return f"{text[: width - 3 - tail]}...{text[-tail:]}" if width > 6 else text[:width]


_GAP = " ... "


def _two_ends(text: str, width: int) -> str:
    """A long text without its middle, with whole words before and after the gap.

    A text of words that are longer than that is cut inside of them.
    """
    if len(text) <= width:
        return text
    room = max(0, width - len(_GAP))
    begin, end = text[: room - room // 2 + 1], text[len(text) - room // 2 - 1 :]
    begin = begin.rpartition(" ")[0].rstrip()
    end = end.partition(" ")[2].lstrip()
    if len(begin) + len(end) <= room // 2:
        return middle(text, width)
    return f"{begin}{_GAP}{end}"


def without_layers(error: str) -> str:
    """An error of the engine without the programs that passed it on to one another.

    Their names take more room than what went wrong.
    """
    start = 0
    while layer := _LAYERS.match(error, start):
        start = layer.end()
    return f"... {error[start:]}" if 0 < start < len(error) else error


def items_that_fit(note: str, room: int) -> str:
    """The first items of a note, as many as there is room for.

    The name of the first one is cut, not its number.
    """
    first, *further = note.split(", ")
    name, *number = first.rsplit(" ", 2)
    fitted = " ".join(
        [middle(name, max(7, room - sum(len(digits) + 1 for digits in number))), *number]
    )
    for other in further:
        if len(fitted) + len(other) + 2 > room:
            break
        fitted += f", {other}"
    return fitted


def fitting(text: str, width: int) -> str:
    """A text of this width at the most: of a list of names the first ones, else its two ends."""
    names = text.split(", ")
    if len(text) <= width or len(names) < LONG_LIST or any(" " in name for name in names):
        return _two_ends(text, width)
    room = width - len(f" and {len(names)} more")
    ends = list(itertools.accumulate(len(name) + 2 for name in names))
    return and_more(names, sum(end - 2 <= room for end in ends))


_OBEYED = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
"""Categories: control, format, surrogate, private use, separators of lines and of paragraphs."""


def short_ids(text: str) -> str:
    """The text with full ids cut to the twelve digits that docker itself shows.

    Ids of containers, images and networks.
    """
    return _FULL_ID.sub(r"\1", text)


def one_line(text: str) -> str:
    """The text as `clean` gives it, in one line.

    A name with a line break begins no line of its own: neither a made-up finding, nor a command
    for the system that runs the tool and reads its output, such as `::error::`.
    """
    return " ".join(clean(text).split("\n"))


def clean(text: str) -> str:
    """The text without anything that a terminal would obey.

    Control, format and surrogate characters are shown as `?`, and a tab as a space.
    """
    return "\n".join(
        # nearly all are: to look at each character takes seventy times as long
        line if line.isprintable() else "".join(map(_shown_character, line))
        for line in text.replace("\t", " ").split("\n")
    )


def _shown_character(char: str) -> str:
    return "?" if unicodedata.category(char) in _OBEYED else char


IDS_SHOWN = 6


def ids_or_families(ids: str) -> str:
    """A list of check ids, or of what families they are where it would be a wall."""
    names = ids.split(", ")
    if len(names) <= IDS_SHOWN:
        return ids
    return f"{len(names)} checks ({', '.join(dict.fromkeys(name.partition('.')[0] for name in names))})"
