"""Evidence that several files of this family share."""

from __future__ import annotations

from diagnose.model import Unavailable

OUT_OF_REACH = Unavailable("forbidden", "not root")
