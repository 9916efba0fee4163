"""The units of thresholds and figures."""

from collections.abc import Mapping
from typing import NewType

Percent = NewType("Percent", float)
Seconds = NewType("Seconds", float)
Bytes = NewType("Bytes", int)
Count = NewType("Count", int)
UNITS: Mapping[str, str] = {"Percent": "%", "Seconds": "s", "Bytes": "bytes", "Count": ""}
"""The unit that `diagnose list` prints behind a threshold, by the name of its type."""
