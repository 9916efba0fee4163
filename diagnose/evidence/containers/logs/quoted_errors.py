"""Errors of a program that the web server before it quotes in its own log. Pure."""

from diagnose.evidence.containers.logs.repeated_errors import RepeatedError, RepeatedErrors

_FASTCGI = "FastCGI sent in stderr"
"""nginx's words before the output of the program behind it."""
_OF_PHP = "PHP message: "


def is_copy(error: RepeatedError, repeated_errors: RepeatedErrors) -> bool:
    """Whether a web server repeats what the program of PHP behind it prints itself.

    It quotes the message, and names that program at its end, which a trace may cut off.
    """
    line = error.line.whole
    if _FASTCGI not in line:
        return False
    peer_ids = {peer.id for _, peer in error.peers}
    quoted = line.partition(_OF_PHP)[2].partition('"')[0].partition(";")[0].strip()
    for other in repeated_errors:
        is_quoted = bool(quoted) and other is not error and quoted in other.line.whole
        if is_quoted or (other.container.id in peer_ids and _is_same(error, other)):
            return True
    return False


def _is_same(error: RepeatedError, other: RepeatedError) -> bool:
    """Whether both lines show the same known failure."""
    failure = error.failure
    others = other.failure
    return failure is not None and others is not None and failure.name == others.name
