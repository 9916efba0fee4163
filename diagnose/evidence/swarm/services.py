"""A swarm service beside its tasks, and the errors that keep tasks away. Pure."""

import functools
from collections import Counter
from collections.abc import Iterator

import msgspec

from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.swarm.constraints import UnmetConstraint, unmet_constraints
from diagnose.evidence.swarm.swarm import Node, Resources, Service, Swarm, Task
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only
from diagnose.questions.swarm_drivers import NodePlugin

TOO_LARGE = "insufficient resources"
PORT_TAKEN = "host-mode port already in use"
NO_NODE = "no suitable node"
NO_MATCH = "scheduling constraints"
NO_PLUGIN = "missing plugin"
_LASTING = (TOO_LARGE, NO_MATCH, NO_PLUGIN, "unsupported platform")
"""Reasons why no node can take a task, which do not go away while the swarm only starts."""
_REPEATED = 3
"""Minimum number of failed tasks that are not a slow start."""
_NO_SOURCE = LazyPattern(r"bind source path does not exist: (?P<path>/.+)$")
"""The error of Swarm, which creates no folder for a bind mount, as `docker run -v` does."""
_LABEL = LazyPattern(r"node\.labels\.(?P<name>[\w./-]+) *== *(?P<value>\S+)")
"""A constraint that a label of the node has to meet."""


class PlacedService(msgspec.Struct, frozen=True, dict=True):
    """A service of a swarm, with its tasks."""

    swarm: Swarm
    service: Service

    @functools.cached_property
    def tasks(self) -> list[Task]:
        return self.swarm.tasks_of(self.service)

    @property
    def lacks_tasks(self) -> bool:
        """Whether fewer tasks run than should; jobs should end."""
        return not self.service.is_job and self.service.lacks_tasks(self.tasks)

    @property
    def keeps_failing(self) -> bool:
        """Whether tasks failed repeatedly since the service was created or changed."""
        changed = self.service.changed_at or 0.0
        failed = [task for task in self.tasks if task.has_failed]
        return sum((task.changed_at or 0.0) > changed for task in failed) >= _REPEATED

    def is_refused_for_good(self, clock: Clock, seconds: float) -> bool:
        """Whether a task has waited for so long for a node that has room or the attributes.

        While an update replaces a task, the former one may still hold what the new one needs.
        """
        waiting = [task for task in self.tasks if task.is_waiting and _is_lasting(task.status.err)]
        has_waited = any(clock.has_passed(task.changed_at, seconds) for task in waiting)
        return has_waited and not self.is_updating

    @property
    def is_updating(self) -> bool:
        update = self.service.update_status
        return update is not None and update.state in ("updating", "rollback_started")

    @functools.cached_property
    def errors(self) -> list[str]:
        """The error texts of tasks, the most frequent first."""
        counts = Counter(task.status.err for task in self.tasks if task.status.err)
        return [error for error, _ in counts.most_common()]

    @functools.cached_property
    def obstacles(self) -> list[str]:
        """The errors that hold up the last update, the most frequent first.

        Errors of tasks that still wait, and of those that failed since, where they fail again and
        again: swarm keeps some tasks that ended long ago.
        """
        changed = self.service.changed_at or 0.0
        tasks = [task for task in self.tasks if task.is_waiting]
        if self.keeps_failing:
            tasks = [
                task for task in self.tasks if task.is_waiting or (task.changed_at or 0.0) > changed
            ]
        counts = Counter(task.status.err for task in tasks if task.status.err)
        return [error for error, _ in counts.most_common()]

    @property
    def blamed(self) -> list[str]:
        """The error of the task for which swarm paused the update."""
        update = self.service.update_status
        message = update.message if update is not None else ""
        named_tasks = (task for task in self.tasks if task.id and task.id in message)
        return [task.status.err for task in named_tasks if task.status.err]

    @property
    def waits_for_own_port(self) -> bool:
        """Whether a new task waits for a port of the node that a task of the service holds."""
        spec = self.service.spec
        return spec.starts_first and bool(spec.host_ports) and self.says(PORT_TAKEN)

    def says(self, words: str) -> bool:
        """Whether some task has these words in its error."""
        return any(words in error for error in self.errors)

    @property
    def missing_folder(self) -> str:
        """The folder for lack of which this node refuses the tasks; "" for another reason."""
        tasks_here = (task for task in self.tasks if task.node_id == self.swarm.node_id)
        matches = (_NO_SOURCE.search(task.status.err) for task in tasks_here if task.has_failed)
        folders = {match["path"] for match in matches if match}
        return only(folders) or ""

    @property
    def only_node(self) -> Node | None:
        """The one node that is up; None where there are several, or none."""
        up = [node for node in self.swarm.known_nodes if not node.is_down]
        return only(up)

    def lacking_label(self, node: Node) -> str:
        """The only label that the service requires and the node lacks: disk=ssd.

        "" where it lacks none, or several.
        """
        lacking = [label for label in self._wanted_labels() if label not in _labels(node)]
        return only(lacking) or ""

    @property
    def constraints(self) -> list[str]:
        """The constraints of the service, such as `node.role == worker`."""
        placement = self.service.spec.task_template.placement
        return (placement.constraints if placement is not None else None) or []

    @property
    def unmet(self) -> list[UnmetConstraint]:
        """The constraints that the only node that is up does not meet; [] where none is said to
        be unmet, or several nodes are up."""
        node = self.only_node
        is_asked = node is not None and self.says(NO_MATCH)
        return unmet_constraints(self.constraints, node) if node and is_asked else []

    @property
    def missing_drivers(self) -> list[NodePlugin]:
        """The drivers that the service asks for and no node that is up has."""
        up = [node for node in self.swarm.known_nodes if not node.is_down]
        engines = [node.description.engine for node in up]
        plugins = [plugin for engine in engines for plugin in (engine and engine.plugins) or ()]
        known_plugins = {(plugin.type, plugin.plain_name) for plugin in plugins}
        if not known_plugins or not self.says(NO_PLUGIN):
            return []
        drivers = self.service.spec.task_template.drivers
        return [
            driver for driver in drivers if (driver.type, driver.plain_name) not in known_plugins
        ]

    def _wanted_labels(self) -> Iterator[str]:
        """NAME=value of each label that the service's constraints ask for."""
        for text in self.constraints:
            match = _LABEL.fullmatch(text)
            if match:
                yield f"{match['name']}={match['value']}"

    @property
    def largest(self) -> Resources:
        """The most that any node of the swarm has in all."""
        owned = [node.description.resources or Resources() for node in self.swarm.known_nodes]
        return Resources(
            nano_cpus=max((node.nano_cpus for node in owned), default=0),
            memory_bytes=max((node.memory_bytes for node in owned), default=0),
        )

    def left_interface(self, interfaces: Interfaces | None) -> str:
        """The interface of a removed network, which keeps its number from the new one.

        The engine creates each VXLAN interface in the host's namespace under a name of its own and
        moves it at once; one that stays there is left from an engine that was killed meanwhile.
        Those of other programs have other names.
        """
        if not self.says("creating vxlan interface: file exists"):
            return ""
        vxlans = [interface.name for interface in interfaces or () if interface.kind == "vxlan"]
        vxlan_names = [name for name in vxlans if name.startswith("vx-")]
        return only(vxlan_names) or ""


def _is_lasting(error: str) -> bool:
    """Whether the scheduler's words name a lack that stays until somebody changes something."""
    return any(reason in error for reason in _LASTING)


def _labels(node: Node) -> set[str]:
    return {f"{name}={value}" for name, value in (node.spec.labels or {}).items()}
