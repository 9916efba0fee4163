"""The seam to the world: questions, their kinds, and what it takes to be a host.

A question is a kind and JSON arguments; an answer is a JSON value or `Failed`. Priority, cost, lane, scope and
deadline belong to the kind, so that no caller can ask without a limit. No question holds an absolute time, so that a
tape answers it too.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Literal, Protocol

import msgspec

from diagnose.model import Failed, Json

Lane = Literal["api", "local", "file", "netns", "probe", "last"]
"""Where a question is answered: api (one thread, several keep-alive connections), local (/proc, netlink: quick), file (the helper
process), netns (visits to other network namespaces), probe (a thread of its own: DNS, commands), last (one at a time, when all
else is answered: /system/df, walks)."""

Scope = Literal["tool", "engine", "host", "network"]
"""tool: about this process. engine: through the API. host: about the machine; Failed("remote") where the engine's is
another. network: the same, and about the tool's own network namespace."""


class Kind(msgspec.Struct, frozen=True):
    """A kind of question: its total deadline in seconds once it is being answered, and its priority (lower is asked
    first)."""

    name: str
    hand: str
    lane: Lane
    scope: Scope
    deadline: float
    priority: int = 5


def _kinds(*rows: Kind) -> dict[str, Kind]:
    return {row.name: row for row in rows}


KINDS = _kinds(
    # About this process. Hand: module in diagnose.live and function.
    Kind("now", "tool:now", "local", "tool", 1, 0),
    Kind("options", "options:options", "local", "tool", 1, 0),
    Kind("caller", "tool:caller", "local", "tool", 1, 0),
    Kind("endpoint", "engine.endpoint:endpoint", "local", "tool", 2, 0),
    Kind("locality", "engine.locality:locality", "local", "tool", 4, 0),
    # Through the API, GET only. Answers are decoded bodies; an HTTP error is Failed (404 gone, 403 forbidden, else
    # refused).
    Kind("api.ping", "engine.api:ping", "probe", "engine", 2, 0),
    Kind("api.containers", "engine.api:get", "api", "engine", 4, 1),
    Kind("api.container", "engine.api:get", "api", "engine", 2, 3),
    Kind("api.again", "engine.api:get", "api", "engine", 2, 3),
    Kind("api.recheck", "engine.api:get", "api", "engine", 2, 3),
    Kind("api.settled", "engine.api:settled", "probe", "engine", 4, 3),
    Kind("api.info", "engine.api:get", "api", "engine", 3, 2),
    Kind("api.version", "engine.api:get", "api", "engine", 3, 4),
    Kind("api.networks", "engine.api:get", "api", "engine", 3, 2),
    Kind("api.network", "engine.api:get", "api", "engine", 2, 3),
    Kind("api.images", "engine.api:get", "api", "engine", 3, 2),
    Kind("api.image", "engine.api:get", "api", "engine", 2, 4),
    Kind("api.image_history", "engine.api:get", "api", "engine", 2, 6),
    Kind("api.volumes", "engine.api:get", "api", "engine", 3, 2),
    Kind("api.events", "engine.api:get", "api", "engine", 3, 2),
    Kind("api.logs", "engine.api:get", "api", "engine", 2, 4),
    Kind("api.archive", "engine.api:get", "api", "engine", 2, 6),
    Kind("api.swarm", "engine.api:get", "api", "engine", 3, 5),
    Kind("api.nodes", "engine.api:get", "api", "engine", 3, 5),
    Kind("api.services", "engine.api:get", "api", "engine", 3, 5),
    Kind("api.tasks", "engine.api:get", "api", "engine", 3, 5),
    Kind("api.top", "engine.api:get", "probe", "engine", 3, 5),
    Kind("api.stats", "engine.api:get", "probe", "engine", 3, 6),
    Kind("api.system_df", "engine.api:get", "last", "engine", 5, 9),
    # Files, which may block in the kernel: asked of the helper process.
    Kind("file.read", "disk.files:read", "file", "host", 1.5, 3),
    Kind("file.stats", "disk.files:stats", "file", "host", 1.5, 3),
    Kind("file.list", "disk.files:list_folder", "file", "host", 1.5, 4),
    Kind("fs.usage", "disk.files:usage", "file", "host", 1.5, 2),
    Kind("fs.usages", "disk.files:usages", "file", "host", 1.5, 5),
    Kind("fs.layers", "disk.files:layers", "probe", "host", 2.5, 5),
    Kind("fs.rate", "disk.files:rate", "probe", "host", 3, 6),
    Kind("fs.walk", "disk.files:walk", "last", "host", 3, 9),
    # The host's own figures.
    Kind("uname", "kernel.proc:uname", "local", "tool", 1, 0),
    Kind("mounts", "kernel.proc:mounts", "local", "host", 1.5, 2),
    Kind("memory", "kernel.proc:memory", "local", "host", 1, 3),
    Kind("pressure", "kernel.proc:pressure", "local", "host", 1, 3),
    Kind("sysctl", "kernel.proc:sysctl", "local", "network", 1, 2),
    Kind("processes", "kernel.proc:processes", "local", "host", 2.5, 2),
    Kind("process", "kernel.proc:process", "local", "host", 1.5, 4),
    Kind("wakings", "kernel.proc:wakings", "probe", "host", 2, 4),
    Kind("cgroups", "kernel.cgroups:cgroups", "local", "host", 2, 3),
    Kind("cgroup_rates", "kernel.cgroups:rates", "probe", "host", 3, 4),
    Kind("listeners", "kernel.proc:listeners", "local", "network", 2, 3),
    Kind("deleted_files", "kernel.proc:deleted_files", "probe", "host", 2, 7),
    Kind("descriptors", "kernel.proc:descriptors", "probe", "host", 2, 7),
    Kind("open_under", "kernel.proc:open_under", "probe", "host", 1.5, 6),
    Kind("kernel.log", "kernel.kernel_log:records", "local", "host", 1.5, 3),
    Kind("journal", "commands.systemd:journal", "probe", "host", 3, 4),
    Kind("unit", "commands.systemd:unit", "probe", "host", 2, 3),
    Kind("validate", "commands.systemd:validate", "probe", "host", 3, 6),
    # The network, by netlink.
    Kind("net.links", "network.netlink:links", "local", "network", 2, 2),
    Kind("net.addresses", "network.netlink:addresses", "local", "network", 2, 2),
    Kind("net.routes", "network.netlink:routes", "local", "network", 2, 2),
    Kind("net.rules", "network.netlink:rules", "local", "network", 2, 4),
    Kind("net.ways", "network.netlink:ways", "local", "network", 2, 4),
    Kind("nftables", "network.nftables:nftables", "local", "network", 3, 3),
    Kind("iptables", "network.iptables:iptables_save", "probe", "network", 3, 3),
    Kind("ipset", "network.ipset:ipset", "local", "network", 2, 3),
    Kind("netns", "network.namespaces:visit", "netns", "host", 2, 4),
    Kind("dns.query", "network.dns:query", "probe", "network", 3.5, 1),
)
"""Every kind of question there is. `hand` names the function of `diagnose.live` that answers it."""


