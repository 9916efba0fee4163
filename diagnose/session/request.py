"""The user's request, refused where it cannot be carried out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from diagnose import config
from diagnose.judgement import selection
from diagnose.questions.run import Options

if TYPE_CHECKING:
    from diagnose.redact import Redactor


class InvalidRequestError(Exception):
    """The user's request cannot be carried out. The message is one clear sentence."""


def configuration(options: Options) -> config.Config:
    """Thresholds and silences in force. InvalidRequestError for a file that cannot be used."""
    try:
        return config.load(options.config)
    except config.ConfigError as error:
        raise InvalidRequestError(str(error)) from error


def redactor(configured: config.Config) -> Redactor:
    """The redactor of one run, with the rules of the configuration."""
    from diagnose.redact import Redactor

    return Redactor(own=configured.redaction)


def require_known(words: Sequence[str], names: Mapping[str, str] | None) -> None:
    """Refuse words of the user that name no container of the host.

    InvalidRequestError, also where a word may name several.

    names: of all containers by id; None where they are not known, so that nothing is refused.
    """
    if names is None:
        return
    for word in words:
        ids = selection.called(word, names)
        if not ids:
            import difflib

            similar_names = difflib.get_close_matches(word, names.values(), n=3)
            hint = f"; did you mean {selection.either(similar_names)}?" if similar_names else ""
            raise InvalidRequestError(f"there is no container {word!r} on this host{hint}")
        if len(ids) > 1:
            some = selection.either(sorted(ids)[:3])
            raise InvalidRequestError(
                f"the ids of {len(ids)} containers begin with {word!r}; did you mean {some}?"
            )
