"""What several tests of `--anonymize` use."""

from __future__ import annotations

KEY = b"a key for tests" + b"\0" * 17
