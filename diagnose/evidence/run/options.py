"""The options of the user, as far as evidence depends on them."""

from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.run import Options, ReadOptions
from diagnose.registry import evidence

__all__ = ["Options", "options"]


@evidence
def options(host: Host) -> Options:
    """The defaults where a recording of another version holds none."""
    answer = host.ask(ReadOptions())
    return Options() if isinstance(answer, Failed) else answer
