"""A drawing of the last hours: when each root began, and what else happened."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec

from diagnose.phrases import time_of_day
from diagnose.render.html.networks import NARROW, PAD, WIDE, tone
from diagnose.render.html.shapes import MONO, Box, Dot, Drawing, Label, Line, Shape
from diagnose.render.outlines.outline_block import OutlineBlock
from diagnose.render.words import clean, middle
from diagnose.timeline import Moment

ROW = 34
MOST_TICKS = 600
"""Moments that are drawn; where there are more, the latest."""
SHORTEST_S = 20.0
"""So long is the shortest time that is drawn."""
BEFORE_PART = 0.12
"""This part of the drawn time lies before the first onset."""


def draw(
    blocks: Sequence[OutlineBlock],
    moments: Sequence[Moment],
    now: float,
    fits: Literal["wide", "narrow"],
) -> Drawing | None:
    """One row for each root with a known onset, the first to begin on top, and one for all moments.

    None where no onset is known.
    """
    dated = sorted(
        (
            _Dated(block.onset, number, block)
            for number, block in enumerate(blocks, 1)
            if block.onset is not None
        ),
        key=lambda root: root.onset,
    )
    if not dated:
        return None
    width = WIDE if fits == "wide" else NARROW
    first = dated[0].onset
    span = max(now - first, SHORTEST_S)
    scale = _Scale(first - span * BEFORE_PART, now, PAD, width - PAD)
    shapes: list[Shape] = []
    y = PAD + 14.0
    for root in dated:
        shapes += _root(root.number, root.block, root.onset, scale, y)
        y += ROW
    shapes += _ticks(moments, scale, y)
    shapes.append(Line(((PAD, y + 10), (width - PAD, y + 10))))
    shapes += _hours(scale, y + 26, 5 if fits == "wide" else 3)
    onsets = ", ".join(f"{root.block.id} since {time_of_day(root.onset)}" for root in dated)
    return Drawing(width, y + 36, tuple(shapes), f"Time line of causes: {onsets}.", fits)


class _Dated(msgspec.Struct, frozen=True):
    """A root whose onset is known, with its number in the report."""

    onset: float
    number: int
    block: OutlineBlock


def _ticks(moments: Sequence[Moment], scale: _Scale, y: float) -> Iterator[Line]:
    """One for each moment of the drawn time; moments that fall on one place share it."""
    recent = [moment for moment in moments if scale.began <= moment.at <= scale.ended]
    for x in dict.fromkeys(round(scale.x(moment.at), 1) for moment in recent[-MOST_TICKS:]):
        yield Line(((x, y), (x, y + 10)))


class _Scale:
    """The scale of the drawing: from a time to its position."""

    def __init__(self, began: float, ended: float, left_edge: float, right: float) -> None:
        self.began = began
        self.ended = ended
        self.left = left_edge
        self.right = right

    def x(self, at: float) -> float:
        """Times before the scale lie on its edge."""
        part = (at - self.began) / (self.ended - self.began)
        return self.left + (self.right - self.left) * min(max(part, 0.0), 1.0)


def _root(
    number: int, block: OutlineBlock, onset: float, scale: _Scale, y: float
) -> Iterator[Shape]:
    """A bar from the onset to now, with the root's number, id and subject above it."""
    x = scale.x(onset)
    words = clean(f"{block.id}  {block.subjects[0]}")
    fits_right = x + 24 + len(words) * MONO < scale.right
    room = (scale.right - x - 24 if fits_right else x - scale.left - 4) / MONO
    yield Box(
        x,
        y + 6,
        width=max(scale.right - x, 3),
        height=6,
        role="span",
        tone=tone(block.severity),
        radius=3,
    )
    yield Dot(x, y + 9, 9, tone(block.severity), label=str(number))
    if fits_right or room < 12:
        start = min(x + 14, scale.right - len(words) * MONO)
        yield Label(
            max(start, scale.left), y, middle(words, int((scale.right - scale.left) / MONO)), "name"
        )
    else:
        yield Label(x - 14, y + 13, middle(words, int(room)), "name", anchor="end")


def _hours(scale: _Scale, y: float, number: int) -> Iterator[Shape]:
    """Times of day below the axis, the last one under its end."""
    for at in range(number):
        moment = scale.began + (scale.ended - scale.began) * at / (number - 1)
        anchor: Literal["start", "middle", "end"] = "middle"
        if at == 0:
            anchor = "start"
        elif at == number - 1:
            anchor = "end"
        yield Label(scale.x(moment), y, time_of_day(moment), "note", anchor=anchor)
