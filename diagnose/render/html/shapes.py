"""The shapes of drawings.

Plain values: a template writes them as SVG, so that every text is escaped there.
"""

from typing import Literal

import msgspec

MONO = 7.25
"""Width of a character of the drawings' monospaced font at 12 pixels (0.602 em), rounded up."""

Tone = Literal["calm", "quiet", "warning", "critical"]
"""How a shape is coloured: as usual, stepped back, or as the severity of a finding."""


class Shape(msgspec.Struct, frozen=True, tag_field="shape", tag=str.lower):
    """Anything that is drawn; the template asks `shape.kind`."""

    @property
    def kind(self) -> str:
        return type(self).__name__.lower()


class Box(Shape, frozen=True):
    """A rectangle with round corners."""

    x: float
    y: float
    width: float
    height: float
    role: str = "box"
    """What it stands for, a class of the style sheet."""
    tone: Tone = "calm"
    radius: float = 6


class Line(Shape, frozen=True):
    """A line through points."""

    points: tuple[tuple[float, float], ...]
    tone: Tone = "calm"
    dashed: bool = False
    """Drawn beside a way that is closed or not known."""

    @property
    def path(self) -> str:
        """The `d` attribute."""
        first, *rest = (f"{x:g} {y:g}" for x, y in self.points)
        return f"M{first}" + "".join(f"L{point}" for point in rest)


class Dot(Shape, frozen=True):
    """A small circle."""

    x: float
    y: float
    radius: float = 4
    tone: Tone = "calm"
    filled: bool = True
    """Whether what it stands for runs."""
    label: str = ""
    """A digit or two in it."""


class Cross(Shape, frozen=True):
    """The end of a broken way: a circle with a cross."""

    x: float
    y: float


class Label(Shape, frozen=True):
    """A line of text; x and y of its baseline."""

    x: float
    y: float
    text: str
    role: str = "name"
    """A class of the style sheet: "name", "note" or "title"."""
    tone: Tone = "calm"
    anchor: Literal["start", "middle", "end"] = "start"


class Drawing(msgspec.Struct, frozen=True):
    """Shapes on a canvas."""

    width: float
    height: float
    shapes: tuple[Shape, ...]
    summary: str
    """What a screen reader says of it."""
    fits: Literal["wide", "narrow"] = "wide"
    """For which screens: "wide" or "narrow"."""
