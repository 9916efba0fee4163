"""The differences between the host as it is and as it must be. Pure.

A difference is text for people and commands for a shell. It also edits recorded answers to what
they would be after the repair, so that the repair is judged before anybody runs it.
"""

import json
import posixpath
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import msgspec

from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.network.sysctl_files import SysctlSetting
from diagnose.model import Failed, Json
from diagnose.questions import Host
from diagnose.questions.files import ReadFile
from diagnose.questions.machine import ReadSysctls
from diagnose.questions.network import ListRoutes, LookUpRoutes, Route
from diagnose.questions.question import AnyQuestion
from diagnose.questions.service import ValidateConfig
from diagnose.redact import holds_token
from diagnose.repair.json_text import with_keys

_FORWARDING = re.compile(r"net\.ipv4\.(?:ip_forward|conf\.[^ ]+\.forwarding)")
_EVERYWHERE = ("net.ipv4.ip_forward", "net.ipv4.conf.all.forwarding")
UNCHANGED = Failed("not recorded", "it depends on what the repair changes")
"""The answer to a question that nobody can tell before the repair was made."""
Then = Literal["nothing", "reload", "restart"]
"""What the engine has to do before it knows a change of its file."""


class NoRepairError(Exception):
    """There is nothing to repair, or the repair is not known; one clear sentence."""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is other than it must be."""

    then: Then = "nothing"

    def lines(self) -> Iterator[str]:
        """The change in words."""
        raise NotImplementedError

    def commands(self) -> Iterator[str]:
        """The commands that make the change, for a POSIX shell."""
        raise NotImplementedError

    def undo(self) -> Iterator[str]:
        """The commands that undo the change."""
        raise NotImplementedError

    def edited(self, question: AnyQuestion, answer: Json) -> Json | Failed:
        """The answer as it would be after the change; the same where it would not differ."""
        raise NotImplementedError


class Setting(Difference, frozen=True):
    """A kernel setting."""

    name: str
    """As sysctl takes it, with dots or with slashes."""
    before: str
    after: str

    def lines(self) -> Iterator[str]:
        yield f"{self.name}: {self.before} becomes {self.after}, at once"

    def commands(self) -> Iterator[str]:
        yield f"sysctl -w {shlex.quote(f'{self.name}={self.after}')}"

    def undo(self) -> Iterator[str]:
        yield f"sysctl -w {shlex.quote(f'{self.name}={self.before}')}"

    def edited(self, question: AnyQuestion, answer: Json) -> Json | Failed:
        if not isinstance(question, ReadSysctls) or not isinstance(answer, dict):
            return answer
        return {name: self.after if self._sets(name) else value for name, value in answer.items()}

    def _sets(self, name: str) -> bool:
        """Whether the change sets this name: ip_forward sets the forwarding of each interface."""
        own_key = self.name.replace("/", ".")
        other = name.replace("/", ".")
        return own_key == other or (
            own_key in _EVERYWHERE and _FORWARDING.fullmatch(other) is not None
        )


class FileChange(Difference, frozen=True):
    """The text of a file."""

    path: str
    before: str | None
    """None where there is none yet."""
    after: str

    def lines(self) -> Iterator[str]:
        import difflib

        old = (self.before or "").splitlines()
        new = self.after.splitlines()
        yield f"{self.path}:"
        for line in list(difflib.unified_diff(old, new, n=1, lineterm=""))[2:]:
            yield f"  {line}"

    def commands(self) -> Iterator[str]:
        path = shlex.quote(self.path)
        lines = self.after.rstrip("\n")
        end = "DIAGNOSE" if "\nDIAGNOSE\n" not in f"\n{lines}\n" else "DIAGNOSE_END"
        if self.before is None:
            folder = shlex.quote(posixpath.dirname(self.path))
            yield f"mkdir -p {folder}"
        else:
            yield f"cp -a {path} {path}.before-$now"
        yield f"cat >{path} <<'{end}'\n{lines}\n{end}"

    def undo(self) -> Iterator[str]:
        path = shlex.quote(self.path)
        newest = f'"$(ls {path}.before-* | tail -n 1)"'
        yield f"rm {path}" if self.before is None else f"cp -a {newest} {path}"

    def edited(self, question: AnyQuestion, answer: Json) -> Json | Failed:
        if isinstance(question, ValidateConfig) and question.config == self.path:
            return UNCHANGED
        if not isinstance(question, ReadFile) or question.path != self.path:
            return answer
        old = answer if isinstance(answer, dict) else {}
        return {**old, "text": self.after, "size": len(self.after.encode())}


class RouteGone(Difference, frozen=True):
    """A route of the host that has to go."""

    route: Route
    device: str = ""
    """The name of its interface; empty if it has none."""

    @property
    def text(self) -> str:
        """The route as `ip route` takes it."""
        route = self.route
        kind = [] if route.type in (None, "unicast") else [str(route.type)]
        via = ["via", route.gateway] if route.gateway else []
        device = ["dev", self.device] if self.device else []
        metric = ["metric", str(route.metric)] if route.metric else []
        target = str(route.net) if route.prefix else "default"
        return shlex.join([*kind, target, *via, *device, *metric])

    def lines(self) -> Iterator[str]:
        yield f"route {self.text} is removed"

    def commands(self) -> Iterator[str]:
        yield f"ip route del {self.text}"

    def undo(self) -> Iterator[str]:
        yield f"ip route add {self.text}"

    def edited(self, question: AnyQuestion, answer: Json) -> Json | Failed:
        if isinstance(question, LookUpRoutes):
            return UNCHANGED
        if not isinstance(question, ListRoutes) or not isinstance(answer, list):
            return answer
        return [row for row in answer if msgspec.convert(row, Route) != self.route]


def setting(
    assignment: str, before: str, line: SysctlSetting | None, host: Host
) -> list[Difference]:
    """A kernel setting, and the line of the file that would take it back at the next boot.

    assignment: `name=value`. line: what sets it at boot, None where no file does.
    """
    name, _, value = assignment.partition("=")
    now = Setting(name, before, value)
    if line is None:
        return [now]
    answer = host.ask(ReadFile(line.file))
    if isinstance(answer, Failed):
        return [now]
    lines = answer.text.split("\n")
    head, _, _ = lines[line.line - 1].partition("=")
    lines[line.line - 1] = f"{head.rstrip()} = {value}"
    return [now, FileChange(line.file, answer.text, "\n".join(lines))]


def daemon_keys(
    config: DaemonConfig, changes: Mapping[str, Json | None], host: Host, then: Then = "restart"
) -> list[Difference]:
    """Keys of the engine's configuration file.

    changes: the new value by key, None for a key that has to go. NoRepairError where the file
    cannot be read.
    """
    if not config.exists:
        new_values = {key: value for key, value in changes.items() if value is not None}
        text = json.dumps(new_values, indent=2) + "\n"
        return [FileChange(config.path, None, text, then=then)]
    answer = host.ask(ReadFile(config.path))
    if isinstance(answer, Failed):
        raise NoRepairError(f"{config.path} cannot be read: {answer.detail or answer.reason}")
    if not config.text_ok:
        raise NoRepairError(f"{config.path} is not a JSON object: mend daemon.config-invalid first")
    return [FileChange(config.path, answer.text, with_keys(answer.text, changes), then=then)]


def secret_in(differences: Sequence[Difference]) -> str:
    """The path of a file that cannot be written again: its text holds a secret that was replaced.

    Empty if none does.
    """
    changes = [change for change in differences if isinstance(change, FileChange)]
    return next((change.path for change in changes if holds_token(change.after)), "")
