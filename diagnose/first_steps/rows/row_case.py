"""A container and the known failure that its log shows, and the changes by the kind of remedy."""

import functools

import msgspec

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.model import PageVariables
from diagnose.programs.failures import Recognised


class RowCase(msgspec.Struct, frozen=True):
    """A container, and the known failure that its log shows."""

    container: Container
    failure: Recognised
    containers: Containers | None
    host_memory: int

    def mount_at(self, *folders: str) -> Mount | None:
        """The mount at the first of these folders of the container that is a mount; None for
        none."""
        by_folder = {
            mount.destination.rstrip("/"): mount for mount in reversed(self.container.mounts)
        }
        return next((by_folder[folder] for folder in folders if folder in by_folder), None)


@functools.singledispatch
def steps(remedy: object, _case: RowCase) -> PageVariables:
    """The page variables, by the kind of the remedy.

    Each kind is registered by its class, since reading 25 annotations takes 2 ms of each start.
    """
    raise TypeError(remedy)
