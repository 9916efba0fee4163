"""The port drivers by which RootlessKit forwards published ports of a rootless engine. Pure."""

from collections.abc import Iterator

from diagnose.evidence.machine.processes import Processes

OPTION = "--port-driver"
HIDES_CLIENTS = "builtin"
KEEPS_CLIENTS = "slirp4netns"
"""The usual driver calls the container itself, the other one passes on the client's own packets."""


def port_drivers(processes: Processes | None) -> set[str]:
    """The port drivers of the rootless engines that run; `none` is one that publishes nothing."""
    kits = (process.cmdline or [] for process in processes or () if process.comm == "rootlesskit")
    return {driver for words in kits for driver in _drivers_in(words)} - {"none"}


def _drivers_in(words: list[str]) -> Iterator[str]:
    """The values of `--port-driver` in a command line, behind the option or an equals sign."""
    for word, following in zip(words, [*words[1:], ""], strict=True):
        name, _, value = word.partition("=")
        if name == OPTION:
            yield value or following
