"""The file that sets a kernel setting of the network at boot: sysctl.d(5)."""

from collections.abc import Iterable, Iterator

import msgspec

from diagnose.evidence.machine.drop_in_files import drop_in_paths
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.files import ReadFile
from diagnose.questions.machine import ReadSysctls
from diagnose.registry import evidence

_FOLDERS = (
    "/etc/sysctl.d",
    "/run/sysctl.d",
    "/usr/local/lib/sysctl.d",
    "/usr/lib/sysctl.d",
    "/lib/sysctl.d",
)
"""A file of the same name in an earlier folder replaces one in a later folder; files are read in
the order of their names."""
_LAST = "/etc/sysctl.conf"
"""Read last by procps' `sysctl --system`; systemd reads it by a link in /etc/sysctl.d."""

_SUSPECTS = {
    "net.ipv4.ip_forward": "0",
    "net.ipv6.conf.all.forwarding": "0",
    "net.bridge.bridge-nf-call-iptables": "0",
}
"""Settings that checks ask about, with the value that makes the files worth reading."""


class SysctlSetting(msgspec.Struct, frozen=True):
    """A line of a sysctl file."""

    name: str
    """Dotted, as sysctl prints it."""
    value: str
    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line} sets {self.name} = {self.value}"


class SysctlFiles(msgspec.Struct, frozen=True):
    """The lines that win when `sysctl --system` or systemd-sysctl runs."""

    settings: dict[str, SysctlSetting]
    """The last line that sets each name."""

    def __len__(self) -> int:
        return len(self.settings)

    def of(self, name: str, value: str | None = None) -> SysctlSetting | None:
        """The line that sets this name; with a value, only if it sets that one.

        A line for `conf.all.forwarding` counts for `net.ipv4.ip_forward`, which the kernel keeps
        equal.
        """
        names = (name, *_SAME.get(name, ()))
        settings = [self.settings[name] for name in names if name in self.settings]
        return next(
            (setting for setting in settings if value is None or setting.value == value), None
        )


_SAME = {
    "net.ipv4.ip_forward": ("net.ipv4.conf.all.forwarding",),
    "net.ipv4.conf.all.forwarding": ("net.ipv4.ip_forward",),
}


@evidence
def sysctl_files(host: Host) -> SysctlFiles:
    """The files are read only where a setting has a value that breaks containers.

    Everyone may read them.
    """
    answer = host.ask(ReadSysctls(list(_SUSPECTS)))
    values = {} if isinstance(answer, Failed) else answer
    if not any(values.get(name) == bad for name, bad in _SUSPECTS.items()):
        return SysctlFiles({})
    settings: dict[str, SysctlSetting] = {}
    for path, text in _read(host, [*drop_in_paths(host, _FOLDERS, ".conf"), _LAST]):
        for setting in parse(path, text):
            settings[setting.name] = setting
    return SysctlFiles(settings)


def _read(host: Host, paths: Iterable[str]) -> Iterator[tuple[str, str]]:
    questions = {ReadFile(path): path for path in paths}
    answers = dict(host.ask_many(questions))
    for question, path in questions.items():
        file = answers[question]
        if not isinstance(file, Failed):
            yield path, file.text


def parse(path: str, text: str) -> Iterator[SysctlSetting]:
    """The settings of one file. Names may use slashes; a leading `-` only silences errors."""
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if not stripped or stripped[0] in "#;" or "=" not in stripped:
            continue
        name, _, value = stripped.partition("=")
        dotted = _dotted_name(name.strip().removeprefix("-"))
        yield SysctlSetting(dotted, value.strip(), path, number)


def _dotted_name(name: str) -> str:
    """The name with dots between its parts.

    `net/ipv4/ip_forward` means the same as `net.ipv4.ip_forward`.
    """
    slash = name.find("/")
    dot = name.find(".")
    if slash >= 0 and (dot < 0 or slash < dot):
        return name.translate(str.maketrans("/.", "./"))
    return name
