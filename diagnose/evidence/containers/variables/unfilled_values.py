"""Variables that still have what stood in their place in a template: a placeholder or a comment.

    LLM_FALLBACK_PROVIDER=   # fallback provider if primary fails
    TELEGRAM_TOKEN=<your-token>
    DB_PASSWORD=${DB_PASSWORD}

An env file has these lines. Where nothing but spaces stands before a comment, Docker and compose
take the comment for the value, and Docker replaces no variable in a value.
"""

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.images import InspectImage
from diagnose.redact import holds_token
from diagnose.registry import evidence

MOST = 20
"""Containers whose images are asked for their own variables."""
_COMMENT = LazyPattern(r"[ \t]{0,40}#[ \t]{1,40}[A-Za-z(][^\n]{2,300}")
_PLACEHOLDER = LazyPattern(
    r"<(?!none>|nil>|null>|empty>|unset>|default>|auto>)[A-Za-z][\w .-]{2,60}>"
    r"|(?i:your)[-_][\w-]{2,60}[-_](?i:here)"
    r"|[xX]{6,80}"
)
"""<your-token>, your_api_key_here, xxxxxxxx."""
_REFERENCE = LazyPattern(r"\$\{([A-Z][A-Z0-9_]{1,60})\}")
"""A value that is a reference to another variable, and nothing else."""
_OF_ENGINE = frozenset({"HOME", "HOSTNAME", "PATH", "PWD", "TERM"})
"""Variables that each process of a container has: a program that reads references finds them."""
_OF_TEXTS = LazyPattern(
    r"(?i)(?:^|_)(?:BANNER|BODY|CONTENT|DESCRIPTION|FOOTER|FORMAT|GREETING|HEADER|MARKDOWN|MESSAGE"
    r"|MOTD|PATTERN|PROMPT|README|SCRIPT|SUBJECT|TEMPLATE|TEXT|TITLE)S?(?:_|$)"
)
"""Variables whose values are texts or templates."""
_OF_SETTINGS = LazyPattern(r"(?i)(?:^|_)(?:CHANNEL|COMMENT|CONF|CONFIG|DIRECTIVE|RULE|SNIPPET)S?$")
"""Variables whose values may be files of settings, which have comments, or channels of a chat."""


class UnfilledValue(msgspec.Struct, frozen=True):
    """A variable of a running container without a value of its own."""

    container: Container
    variable: str
    value: str

    @property
    def is_comment(self) -> bool:
        return self.value.lstrip().startswith("#")


class UnfilledValues(Items[UnfilledValue], frozen=True):
    """The unfilled values by container; only the first one of each."""


@evidence
def unfilled_values(host: Host, containers: Containers) -> UnfilledValues:
    """The variables whose whole value is a placeholder, a comment, or the name of a variable that
    the container lacks.

    What the image brings is its author's choice: start scripts replace it. The images of containers
    with such a value are asked for their variables.
    """
    candidates = [
        unfilled
        for container in containers.running
        for name, value in container.config.environment
        if _is_unfilled(container, name, value)
        for unfilled in [UnfilledValue(container, name, value)]
    ]
    first_of = {unfilled.container.id: unfilled for unfilled in reversed(candidates)}
    listed = host.first(
        [unfilled for unfilled in candidates if first_of[unfilled.container.id] is unfilled],
        MOST,
        "containers with placeholders in their variables",
    )
    return UnfilledValues(
        tuple(unfilled for unfilled in listed if not _is_of_image(host, unfilled))
    )


def _is_unfilled(container: Container, name: str, value: str) -> bool:
    if holds_token(value) or _OF_TEXTS.search(name) is not None:
        return False
    reference = _REFERENCE.fullmatch(value)
    if reference is not None:
        is_there = reference[1] in _OF_ENGINE or container.config.sets(reference[1])
        return reference[1] == name or not is_there
    if _COMMENT.fullmatch(value) is not None:
        return _OF_SETTINGS.search(name) is None
    return _PLACEHOLDER.fullmatch(value) is not None


def _is_of_image(host: Host, unfilled: UnfilledValue) -> bool:
    """Whether the image has the variable with that value; True where nobody could look."""
    image = host.ask(InspectImage(unfilled.container.image))
    return isinstance(image, Failed) or f"{unfilled.variable}={unfilled.value}" in image.env
