"""The state of a container: its settings, runs, published ports and networks."""

from __future__ import annotations

import functools
import posixpath
import re
from collections.abc import Iterator

from diagnose.evidence.containers.inspect import Mount, NetworkEndpoint, Ports
from diagnose.evidence.containers.inspected_container import InspectedContainer
from diagnose.evidence.containers.port_binding import PortBinding
from diagnose.file_paths import is_within
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import distinct
from diagnose.model import ContainerRun, Subject
from diagnose.numbers import is_number
from diagnose.phrases import unix

LONGEST_COMM = 15
"""Characters of a program's name that the kernel keeps."""
_NO_LOG_RECEIVER = LazyPattern(
    r"failed to initialize logging driver: (?!.{0,999}(?: - 40[13]|PermissionDenied|Unauthenticated))"
    r".{0,999}(?:\bdial |connect)"
)
"""The error of engines 20.10.24, 26.1.5 and 28.5.2. A driver that refuses its options has another
text behind the colon, and so has a receiver that refuses the driver."""
_MONITOR = LazyPattern(
    r"""
    (?:^|[/_-])(?:
          blackbox[-_]exporter | check[-_]?mk | gatus | icinga2? | kener | librenms
        | nagios | peekaping | smokeping | statping | uptime-kuma
        | zabbix-(?:proxy|server)
      )[^/]*$
    """,
    re.VERBOSE,
)
"""Images of programs that call machines and sites to see whether they answer."""
COMMAND_SHOWN = 120
"""Characters of a command in evidence."""
_WITHOUT_NAMES = frozenset(
    {"", "default", "bridge", "host", "none", "ns", "pasta", "private", "slirp4netns"}
)
"""Network modes of both engines in which /etc/resolv.conf names servers of the host."""


