"""Possible folders of a web program's code in its container. Pure."""

from diagnose.evidence.containers.listing import Container

_ROOTS = ("/var/www/html", "/var/www", "/app", "/application", "/srv/app", "/code")
"""Folders of the code in images of PHP, besides the working directory and the mounts."""
MOST_ROOTS = 8


def code_folders(container: Container) -> list[str]:
    """Possible folders of a container's code: those that its own settings name come first."""
    mounted = (mount.destination for mount in container.mounts if mount.rw)
    places = (container.config.working_dir, *mounted, *_ROOTS)
    folders = dict.fromkeys(path.rstrip("/") for path in places)
    return [path for path in folders if path.startswith("/")][:MOST_ROOTS]
