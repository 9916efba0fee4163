"""The README's section on cost is written by a program."""

from __future__ import annotations

from tests.bench import cost_section
from tests.bench.cost_section import IMPORTS, TOOL
from tests.bench.figures import Cost
from tests.readme import README

MEASURED = {
    size: {
        name: [Cost(wall=size / 1000, cpu=0.3, dockerd=0.06, peak=40 << 20)] * 3
        for name in (TOOL, "docker inspect", IMPORTS)
    }
    for size in (10, 1000)
}


def test_the_section_has_the_figures_and_not_the_imports_as_a_row() -> None:
    text = cost_section.section("2 cores, load average 0.1 when it began.\n", MEASURED)
    assert "Medians of 3 alternating runs" in text
    assert "load average 0.1" in text
    rows = [[cell.strip() for cell in row.split("|")[1:-1]] for row in text.splitlines()]
    assert ["10", TOOL, "10 ms", "300 ms", "60 ms", "40 MiB"] in rows
    assert [row[1] for row in rows if row[:1] == ["1000"]] == [TOOL, "docker inspect"]
    assert "300 to 300 ms are Python's imports" in text
    assert "0.6% of one core at 10 containers, 0.6% at 1,000." in text.replace("\n", " ")


def test_the_readme_has_one_such_section_and_keeps_the_rest() -> None:
    before = README.read_text()
    after = cost_section.written(before, "measured\n\n")
    begin, rest = after.split("## Cost\n\nmeasured\n\n## ")
    assert before.startswith(f"{begin}## Cost\n\n")
    assert before.endswith(f"\n\n## {rest}")
