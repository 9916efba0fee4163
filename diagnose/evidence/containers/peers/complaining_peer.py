"""The error in the log of the server that a failed program calls, at the same time. Pure."""

from collections.abc import Iterable, Sequence
from itertools import takewhile

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.repeated_errors import RepeatedError
from diagnose.evidence.network.calls.called_places import called_host
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key, only
from diagnose.phrases import shortened
from diagnose.programs.log_message import ERROR

SHOWN = 160
"""Characters of its line in a sentence."""
_KEY = LazyPattern(r"(?<![\w./-])[a-z][a-z0-9]*(?:\.[a-z0-9]+){2,8}(?![\w./-])")
"""A key of settings as Java's programs write it: transaction.state.log.replication.factor."""
_LEAST = 3
"""Minimum number of variables with one beginning from which on the image derives its settings from
them."""


class ComplainingPeer(msgspec.Struct, frozen=True):
    """A server that runs, and repeats an error of its own while its caller fails."""

    peer: Container
    line: str
    variable: str = ""
    """The variable that sets what the line names, and that is not set."""

    @property
    def clause(self) -> str:
        """The line of the peer, and the peer's unset variable to which the line refers."""
        unset = f" ({self.variable} of it is not set)" if self.variable else ""
        return f"{self.peer}, which it calls, says: {shortened(self.line, SHOWN)}{unset}"

    @property
    def evidence(self) -> dict[str, str]:
        return {f"log of {self.peer.name}": self.line}


def complaining_peer(
    callees: Sequence[Container], errors: Iterable[RepeatedError]
) -> ComplainingPeer | None:
    """The only callee that repeats an error which is not about its callers alone; or None."""
    ids = {callee.id for callee in callees if callee.is_running}
    errors_of_peers = [error for error in errors if error.container.id in ids]
    error = only(errors_of_peers)
    if error is None or (error.level or 0) < ERROR:
        return None
    return ComplainingPeer(error.container, error.line.whole, _unset_variable(error))


def _unset_variable(error: RepeatedError) -> str:
    """The variable for the key that the line names, as the other variables of the image are.

    The name of a host that the line calls has the form of a key too.
    """
    names = [name for name, _ in error.container.config.environment]
    groups = by_key((name.partition("_")[0], name) for name in names)
    text = error.line.whole
    keys = [key for key in _KEY.findall(text) if key != called_host(text)]
    for key in keys:
        for group in groups.values():
            # SCHEMA_REGISTRY_, and not SCHEMA_
            variable = "_".join([*_common_words(group), *key.upper().split(".")])
            if len(group) >= _LEAST and variable not in names:
                return variable
    return ""


def _common_words(names: Sequence[str]) -> list[str]:
    """The words with which all these names begin."""
    columns = zip(*(name.split("_") for name in names), strict=False)
    return [words[0] for words in takewhile(lambda words: len(set(words)) == 1, columns)]
