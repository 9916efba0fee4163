"""Whether an application runs for the people who write it. Pure."""

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.machine.processes import Processes
from diagnose.lazy_pattern import LazyPattern
from diagnose.word_sets import vocabulary

_DEVELOPMENT = LazyPattern(
    r"(?i)^(?:\w{0,20}_)?ENV(?:IRONMENT)?=(?:dev|local|test)|^AUTH_TRUST_HOST=(?:1|true)$"
)
"""Variables by which an application runs for its developers, or takes the address of a request."""
_DEVELOPS = LazyPattern(
    r"\b(?:artisan\s+serve|flask\s+run|(?:next|nuxt|astro)\s+dev|nodemon|runserver|vite)\b"
    r"|\b(?:npm|pnpm|yarn)\s+(?:run\s+)?(?:dev|start:dev|serve)\b|--reload\b"
)
"""Commands of a developer."""
_ON_A_DESK = vocabulary(
    "Hyprland SessionLeader Xorg Xwayland cinnamon gnome-shell kwin_wayland kwin_x11 plasmashell sway weston xfwm4"
)
"""A person sits before a machine that runs one of these; SessionLeader is of WSL."""


def is_for_developers(container: Container) -> bool:
    """Whether the command of a container, or a variable, is one of developers."""
    settings = (f"{name}={value}" for name, value in container.config.environment)
    is_set = any(_DEVELOPMENT.search(setting) for setting in settings)
    return is_set or _DEVELOPS.search(" ".join(container.config.words)) is not None


def is_on_a_desk(processes: Processes) -> bool:
    """Whether the host has a graphical session for a person in front of it."""
    return any(process.comm in _ON_A_DESK for process in processes.outside)
