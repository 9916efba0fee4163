"""Whether an application runs for the people who write it. Pure."""

from diagnose.evidence.containers.listing import Container
from diagnose.lazy_pattern import LazyPattern

_DEVELOPMENT = LazyPattern(
    r"(?i)^(?:\w{0,20}_)?ENV(?:IRONMENT)?=(?:dev|local|test)|^AUTH_TRUST_HOST=(?:1|true)$"
)
"""Variables by which an application runs for its developers, or takes the address of a request."""
_DEVELOPS = LazyPattern(
    r"\b(?:artisan\s+serve|flask\s+run|(?:next|nuxt|astro)\s+dev|nodemon|runserver|vite)\b"
    r"|\b(?:npm|pnpm|yarn)\s+(?:run\s+)?(?:dev|start:dev|serve)\b|--reload\b"
)
"""Commands of a developer."""


def is_for_developers(container: Container) -> bool:
    """Whether its command or a variable says so."""
    settings = (f"{name}={value}" for name, value in container.config.environment)
    is_set = any(_DEVELOPMENT.search(setting) for setting in settings)
    return is_set or _DEVELOPS.search(" ".join(container.config.words)) is not None
