"""What several of these scenarios use."""

from __future__ import annotations

from tests.lab import Box

LEFT = "container.data-left-behind"


def first_command(box: Box, check: str, name: str) -> str:
    """The first command that the report offers for a container."""
    findings = box.diagnose("check", check, "--format", "json").findings
    (finding,) = [item for item in findings if item["subject"]["name"] == name]
    return str(finding["fix"][0]["command"])