_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"))
"""Made once: a run on 1,000 containers writes some 2,500 questions."""

USUAL_BUDGET_S = 10.0


def patience(budget_s: float) -> float:
    """How much longer than usual each question may take in a run of this budget; never less than usual."""
    return max(1.0, budget_s / USUAL_BUDGET_S)


class Question(msgspec.Struct, frozen=True):
    """A kind and its arguments as canonical JSON text, so that equal questions are equal values."""

    kind: str
    arguments: str = "{}"

    @property
    def args(self) -> dict[str, Json]:
        try:
            decoded: dict[str, Json] = msgspec.json.decode(self.arguments)
        except msgspec.DecodeError:  # a name that is not UTF-8
            decoded = json.loads(self.arguments)
        return decoded

    @property
    def key(self) -> str:
        return self.kind if self.arguments == "{}" else f"{self.kind} {self.arguments}"


def question(kind: str, **args: Json) -> Question:
    """The question of this kind with these JSON arguments. KeyError if there is no such kind."""
    return Question(KINDS[kind].name, _CANONICAL.encode(args) if args else "{}")


class Hands(Protocol):
    """What answers the questions of a lane."""

    def serve(self, lane: Lane, pull: Callable[[], Question | None]) -> Iterator[tuple[Question, Json | Failed]]:
        """The answers to the questions that `pull` gives, in any order, until it gives None and all are answered."""
        ...


class Host(Protocol):
    """Whatever can be asked: a live host as it is recorded, or a tape of one."""

    def ask(self, question: Question) -> Json | Failed: ...

    def ask_many(self, questions: Iterable[Question]) -> Iterator[tuple[Question, Json | Failed]]:
        """The answers in any order, each as soon as it is there."""
        ...
