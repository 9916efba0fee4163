"""Whether a seccomp filter looks at the system calls of a container."""

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.engine.info import Info

UNCONFINED = "unconfined"


def own_profile(container: Container) -> str:
    """The profile that it was created with: "builtin", "unconfined" or JSON; "" for none."""
    options = container.host_config.security_opt or ()
    profiles = (option.partition("=")[2] for option in options if option.startswith("seccomp"))
    return next(profiles, "")


def is_unfiltered(container: Container, info: Info | None) -> bool:
    """Whether certainly no filter is in force, by the container's options or the engine's."""
    profile = own_profile(container)
    if container.host_config.privileged or profile == UNCONFINED:
        return True
    if profile not in ("", "builtin") or info is None or info.security_options is None:
        return False
    return info.seccomp_profile in (None, UNCONFINED)
