"""Empty folders of the host that hide an image's files, in containers that do not work."""

import re

import msgspec

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tails import suspicious
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.sockets.unserved_ports import UnservedPorts
from diagnose.evidence.run.options import Options
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key, only
from diagnose.model import Json, PageVariables
from diagnose.questions import Host
from diagnose.questions.files import ListFolder
from diagnose.registry import evidence

_OF_THE_IMAGE = LazyPattern(
    r"""
    /(?:
          [\w-]*conf(?:ig|igs|iguration)?(?:\.d|\.avail)?
        | etc | templates? | plugins? | modules? | themes? | certs? | ssl | static | html
        | public | dist | src | scripts? | bin | lib
      )/?$
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""Folders that an image fills, and that its program seldom creates itself. Data folders begin
empty."""
_WHOLE_CONFIG = frozenset({"/config"})
"""The folder to which images of linuxserver.io and others write their settings at the first start.
"""
MOST = 20


class EmptyMounts(msgspec.Struct, frozen=True):
    """The mounts with an empty folder on the host, by container id."""

    by_id: dict[str, tuple[Mount, ...]] = {}

    def of(self, container: Container) -> tuple[Mount, ...]:
        return self.by_id.get(container.id, ())

    def evidence_of(self, container: Container) -> dict[str, Json]:
        """The empty folder over a folder of the image, for each such mount, as evidence."""
        return {
            f"mounted at {mount.destination}": f"{mount.source}, an empty folder of the host, "
            "which hides what the image has there"
            for mount in self.of(container)
        }

    def variables_of(self, container: Container) -> PageVariables:
        """The variable of a page about the only mount that hides files; none for several."""
        mount = only(self.of(container))
        return {"hidden": mount.destination} if mount is not None else {}


@evidence
def empty_mounts(
    host: Host,
    containers: Containers,
    clock: Clock,
    options: Options,
    unserved: UnservedPorts | None,
) -> EmptyMounts:
    """The folders of the host that are mounted into containers that failed or serve nothing.

    A program that could write there would have filled its folder; one that is mounted read-only
    and is empty is of no use to anybody.
    """
    silent = unserved.silent if unserved is not None else frozenset()
    mounted = by_key(
        (mount.source, (container.id, mount))
        for container in containers
        if container.id in silent or suspicious(container, clock.wall, options.since_s)
        for mount in container.bind_mounts
        if _hides_files(mount)
    )
    listings = host.answers_about(
        host.first(list(mounted), MOST, "mounts that may be empty"), ListFolder
    )
    by_id = by_key(
        (id, mount)
        for source, listing in listings.items()
        if not listing.entries
        for id, mount in mounted[source]
    )
    return EmptyMounts({id: tuple(mounts) for id, mounts in by_id.items()})


def _hides_files(mount: Mount) -> bool:
    is_of_the_image = bool(_OF_THE_IMAGE.search(mount.destination))
    return mount.destination not in _WHOLE_CONFIG and (is_of_the_image or not mount.rw)
