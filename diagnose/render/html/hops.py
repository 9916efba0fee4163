"""A drawing of one path: its hops from top to bottom, red from the hop that breaks it.

The packet of `--probe` is the last.
"""

import itertools
import textwrap
from typing import Literal

from diagnose.path.answer import PathAnswer
from diagnose.render.html.networks import NARROW, PAD, WIDE
from diagnose.render.html.shapes import MONO, Box, Cross, Dot, Drawing, Label, Line, Shape, Tone
from diagnose.render.words import clean

LEFT = 44
ROW = 18
GAP = 12
TRUNK = 22


def draw(answer: PathAnswer, fits: Literal["wide", "narrow"] = "wide") -> Drawing:
    """Each hop as a box on a line; the line ends at the hop that is broken."""
    width = WIDE if fits == "wide" else NARROW
    columns = int((width - PAD - LEFT - 24) / MONO)
    tones: dict[str, Tone] = {"ok": "calm", "unknown": "warning", "broken": "critical"}
    shapes: list[Shape] = []
    y = float(PAD)
    middles: list[float] = []
    packet = answer.path.packet
    hops = answer.path.hops if packet is None else (*answer.path.hops, packet.hop)
    for hop in hops:
        rows = textwrap.wrap(clean(hop.text), columns) or [""]
        height = 32 + ROW * len(rows)
        tone = tones[hop.state]
        shapes.append(Box(LEFT, y, width=width - PAD - LEFT, height=height, role="hop", tone=tone))
        shapes.append(Label(LEFT + 12, y + 19, clean(hop.place)[:columns], "title", tone))
        shapes += [
            Label(LEFT + 12, y + 38 + ROW * number, row, "note", tone)
            for number, row in enumerate(rows)
        ]
        middles.append(y + 16)
        shapes.append(
            Cross(TRUNK, y + 16) if hop.state == "broken" else Dot(TRUNK, y + 16, 5, tone)
        )
        y += height + GAP
    lines = [Line(((TRUNK, above), (TRUNK, below))) for above, below in itertools.pairwise(middles)]
    words = "; ".join(f"{hop.place}: {hop.text}" for hop in hops)
    return Drawing(
        width,
        y - GAP + PAD,
        (*lines, *shapes),
        f"Hops from {answer.path.begin} to {answer.path.end}. {words}",
        fits,
    )
