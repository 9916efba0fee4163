"""Questions about the swarm: its nodes, services and tasks."""

from collections.abc import Sequence

import msgspec

from diagnose.model import Json
from diagnose.phrases import unix
from diagnose.questions.engine import Filters
from diagnose.questions.question import Question, engine_get
from diagnose.questions.swarm_drivers import NamedDriver, NodeEngine, NodePlugin, TaskMount


class Resources(msgspec.Struct, frozen=True, rename="pascal"):
    """The resources of a node, or a task's reservation of them. CPUs in billionths, memory in
    bytes."""

    nano_cpus: int = msgspec.field(name="NanoCPUs", default=0)
    memory_bytes: int = 0


class NodeDescription(msgspec.Struct, frozen=True, rename="pascal"):
    """The host name and resources that a node reports."""

    hostname: str = ""
    resources: Resources | None = None
    engine: NodeEngine | None = None


class NodeSpec(msgspec.Struct, frozen=True, rename="pascal"):
    """The settings of a node that a manager may change."""

    availability: str = ""
    labels: dict[str, str] | None = None


class NodeStatus(msgspec.Struct, frozen=True, rename="pascal"):
    """How a manager sees a node."""

    state: str = ""
    message: str = ""
    addr: str = ""


class ManagerStatus(msgspec.Struct, frozen=True, rename="pascal"):
    """A node's part among the managers."""


class Node(msgspec.Struct, frozen=True, rename="pascal"):
    """One node as a manager lists it. status.state: ready, down, disconnected, unknown."""

    id: str = msgspec.field(name="ID", default="")
    description: NodeDescription = NodeDescription()
    spec: NodeSpec = NodeSpec()
    status: NodeStatus = NodeStatus()
    manager_status: ManagerStatus | None = None

    @property
    def name(self) -> str:
        return self.description.hostname or self.id

    @property
    def is_down(self) -> bool:
        return self.status.state in ("down", "disconnected")

    @property
    def is_drained(self) -> bool:
        """Whether the node was taken out of service on purpose."""
        return self.spec.availability in ("drain", "pause")


class TaskRestartPolicy(msgspec.Struct, frozen=True, rename="pascal"):
    """After which ends a task is started again: none, on-failure or any."""

    condition: str = "any"


class TaskPlacement(msgspec.Struct, frozen=True, rename="pascal"):
    """The constraints on the nodes of a service's tasks."""

    constraints: list[str] | None = None
    """Such as `node.labels.disk==ssd`."""


class TaskResources(msgspec.Struct, frozen=True, rename="pascal"):
    """The resources reserved for each task. Limits do not decide about its node."""

    reservations: Resources | None = None


class TaskContainer(msgspec.Struct, frozen=True, rename="pascal"):
    """The container of a task."""

    image: str = ""
    """As the user gave it, with a digest where one was found."""
    mounts: list[TaskMount] | None = None


class TaskTemplate(msgspec.Struct, frozen=True, rename="pascal"):
    """The template of every task of a service."""

    restart_policy: TaskRestartPolicy | None = None
    placement: TaskPlacement | None = None
    resources: TaskResources | None = None
    container_spec: TaskContainer | None = None
    log_driver: NamedDriver | None = None

    @property
    def drivers(self) -> list[NodePlugin]:
        """The drivers that a node needs for its tasks."""
        log = self.log_driver.name if self.log_driver is not None else ""
        mounts = (self.container_spec and self.container_spec.mounts) or []
        drivers = [
            NodePlugin("Log", log),
            *(NodePlugin("Volume", mount.driver) for mount in mounts),
        ]
        return [driver for driver in drivers if driver.name]

    @property
    def image(self) -> str:
        """The image of its container without a digest; "" for another kind of task."""
        container = self.container_spec
        return container.image.partition("@")[0] if container is not None else ""


class ServicePort(msgspec.Struct, frozen=True, rename="pascal"):
    """A port of a service."""

    protocol: str = "tcp"
    published_port: int = 0
    publish_mode: str = "ingress"
    """ingress, or host for a port of the task's own node."""


