"""Evidence that several files of this family share."""

from __future__ import annotations

from diagnose.evidence.machine.clock import Clock

NOW = 1_800_000_000.0


CLOCK = Clock(NOW, 0.0)
