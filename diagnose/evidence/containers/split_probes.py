"""Probes that are written as a list behind CMD-SHELL. Pure.

`[CMD-SHELL, curl, -f, http://localhost]` is `sh -c curl -f http://localhost` for the engine: the
shell runs `curl` without any argument. A list belongs behind CMD.
"""

import shlex
from collections.abc import Sequence

_OF_A_SHELL = frozenset({"||", "&&", "|", ";", ">", ">>", "2>&1", ">/dev/null", "2>/dev/null"})
"""Words that a shell reads as its own, and that are not quoted."""


def whole_command(test: Sequence[str]) -> str:
    """All words of a probe as one text for a shell; "" where its shell runs all of it anyway."""
    if list(test[:1]) != ["CMD-SHELL"] or len(test) < 3:
        return ""
    return " ".join(word if word in _OF_A_SHELL else shlex.quote(word) for word in test[1:])
