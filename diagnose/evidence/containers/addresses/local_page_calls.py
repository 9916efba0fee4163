"""Pages whose code calls a port of their visitor's own machine.

    fetch("http://localhost:8000/orders")

The code runs in the browser: localhost is the machine of its user. On the host, or on the machine
where the page was written, all of it works.
"""

from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.addresses.local_addresses import way_of_visitors
from diagnose.evidence.containers.addresses.page_folders import served_folders
from diagnose.evidence.containers.inspect import Mount, host_mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.settings.developer_runs import is_for_developers, is_on_a_desk
from diagnose.evidence.images.listing import Images
from diagnose.evidence.items import Items
from diagnose.evidence.machine.processes import Processes
from diagnose.questions import Host
from diagnose.questions.built_pages import BuiltPages, PageCall, SearchBuiltPages
from diagnose.registry import evidence

MOST = 24
"""Containers whose folders are looked for pages."""
_MOST_SEARCHED = 12


class LocalPageCall(msgspec.Struct, frozen=True):
    """A page for visitors from elsewhere that calls their own machine."""

    container: Container
    call: PageCall
    """Its file is a path of the container."""
    callee: Container
    """The container of this host that has that port."""
    by: str
    """The names or the port by which visitors come."""

    @property
    def mount(self) -> Mount | None:
        """The mount that has the file; None in a layer of the image."""
        return host_mount(self.container.mounts, self.call.file)

    @property
    def port(self) -> int:
        return int(self.call.address.rpartition(":")[2])

    @property
    def is_open(self) -> bool:
        """Whether visitors reach the called port at the name by which they reach the page."""
        bindings = self.callee.published_by("tcp")
        return any(
            binding.host_port == self.port and not binding.is_for_host_alone for binding in bindings
        )


class LocalPageCalls(Items[LocalPageCall], frozen=True):
    """At most one for each container."""


@evidence
def local_page_calls(
    host: Host, containers: Containers, processes: Processes, images: Images | None
) -> LocalPageCalls:
    """The pages are searched of containers that other machines reach.

    A port of no container is left out: libraries name some that nobody calls. In an image that was
    pulled an address may be the default of a setting, as in the pages of Grafana: there only the
    arguments of calls count.
    """
    is_desk = is_on_a_desk(processes)
    ways = {
        container.id: way_of_visitors(container, is_desk=is_desk)
        for container in containers.running
        if container.state.pid and not is_for_developers(container)
    }
    visited = [container for container in containers.running if ways.get(container.id)]
    looked_at = host.first(visited, MOST, "containers with pages")
    folders = served_folders(host, looked_at)
    with_pages = [container for container in looked_at if container.id in folders]
    page_calls: list[LocalPageCall] = []
    for container in with_pages[:_MOST_SEARCHED]:
        calls = _calls(host, container, folders[container.id])
        if _is_pulled(container, images):
            calls = [call for call in calls if call.is_direct or _is_mounted(container, call)]
        page_calls += _first_call(container, calls, containers, ways[container.id])
    return LocalPageCalls(tuple(page_calls))


def _calls(host: Host, container: Container, folders: list[str]) -> list[PageCall]:
    question = SearchBuiltPages(f"/proc/{container.state.pid}/root", folders, [])
    return host.answer_or(question, BuiltPages()).calls


def _is_pulled(container: Container, images: Images | None) -> bool:
    """Whether an image is, or may be, that of somebody else."""
    image = images.of(container) if images is not None else None
    return image is None or bool(image.digests)


def _is_mounted(container: Container, call: PageCall) -> bool:
    return any(mount.holds(call.file) for mount in container.mounts)


def _first_call(
    container: Container, calls: list[PageCall], containers: Containers, visitors_way: str
) -> Iterator[LocalPageCall]:
    """The first call of a port that is one of this host's containers."""
    for call in calls:
        port = int(call.address.rpartition(":")[2])
        callee = _container_at(port, container, containers)
        if callee is not None:
            yield LocalPageCall(container, call, callee, visitors_way)
            return


def _is_of_another_project(container: Container, page: Container) -> bool:
    """Whether compose made both for different projects: the port is there by chance."""
    projects = {container.compose_project, page.compose_project} - {""}
    return len(projects) > 1


def _container_at(port: int, page: Container, containers: Containers) -> Container | None:
    """The container that has a port of the host, or that port inside beside the page."""
    for container in containers.running:
        if container.publishes(port) and not _is_of_another_project(container, page):
            return container
    candidates = (page, *containers.in_project_of(page))
    return next((member for member in candidates if port in member.declared_tcp_ports), None)
