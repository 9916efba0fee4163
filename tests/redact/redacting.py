"""What several tests of redaction use."""

from __future__ import annotations

KEY = b"a fixed key for tests" + b"\0" * 11
