"""Reasons why no server of an HAProxy backend is up, by its configuration and nearby containers."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.network.addresses import is_address
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.evidence.network.proxies.haproxy_files import haproxy_file
from diagnose.evidence.network.proxies.pages.failed_answers import AllFailedAnswers
from diagnose.mappings import by_key
from diagnose.phrases import joined
from diagnose.questions import Host
from diagnose.registry import evidence


class BackendFaults(msgspec.Struct, frozen=True):
    """The reasons why the servers of a backend cannot be up, in words, by container id."""

    by_id: Mapping[str, str] = {}

    def of(self, container: Container) -> str:
        return self.by_id.get(container.id, "")


@evidence
def backend_faults(
    host: Host,
    all_failed_answers: AllFailedAnswers,
    containers: Containers,
    namespaces: Namespaces | None,
) -> BackendFaults:
    """The faults of HAProxy's backends, read only where HAProxy answers that no server is up."""
    faults_by_id = {}
    for failed in all_failed_answers:
        backend = failed.empty_backend
        if backend:
            servers = _servers(host, failed.container).get(backend, [])
            faults = list(_faults(failed.container, servers, containers, namespaces))
            if servers and len(faults) == len(servers):
                faults_by_id[failed.container.id] = joined(list(dict.fromkeys(faults)))
    return BackendFaults(faults_by_id)


def _servers(host: Host, proxy: Container) -> dict[str, list[str]]:
    """By backend, the places of its servers, of a configuration that is mounted."""
    file = haproxy_file(host, proxy, "backends")
    return by_key(_places(file.lines)) if file is not None else {}


def _places(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each backend with the place of one of its servers."""
    backend = ""
    for kind, *words in map(str.split, lines):
        if kind == "backend":
            backend = words[0]
        elif kind == "server":
            yield backend, words[1]


def _faults(
    proxy: Container, servers: Sequence[str], containers: Containers, namespaces: Namespaces | None
) -> Iterator[str]:
    """The fault of each server; nothing of one that may work, or is another machine."""
    for place in servers:
        name, _, port = place.rpartition(":")
        if not port.isdigit() or is_address(name) or "." in name:
            continue
        callees = containers.called_by(proxy, name)
        called = [container for container in callees if container.id != proxy.id]
        netns = namespaces.of(called[0]) if called and namespaces is not None else None
        if not called:
            yield f'no running container on its networks is called "{name}"'
        elif netns is not None and not netns.serves_others("tcp", int(port)):
            yield f"{called[0]} does not listen at port {port}"