class EndpointSpec(msgspec.Struct, frozen=True, rename="pascal"):
    """How a service can be reached."""

    ports: list[ServicePort] | None = None
    mode: str = ""
    """vip (also where empty) or dnsrr: whether the service has an address of its own."""


class UpdateConfig(msgspec.Struct, frozen=True, rename="pascal"):
    """How a service is updated."""

    order: str = ""
    """stop-first or start-first."""


class ServiceSpec(msgspec.Struct, frozen=True, rename="pascal"):
    """The service as its user specified it."""

    name: str = ""
    mode: dict[str, Json] | None = None
    task_template: TaskTemplate = TaskTemplate()
    endpoint_spec: EndpointSpec | None = None
    update_config: UpdateConfig | None = None

    @property
    def starts_first(self) -> bool:
        """Whether an update starts a new task before the old one ends."""
        return self.update_config is not None and self.update_config.order == "start-first"

    @property
    def image(self) -> str:
        """The image of its tasks without a digest; "" for a service of another kind."""
        return self.task_template.image

    @property
    def host_ports(self) -> set[tuple[str, int]]:
        """Protocol and number of the ports that each task takes on its own node."""
        ports = (self.endpoint_spec and self.endpoint_spec.ports) or []
        return {
            (port.protocol, port.published_port) for port in ports if port.publish_mode == "host"
        }

    @property
    def has_mesh_ports(self) -> bool:
        """Whether every node takes calls for it, and leads them through the network ingress."""
        ports = (self.endpoint_spec and self.endpoint_spec.ports) or []
        return any(port.publish_mode != "host" for port in ports)

    @property
    def reserved(self) -> Resources:
        """The resources reserved for each task."""
        resources = self.task_template.resources
        return (resources and resources.reservations) or Resources()


class ServiceStatus(msgspec.Struct, frozen=True, rename="pascal"):
    """How many tasks of a service run, and how many should."""

    running_tasks: int = 0
    desired_tasks: int = 0


class UpdateStatus(msgspec.Struct, frozen=True, rename="pascal"):
    """How the last update of a service goes."""

    state: str = ""
    """updating, paused, completed, rollback_started, rollback_paused, rollback_completed."""
    message: str = ""
    completed_at: str = ""

    @property
    def ended_at(self) -> float | None:
        """When it was completed or taken back, as Unix time."""
        return unix(self.completed_at)

    @property
    def is_held(self) -> bool:
        """Whether its last update failed, and was stopped there or taken back."""
        return self.state in ("paused", "rollback_started", "rollback_paused", "rollback_completed")


class Service(msgspec.Struct, frozen=True, rename="pascal"):
    """One service with its counts (`?status=true`, API 1.41 on)."""

    id: str = msgspec.field(name="ID", default="")
    spec: ServiceSpec = ServiceSpec()
    service_status: ServiceStatus | None = None
    previous_spec: ServiceSpec | None = None
    """What `docker service rollback` goes back to: swarm forgets it when it goes back by itself."""
    update_status: UpdateStatus | None = None
    created_at: str = ""
    updated_at: str = ""

    @property
    def is_job(self) -> bool:
        """Whether its tasks should end (modes ReplicatedJob and GlobalJob, API 1.41 on)."""
        return bool({"ReplicatedJob", "GlobalJob"} & set(self.spec.mode or ()))

    @property
    def may_complete(self) -> bool:
        """Whether a task that ended well is not started again."""
        policy = self.spec.task_template.restart_policy
        return policy is not None and policy.condition in ("none", "on-failure")

    @property
    def status(self) -> ServiceStatus:
        """Its counts; none where the engine does not give them."""
        return self.service_status or ServiceStatus()

    def lacks_tasks(self, tasks: "Sequence[Task]") -> bool:
        """Whether fewer of its tasks run than should.

        One that ended well, and is not to be started again, counts.
        """
        completed = (
            sum(task.status.state == "complete" for task in tasks) if self.may_complete else 0
        )
        return self.status.running_tasks + completed < self.status.desired_tasks

    @property
    def was_taken_back(self) -> bool:
        """Whether swarm itself has gone back to the former version, without a request."""
        update = self.update_status
        is_back = update is not None and update.state == "rollback_completed"
        return is_back and self.previous_spec is None

    @property
    def changed_at(self) -> float | None:
        return unix(self.updated_at) or unix(self.created_at)


