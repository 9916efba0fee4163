"""The list of checks, for the terminal, as JSON, and as the table of README."""

import json
from collections.abc import Mapping, Sequence
from typing import TextIO

from diagnose.model import Check, Json


def rows(
    checks: Sequence[Check], thresholds: Mapping[str, Mapping[str, float]]
) -> list[dict[str, Json]]:
    """One row for each check, with the thresholds in force."""
    return [_row(check, thresholds.get(check.id, {})) for check in checks]


def _row(check: Check, thresholds: Mapping[str, float]) -> dict[str, Json]:
    """The row of one check. thresholds: those that its user has set."""
    return {
        "id": check.id,
        "severity": str(check.severity),
        "title": check.title,
        "needs": [need.kind.__name__ + ("?" if need.optional else "") for need in check.needs],
        "thresholds": {
            threshold.name: {
                "value": thresholds.get(threshold.name, threshold.default),
                "default": threshold.default,
                "unit": threshold.unit,
            }
            for threshold in check.thresholds
        },
        "caused_by": list(check.caused_by),
    }


def _limits(row: Mapping[str, Json]) -> str:
    return ", ".join(
        f"{name} {value['value']:g} {value['unit']}".strip()
        for name, value in row["thresholds"].items()
    )


def render(
    checks: Sequence[Check],
    thresholds: Mapping[str, Mapping[str, float]],
    format_: str,
    stream: TextIO,
) -> None:
    """Write the list in one of the formats text, json, markdown."""
    shown_rows = rows(checks, thresholds)
    if format_ == "json":
        json.dump(shown_rows, stream, indent=1)
        stream.write("\n")
    elif format_ == "markdown":
        stream.write("| id | severity | what it finds |\n|---|---|---|\n")
        stream.writelines(
            f"| {row['id']} | {row['severity']} | {row['title'].rstrip('.')} |\n"
            for row in shown_rows
        )
    else:
        _text(shown_rows, stream)


def _text(shown_rows: Sequence[Mapping[str, Json]], stream: TextIO) -> None:
    """Print each check with its severity, title, needs and thresholds."""
    from rich.console import Console
    from rich.text import Text

    console = Console(file=stream, highlight=False, markup=False)
    for row in shown_rows:
        console.print(Text.assemble((row["id"], "bold"), f"  {row['severity']}"), soft_wrap=True)
        console.print(Text(f"    {row['title']}"), soft_wrap=True)
        console.print(Text(f"    needs {', '.join(row['needs'])}", "dim"), soft_wrap=True)
        if row["thresholds"]:
            console.print(Text(f"    thresholds {_limits(row)}", "dim"), soft_wrap=True)