class Container(InspectedContainer, frozen=True):
    """A container, with predicates for checks.

    The fields, which are keys of `docker inspect`, are those of `InspectedContainer`.
    """

    @property
    def run(self) -> ContainerRun:
        """The present run; a finding that compares two sources holds only for that run."""
        return ContainerRun(self.id, self.state.pid, self.state.started_at)

    @property
    def caller_runs(self) -> tuple[ContainerRun, ...]:
        """The present run, for a finding about its calls; empty where it may be between two runs.

        The configured targets of its calls stay the same in its next run.
        """
        return (self.run,) if self.is_running and self.restart_count == 0 else ()

    @functools.cached_property
    def is_running(self) -> bool:
        """Whether its first process lives (a restarting container has none)."""
        return self.state.status in ("running", "paused") and self.state.pid > 0

    @property
    def writes_to_its_log(self) -> bool:
        """Whether a running container keeps writing to its log: the log of an ended one is past."""
        return self.state.status in ("running", "paused", "restarting")

    @property
    def is_unhealthy(self) -> bool:
        """Whether its health is unhealthy; for an ended container, at its end."""
        return self.state.health is not None and self.state.health.status == "unhealthy"

    @property
    def is_healthy(self) -> bool:
        """Whether it has a health check, which finds nothing wrong."""
        return self.state.health is not None and self.state.health.status == "healthy"

    @property
    def is_unwell(self) -> bool:
        """Whether it was restarted after a failure, or fails its health check."""
        return self.restart_count > 0 or self.is_unhealthy

    @property
    def watches_others(self) -> bool:
        """Whether its program is a monitor, which reports programs that do not answer."""
        return _MONITOR.search(self.config.image.lower()) is not None

    @functools.cached_property
    def start_failed(self) -> bool:
        """Whether the last start of the container never came to run.

        Created, or exited since an earlier run, with the engine's own error.
        """
        failed = self.state.exit_code != 0 and bool(self.state.error)
        return self.state.status in ("created", "exited") and failed

    @property
    def never_ran(self) -> bool:
        return self.state.status == "created" and self.started_at is None

    @property
    def lacks_log_receiver(self) -> bool:
        """Whether its start was refused because the receiver of its log driver did not answer."""
        return not self.is_running and bool(_NO_LOG_RECEIVER.search(self.state.error))

    @functools.cached_property
    def created_at(self) -> float | None:
        return unix(self.created)

    @property
    def mounts(self) -> tuple[Mount, ...]:
        return self.raw_mounts or ()

    def mount_at(self, destination: str) -> Mount | None:
        """The mount whose destination is exactly this path; None without one."""
        places = (mount for mount in self.mounts if mount.destination == destination)
        return next(places, None)

    @property
    def bind_mounts(self) -> list[Mount]:
        """The mounts of host paths; volumes are left out."""
        return [mount for mount in self.mounts if mount.type == "bind"]

    @property
    def writable_host_mounts(self) -> list[Mount]:
        """The writable mounts of host paths, volumes included."""
        return [mount for mount in self.mounts if mount.rw and mount.has_host_path]

    @property
    def commands_engine(self) -> bool:
        """Whether it has the engine's socket."""
        return any(mount.destination.endswith("/docker.sock") for mount in self.mounts)

    @property
    def mended_image(self) -> str:
        """A name for a derived image that fixes a fault of the present one."""
        return f"{'-'.join(re.findall('[a-z0-9]+', self.name.lower()))}:mended"

    @property
    def layer_folder(self) -> str:
        """The host folder of the writable layer; "" under containerd's snapshotter."""
        data = (self.graph_driver.data if self.graph_driver else None) or {}
        return data.get("UpperDir") or data.get("Dir") or ""

    @functools.cached_property
    def started_at(self) -> float | None:
        return unix(self.state.started_at)

    @functools.cached_property
    def finished_at(self) -> float | None:
        return unix(self.state.finished_at)

    def wrote_in_this_run(self, at: float) -> bool:
        """Whether its log line of this Unix time is of its last run.

        The end of the previous run divides them; the engine notes a start only after the program
        has begun to write.
        """
        ended = self.finished_at
        return ended is None or at > ended

    @property
    def failed_first(self) -> float | None:
        """When its first run failed.

        None after restarts, for the last end of a loop tells nothing of its begin.
        """
        return self.finished_at if self.restart_count == 0 else None

    @property
    def ran_for(self) -> float | None:
        """Seconds from the last start to the last exit.

        A short run may end before it began by the engine's clock: 0 then.
        """
        started = self.started_at
        finished = self.finished_at
        return None if started is None or finished is None else max(0.0, finished - started)

    def shared_networks(self, other: Container) -> set[str]:
        """The names of the networks that both are on."""
        return self.endpoints.keys() & other.endpoints.keys()

    @property
    def command(self) -> list[str]:
        """Path and arguments of the first process."""
        return [self.path, *(self.args or [])] if self.path else []

    @property
    def shown_command(self) -> str:
        """The command as evidence shows it: its first characters."""
        return " ".join(self.command)[:COMMAND_SHOWN]

    @property
    def program(self) -> str:
        """The name of the first process's program, without its folder."""
        return posixpath.basename(self.path)

    @property
    def process_names(self) -> set[str]:
        """The names that the kernel may give to its program: those of the files in its command."""
        return {posixpath.basename(word)[:LONGEST_COMM] for word in self.command[:4]}

    @property
    def restarts_always(self) -> bool:
        """Whether the engine starts it again after a failure."""
        return self.host_config.restart_policy.name in ("always", "unless-stopped", "on-failure")

    @property
    def stays_down(self) -> bool:
        """Whether a restart of the engine does not bring it back.

        on-failure starts nothing that ended well.
        """
        ended_well = (
            self.host_config.restart_policy.name == "on-failure" and self.state.exit_code == 0
        )
        return ended_well or not self.restarts_always

    @property
    def was_watched(self) -> bool:
        """Whether it ran in the foreground, where a person saw its end.

        Services of compose do not count.
        """
        return self.config.attach_stdout and not self.service

    @property
    def endpoints(self) -> dict[str, NetworkEndpoint]:
        return self.network_settings.networks or {}

    @property
    def is_shut_in(self) -> bool:
        """Whether no network of a running container has a gateway, as with `--internal`."""
        return bool(self.endpoints) and not any(
            endpoint.gateway or endpoint.ipv6_gateway for endpoint in self.endpoints.values()
        )

    @property
    def addresses(self) -> set[str]:
        """Its addresses on its networks, of both families."""
        return {address for end in self.endpoints.values() for address in end.addresses}

    @property
    def ipv4_addresses(self) -> set[str]:
        """Its addresses on its networks; "" is among them where a network gave it none."""
        return {endpoint.ip_address for endpoint in self.endpoints.values()}

    @property
    def has_ipv4(self) -> bool:
        """Whether it has an IPv4 address on any of its networks."""
        return any(endpoint.ip_address for endpoint in self.endpoints.values())

    @property
    def has_ipv6(self) -> bool:
        """Whether it has an IPv6 address on any of its networks."""
        return any(endpoint.global_ipv6_address for endpoint in self.endpoints.values())

    @functools.cached_property
    def dns_names(self) -> frozenset[str]:
        """The names by which containers on its networks can call it.

        Its own, its service's, its aliases.
        """
        names = {self.name, self.compose_service}
        for endpoint in self.endpoints.values():
            names |= {*(endpoint.aliases or ()), *(endpoint.dns_names or ())}
        return frozenset(names - {""})

    @property
    def offered_ports(self) -> frozenset[str]:
        """The TCP ports that its image exposes or that are published, by their numbers."""
        published = {binding.port for binding in self.wanted_ports}
        ports = published.union(self.config.exposed_ports or ())
        return frozenset(port.partition("/")[0] for port in ports if not port.endswith("/udp"))

    @property
    def extra_names(self) -> frozenset[str]:
        """The configured names with an address in its own hosts file."""
        entries = self.host_config.extra_hosts or ()
        return frozenset(entry.replace("=", ":", 1).partition(":")[0] for entry in entries)

    @property
    def linked_names(self) -> frozenset[str]:
        """The names that links (`--link other:name`) give an address, at its start or later."""
        links = [*(self.host_config.links or ())]
        for endpoint in self.endpoints.values():
            links += endpoint.links or ()
        return frozenset(posixpath.basename(link.rpartition(":")[2]) for link in links)

    @property
    def network_subjects(self) -> tuple[Subject, ...]:
        """The networks that it is attached to."""
        return tuple(Subject("network", name) for name in self.endpoints)

    @property
    def shares_host_network(self) -> bool:
        return self.host_config.network_mode == "host"

    @property
    def has_engine_names(self) -> bool:
        """Whether it was created for a network on which Docker resolves names of containers."""
        mode = self.host_config.network_mode
        return mode not in _WITHOUT_NAMES and ":" not in mode

    @property
    def joins_network_of_other(self) -> bool:
        """Whether it has the network namespace of another container (`--network container:`)."""
        return self.host_config.network_mode.startswith("container:")

    @property
    def shares_network(self) -> bool:
        """Whether its network namespace is that of the host or of another container."""
        return self.shares_host_network or self.joins_network_of_other

    @property
    def has_own_kernel(self) -> bool:
        """Whether its sockets are inside a sandbox (gVisor, Kata) and not the host kernel's."""
        return any(word in self.host_config.runtime for word in ("runsc", "gvisor", "kata"))

    @property
    def may_route_itself(self) -> bool:
        """Whether it was given the right to change its routes and rules, as VPN clients are.

        What becomes of its packets tells nothing about its neighbours.
        """
        return bool({"NET_ADMIN", "ALL"} & self.host_config.added_capabilities)

    @functools.cached_property
    def wanted_ports(self) -> tuple[PortBinding, ...]:
        """Ports that were asked to be published, also for a container that failed to start."""
        return _bindings(self.host_config.port_bindings)

    @functools.cached_property
    def published_ports(self) -> tuple[PortBinding, ...]:
        """Ports that are published now."""
        return _bindings(self.network_settings.ports)

    def published_by(self, protocol: str) -> Iterator[PortBinding]:
        """The ports that are published now, by a protocol."""
        for published in self.published_ports:
            if published.protocol == protocol and published.host_port:
                yield published

    def publishes(self, port: int) -> bool:
        """Whether this TCP port of the host is published to it now."""
        return any(published.host_port == port for published in self.published_by("tcp"))

    def wants_port(self, port: int) -> bool:
        """Whether its settings publish it at this port of the host, running or not."""
        return any(binding.host_port == port for binding in self.wanted_ports)

    def mounts_from(self, *sources: str) -> bool:
        """Whether one of these paths of the host is mounted in it."""
        return any(mount.source in sources for mount in self.mounts)

    def may_write_on_host(self, path: str) -> bool:
        """Whether a mount that it may write to holds this path of the host."""
        writable_mounts = (mount for mount in self.mounts if mount.rw and mount.has_host_path)
        return any(is_within(path, mount.source) for mount in writable_mounts)

    def mounts_volume(self, name: str) -> bool:
        """Whether a volume of this name is mounted in it."""
        return any(mount.type == "volume" and mount.name == name for mount in self.mounts)

    @property
    def declared_tcp_ports(self) -> tuple[int, ...]:
        """The ports that its image or its options declare (EXPOSE), published or not."""
        declared = (port.partition("/") for port in self.config.exposed_ports or {})
        numbers = (number for number, _, protocol in declared if protocol in ("", "tcp"))
        return tuple(sorted(int(number) for number in numbers if is_number(number)))

    @property
    def published_tcp_ports(self) -> tuple[int, ...]:
        """Its own TCP ports that are published now, each once."""
        published = [port for port in self.published_ports if port.protocol == "tcp"]
        return distinct(port.number for port in published)

    @property
    def published_names(self) -> list[str]:
        """Its own ports that are published now, as Docker writes them: 80/tcp; sorted."""
        return sorted({published.port for published in self.published_ports})


def _bindings(ports: Ports | None) -> tuple[PortBinding, ...]:
    return tuple(
        PortBinding(port, binding)
        for port, bindings in (ports or {}).items()
        for binding in bindings or ()
    )
