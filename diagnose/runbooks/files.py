"""The pages that lie beside the checks, by id; each is read once."""

import functools
from collections.abc import Mapping
from pathlib import Path

from diagnose import packs
from diagnose.runbooks.format import FRONT_MATTER, CommandBlock, Page, blocks_in, parse


@functools.cache
def paths() -> Mapping[str, Path]:
    """The path of each page, by id."""
    return {
        path.stem: path
        for folder in packs.page_folders()
        for path in sorted(folder.glob("*.*.md"), key=str)
    }


@functools.cache
def text(id: str) -> str:
    """A page as it is written. KeyError, OSError where it cannot be had."""
    return paths()[id].read_text(encoding="utf-8")


@functools.cache
def page(id: str) -> Page:
    """The page of a check id. KeyError if there is none, PageError if it breaks the format."""
    return parse(text(id), paths()[id].name)


@functools.cache
def blocks(id: str) -> tuple[CommandBlock, ...]:
    """The blocks of commands of a check's page. Errors as for `page`."""
    return blocks_in(FRONT_MATTER.sub("", text(id), count=1), paths()[id].name)
