"""What the checks of storage share."""

from __future__ import annotations

DAY_S = 86400.0
