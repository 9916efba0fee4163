"""The words of a page that a person would read. Pure."""

import re

from diagnose.lazy_pattern import LazyPattern
from diagnose.phrases import shortened

_HIDDEN = LazyPattern(r"(?is)<(script|style|head|svg|title)\b[^>]{0,500}>.*?(?:</\1>|$)")
_TITLE = LazyPattern(r"(?is)<title[^>]{0,200}>([^<]{1,300})")
_TAG = re.compile(r"<[^<>]{0,2000}>")
_SPACE = re.compile(r"\s+")
_SHOWN = 160


def first_words(body: str, most: int = _SHOWN) -> str:
    """The first words of a page, its title first where it has one; "" for an empty page.

    most: characters.
    """
    title = _TITLE.search(body)
    text = _TAG.sub(" ", _HIDDEN.sub(" ", body))
    words = [_without_markup(title[1])] if title is not None else []
    rest = _without_markup(text)
    if rest and rest not in words:
        words.append(rest.removeprefix(words[0]).strip() if words else rest)
    return shortened(": ".join(filter(None, words)), most)


def _without_markup(text: str) -> str:
    import html  # only pages with errors are read, and its tables take 2 ms

    return _SPACE.sub(" ", html.unescape(text)).strip()