class ContainerStatus(msgspec.Struct, frozen=True, rename="pascal"):
    """The container that a task has made."""

    container_id: str = msgspec.field(name="ContainerID", default="")


class TaskStatus(msgspec.Struct, frozen=True, rename="pascal"):
    """The last state of a task."""

    timestamp: str = ""
    state: str = ""
    err: str = ""
    container_status: ContainerStatus | None = None


class Task(msgspec.Struct, frozen=True, rename="pascal"):
    """One task.

    status.state: pending, preparing, running, failed, rejected, ...; status.err: the
    scheduler's or container's words.
    """

    id: str = msgspec.field(name="ID", default="")
    service_id: str = msgspec.field(name="ServiceID", default="")
    node_id: str = msgspec.field(name="NodeID", default="")
    desired_state: str = ""
    status: TaskStatus = TaskStatus()
    spec: TaskTemplate = TaskTemplate()

    @property
    def image(self) -> str:
        """The image of its container without a digest; "" for a task of another kind."""
        return self.spec.image

    @property
    def container_id(self) -> str:
        """The id of its container; "" where it has made none."""
        container_status = self.status.container_status
        return container_status.container_id if container_status is not None else ""

    @property
    def has_failed(self) -> bool:
        """Whether its node refused it, or its container ended with an error."""
        return self.status.state in ("rejected", "failed")

    @property
    def is_waiting(self) -> bool:
        """Whether it waits for a node that can take it."""
        return self.status.state in ("new", "pending") and self.desired_state != "shutdown"

    @property
    def changed_at(self) -> float | None:
        """When it came into its last state, as Unix time."""
        return unix(self.status.timestamp)


class ListNodes(Question[list[Node] | None], frozen=True):
    """/nodes."""

    POLICY = engine_get("api.nodes", "the nodes of the swarm", "/nodes", deadline=3, priority=5)
    filters: Filters | None = None


class ListServices(Question[list[Service] | None], frozen=True):
    """/services with ServiceStatus."""

    POLICY = engine_get(
        "api.services",
        "the services of the swarm",
        "/services",
        deadline=3,
        priority=5,
        parameters={"status": True},
    )
    filters: Filters | None = None


class ListTasks(Question[list[Task] | None], frozen=True):
    """/tasks."""

    POLICY = engine_get("api.tasks", "the tasks of the swarm", "/tasks", deadline=3, priority=5)
    filters: Filters | None = None


class OverlayTask(msgspec.Struct, frozen=True):
    """A task or container on an overlay network, and the node that it is on."""

    name: str = msgspec.field(name="Name", default="")
    address: str = msgspec.field(name="EndpointIP", default="")
    info: dict[str, Json] | None = msgspec.field(name="Info", default=None)

    @property
    def node(self) -> str:
        """The address of its node."""
        return str((self.info or {}).get("Host IP", ""))


class OverlayService(msgspec.Struct, frozen=True):
    """A service on an overlay network; the containers that belong to none have the name ""."""

    address: str = msgspec.field(name="VIP", default="")
    tasks: list[OverlayTask] | None = msgspec.field(name="Tasks", default=None)

    @property
    def all_tasks(self) -> tuple[OverlayTask, ...]:
        return tuple(self.tasks or ())


class OverlayNetwork(msgspec.Struct, frozen=True):
    """The services of an overlay network, as its nodes know them."""

    services: dict[str, OverlayService] | None = msgspec.field(name="Services", default=None)

    @property
    def all_services(self) -> tuple[tuple[str, OverlayService], ...]:
        return tuple((self.services or {}).items())


class InspectOverlay(Question[OverlayNetwork], frozen=True):
    """/networks/ID?verbose=true."""

    POLICY = engine_get(
        "api.overlay",
        "what nodes know of an overlay network",
        "/networks/{id}",
        deadline=3,
        priority=5,
        parameters={"verbose": True},
    )
    id: str
