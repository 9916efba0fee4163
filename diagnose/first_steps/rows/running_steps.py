"""The page variables that a known failure's row gives for a program that still runs.

The row names the change (`diagnose/programs/failures/remedies.py`); here it is compared with the
container, its image, its networks and the containers around it. There are none where there is
nothing to change.
"""

import functools
import ipaddress
from collections.abc import Sequence

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.repeated_errors import RepeatedError, RepeatedErrors
from diagnose.evidence.containers.settings.changed_words import with_entry, with_value
from diagnose.evidence.images.listing import name_of
from diagnose.evidence.network.networks import Networks, is_within
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only
from diagnose.model import PageVariables
from diagnose.programs.failures import Recognised
from diagnose.programs.failures.remedies import (
    ChallengePort,
    ClientsNetwork,
    FromSample,
    HttpsRoute,
    ImageSetting,
    MoreTime,
    NewerBuild,
    NewKey,
    OfRunning,
    PlainHttp,
    SharedFolder,
    TrustedProxy,
)

_OF_SYSTEM = LazyPattern(r"/(?:dev|etc|lib|lib64|proc|run|sys|tmp|usr|var/run)(?:/|$)")
_HTTPS = 443
_MASTER = LazyPattern(r"Connecting to MASTER (\S+)")


class _RunningCase(msgspec.Struct, frozen=True):
    """A container, the known failure that it repeats, and the containers around it."""

    error: RepeatedError
    failure: Recognised
    containers: Containers | None
    networks: Networks | None

    @property
    def container(self) -> Container:
        return self.error.container

    @property
    def image(self) -> str:
        """The name of the image, in small letters."""
        return self.container.config.image.lower()


def running_steps(
    error: RepeatedError, containers: Containers | None, networks: Networks | None
) -> PageVariables:
    """The page variables that the row's own remedy fills; empty without one."""
    failure = error.failure
    if failure is None or not isinstance(failure.remedy, OfRunning):
        return {}
    return _steps(failure.remedy, _RunningCase(error, failure, containers, networks))


def cut_off_steps(replica: str, repeated_errors: RepeatedErrors) -> PageVariables:
    """The page variables of the replica of Redis that a program writes to, where its log reports
    that its master is gone.

    Empty where the master may answer: the program should write to that one.
    """
    for error in repeated_errors:
        is_cut_off = error.failure is not None and error.failure.name == "redis-master-gone"
        if error.container.name != replica or not is_cut_off:
            continue
        masters = [match[1] for match in filter(None, map(_MASTER.search, error.lines))]
        return {"cut_off": replica, "master": masters[-1] if masters else "another server"}
    return {}


@functools.singledispatch
def _steps(remedy: object, _case: _RunningCase) -> PageVariables:
    """The page variables, by the kind of the remedy."""
    raise TypeError(remedy)


@_steps.register(ChallengePort)
def _publish(remedy: ChallengePort, case: _RunningCase) -> PageVariables:
    """The page variables of the port that a certificate authority calls, where no container
    publishes it.

    The port of the program itself, or of the proxy for which it gets certificates.
    """
    container = case.container
    port = remedy.port
    running = case.containers.running if case.containers is not None else ()
    is_published = any(
        published.host_port == port for other in running for published in other.published_by("tcp")
    )
    is_own = port in container.declared_tcp_ports and bool(container.endpoints)
    server = container if is_own else _secure_server(running, port)
    if case.containers is None or is_published or server is None:
        return {remedy.variable: case.failure.filled(remedy.value)} if remedy.variable else {}
    return {"challenged": server.name, "challenge_port": f"{port}:{port}"}


def _secure_server(running: Sequence[Container], port: int) -> Container | None:
    """The only web server that publishes HTTPS and declares the port too. It may be a proxy whose
    certificates another container gets."""
    return only(
        [
            container
            for container in running
            if container.publishes(_HTTPS) and port in container.declared_tcp_ports
        ]
    )


@_steps.register(ClientsNetwork)
def _let_network_in(remedy: ClientsNetwork, case: _RunningCase) -> PageVariables:
    networks = _networks_around(case.failure.filled(remedy.address), case)
    return with_entry(case.container, remedy.variables, networks[0]) if networks else {}


@_steps.register(ImageSetting)
def _give_setting(remedy: ImageSetting, case: _RunningCase) -> PageVariables:
    """The page variables with the value, or with one more entry in the list that the variable has.

    Empty for another image.
    """
    container = case.container
    if not remedy.image.search(container.config.image):
        return {}
    value = case.failure.filled(remedy.value)
    if remedy.is_list and container.config.value_of(remedy.variable):
        return with_entry(container, [remedy.variable], value)
    return with_value(container, remedy.variable, value)


