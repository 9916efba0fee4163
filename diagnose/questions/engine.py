"""Questions to and about the engine as a whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from diagnose.model import Json
from diagnose.questions.question import Policy, Question

Filters = Mapping[str, Sequence[str]]
"""The API's own map of lists."""


class FindEndpoint(Question[Json], frozen=True):
    """Which endpoint the docker client would use."""

    POLICY = Policy("endpoint", "the engine's address", "engine.endpoint:endpoint", "local", "tool", 2, 0)


class FindLocality(Question[Json], frozen=True):
    """Whether the engine runs on this machine, and as which process."""

    POLICY = Policy(
        "locality", "whether the engine runs on this host", "engine.locality:locality", "local", "tool", 4, 0
    )


class PingEngine(Question[Json], frozen=True):
    """The headers of /_ping."""

    POLICY = Policy("api.ping", "the engine's answer to /_ping", "engine.api:ping", "probe", "engine", 2, 0)


class ReadInfo(Question[Json], frozen=True):
    """/info."""

    POLICY = Policy("api.info", "the engine's own description (docker info)", "engine.api:get", "api", "engine", 3, 2)


class ReadVersion(Question[Json], frozen=True):
    """/version."""

    POLICY = Policy("api.version", "the engine's version", "engine.api:get", "api", "engine", 3, 4)


class ListEvents(Question[Json], frozen=True):
    """/events of the last seconds. The engine keeps 256 events."""

    POLICY = Policy("api.events", "the engine's events", "engine.api:get", "api", "engine", 3, 2)
    since_s: float
    filters: Filters | None = None


class MeasureDiskUsage(Question[Json], frozen=True):
    """/system/df. An empty `type` asks for everything."""

    POLICY = Policy(
        "api.system_df", "the engine's disk usage (docker system df)", "engine.api:get", "last", "engine", 5, 9
    )
    type: Sequence[str] = ()


class ReadSwarm(Question[Json], frozen=True):
    """/swarm; 503 where this node is no manager."""

    POLICY = Policy("api.swarm", "the swarm", "engine.api:get", "api", "engine", 3, 5)


class ListNodes(Question[Json], frozen=True):
    """/nodes."""

    POLICY = Policy("api.nodes", "the nodes of the swarm", "engine.api:get", "api", "engine", 3, 5)
    filters: Filters | None = None


class ListServices(Question[Json], frozen=True):
    """/services with ServiceStatus."""

    POLICY = Policy("api.services", "the services of the swarm", "engine.api:get", "api", "engine", 3, 5)
    filters: Filters | None = None


class ListTasks(Question[Json], frozen=True):
    """/tasks."""

    POLICY = Policy("api.tasks", "the tasks of the swarm", "engine.api:get", "api", "engine", 3, 5)
    filters: Filters | None = None


class ReadUnit(Question[Json], frozen=True):
    """The properties of a systemd unit."""

    POLICY = Policy("unit", "the state of a systemd unit", "commands.systemd:unit", "probe", "host", 2, 3)
    name: str

    def about(self) -> str:
        return f"the systemd unit {self.name}"


class ReadJournal(Question[Json], frozen=True):
    """The newest lines of a unit's journal, oldest first."""

    POLICY = Policy("journal", "the journal", "commands.systemd:journal", "probe", "host", 3, 4)
    unit: str
    lines: int = 200

    def about(self) -> str:
        return f"the journal of {self.unit}"


class ValidateConfig(Question[Json], frozen=True):
    """dockerd's own judgement of a configuration file."""

    POLICY = Policy(
        "validate", "dockerd's check of its configuration", "commands.systemd:validate", "probe", "host", 3, 6
    )
    dockerd: str
    config: str
