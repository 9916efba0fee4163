"""What the checks of resources share."""

from __future__ import annotations

MIB = 1024 * 1024


EATERS = 5