def _networks_around(address: str, case: _RunningCase) -> list[str]:
    """The subnets of the container's networks in which an address lies."""
    attached = case.networks.of(case.container) if case.networks is not None else []
    subnets = [subnet for network in attached for subnet in network.subnets]
    return [str(subnet) for subnet in subnets if is_within(address, subnet)]


@_steps.register(NewKey)
def _make_key(remedy: NewKey, case: _RunningCase) -> PageVariables:
    is_set = case.container.config.sets(remedy.variable)
    return {} if is_set else {"keyless": case.container.name}


@_steps.register(MoreTime)
def _give_time(remedy: MoreTime, case: _RunningCase) -> PageVariables:
    """The page variable that gives a server more time.

    Empty where the variable or its option is given: the option overrides the variable.
    """
    config = case.container.config
    is_given = config.sets(remedy.variable) or any(remedy.option in word for word in config.words)
    return {} if is_given else {"impatient": case.container.name}


@_steps.register(NewerBuild)
def _update(_remedy: NewerBuild, case: _RunningCase) -> PageVariables:
    """The page variable of the only other image of the same repository that a running container
    beside it has."""
    if case.containers is None:
        return {}
    container = case.container
    own_image = case.container.config.image
    neighbours = case.containers.beside(container)
    images = {other.config.image for other in neighbours if other.is_running} - {own_image}
    own_name = _name_before_tag(own_image)
    builds = [image for image in images if own_name and _name_before_tag(image) == own_name]
    newer = only(builds)
    return {"behind": container.name, "newer_image": newer} if newer else {}


def _name_before_tag(image: str) -> str:
    """The name of an image; "" where its reference has no tag, or a digest."""
    has_tag = ":" in image.rpartition("/")[2] and "@" not in image
    return name_of(image) if has_tag else ""


@_steps.register(HttpsRoute)
def _route(_remedy: HttpsRoute, case: _RunningCase) -> PageVariables:
    peers = [peer for _, peer in case.error.peers]
    return {"speaker": peers[0].name} if peers else {}


@_steps.register(PlainHttp)
def _unsecure(remedy: PlainHttp, case: _RunningCase) -> PageVariables:
    """The page variables that turn TLS off. Empty where others than containers reach the server."""
    container = case.container
    is_open = any(not port.is_for_host_alone for port in container.published_ports)
    if is_open or container.shares_host_network:
        return {}
    settings = [setting for image, setting in remedy.settings if image.search(case.image)]
    return {"insecure": settings[0]} if settings else {}


@_steps.register(SharedFolder)
def _share(_remedy: SharedFolder, case: _RunningCase) -> PageVariables:
    """The page variables of a shared folder.

    Empty where the program lacks several folders: the one with the scripts is not known.
    """
    address = case.failure.values.get("address")
    peer_there = only([peer for peer_at, peer in case.error.peers if peer_at == address])
    if peer_there is None:
        return {}
    lacking = [
        mount
        for mount in case.container.mounts
        if not _OF_SYSTEM.match(mount.destination)
        and peer_there.mount_at(mount.destination) is None
    ]
    mount = only(lacking)
    if mount is None:
        return {}
    source = mount.name if mount.volumes else mount.source
    at = mount.destination
    return {"scripts": peer_there.name, "scripts_at": at, "scripts_mount": f"{source}:{at}:ro"}


@_steps.register(FromSample)
def _take_sample(remedy: FromSample, case: _RunningCase) -> PageVariables:
    """The page variable of a file that has outlived its image. Empty where it is in no mount: the
    image's own file then is as new as the image."""
    is_kept = any(mount.rw and mount.holds(remedy.file) for mount in case.container.mounts)
    return {"sampled": remedy.file} if is_kept else {}


@_steps.register(TrustedProxy)
def _trust(remedy: TrustedProxy, case: _RunningCase) -> PageVariables:
    """The page variables with the network of the proxy; with its address alone where it is on none
    of the container's."""
    address = case.failure.values.get("address", "")
    folder = case.container.mount_at(remedy.folder)
    if folder is None or not remedy.image.search(case.image) or not _may_be_ours(address):
        return {}
    networks = _networks_around(address, case)
    return {
        "trusting": case.container.name,
        "trusting_file": f"{folder.source}/{remedy.file}",
        "trusted": networks[0] if networks else address,
    }


def _may_be_ours(address: str) -> bool:
    """Whether a proxy may have this address: clients from the internet set headers too."""
    try:
        return not ipaddress.ip_address(address).is_global
    except ValueError:
        return False
