"""Where the code of a web program lies in its container. Pure."""

from diagnose.evidence.containers.listing import Container

_ROOTS = ("/var/www/html", "/var/www", "/app", "/application", "/srv/app", "/code")
"""Where images of PHP have their code, beside the working directory and the mounts."""
MOST_ROOTS = 8


def code_folders(container: Container) -> list[str]:
    """Where the code of a container may lie: what its own settings name comes first."""
    mounted = (mount.destination for mount in container.mounts if mount.rw)
    places = (container.config.working_dir, *mounted, *_ROOTS)
    named = dict.fromkeys(path.rstrip("/") for path in places)
    return [path for path in named if path.startswith("/")][:MOST_ROOTS]
