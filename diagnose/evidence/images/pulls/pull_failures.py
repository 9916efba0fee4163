"""The failed pull that a line of the daemon's log reports. Pure."""

import re

import msgspec

from diagnose.evidence.engine.log import LogLine
from diagnose.evidence.images.listing import registry_of
from diagnose.evidence.images.pulls.pull_errors import REGISTRY_WIDE, Why, classify
from diagnose.lazy_pattern import LazyPattern

HUB = frozenset({"registry-1.docker.io", "index.docker.io", "auth.docker.io", "docker.io"})
_HUB_LIMIT = "docker.com/increase-rate-limit"
"""In the text with which Docker Hub refuses a pull for its rate."""

_SIGNS = ("pull", "/images/create", "Download failed")
"""Words of which each line about a failed pull has one."""
_REFUSED_REQUEST = LazyPattern(
    r"Handler for POST \S*/images/create returned error: (.*)", re.DOTALL
)
_GIVEN_UP = LazyPattern(r"Not continuing with pull after error:? ?(.*)", re.DOTALL)
_TASK_FAILED = LazyPattern(r"pulling image failed:? ?(.*)", re.DOTALL)
_LAYER_FAILED = LazyPattern(r"(?P<whole>Download failed after \d+ attempts: .*)", re.DOTALL)
"""The failure of one layer of a pull; the others continue for a while."""
_NEXT_ENDPOINT = LazyPattern(r"Attempting next endpoint for pull after error: (.*)", re.DOTALL)
_NOT_FOUND = "fetch failed after status: 404 Not Found"
_IS_PLAIN_HTTP = LazyPattern(
    r"first record does not look like a TLS handshake|server gave HTTP response to HTTPS client"
)
"""The discovery that an insecure registry uses plain HTTP: no failure, as long as another endpoint
is tried."""

_URL = LazyPattern(
    r'(?:Get|Head|Post) \\?"?https?://(?P<host>[^/"\\]+)'
    r'(?:/v2/(?P<repository>[^"\\]*?)/(?:manifests|blobs)/(?P<tag>[^"\\]+))?'
)
"""Get "https://registry.example/v2/shop/web/manifests/1.4", as the engine asked for it."""
_NAMED = LazyPattern(
    r"pull access denied for ([^\s,]+)|manifest for (\S+) not found|repository (\S+) not found"
    r'|failed to resolve reference "([^"]+)"'
)
"""The image that was not pulled, at the place where each message names it."""


class PullFailure(msgspec.Struct, frozen=True):
    """A failed pull, as one line of the log reports it."""

    at: float
    why: Why
    text: str
    registry: str
    image: str
    """registry, image: Empty where the text does not name them."""
    final: bool
    """No other endpoint was tried."""
    task: str = ""
    """The id of the task of swarm that the pull was for."""


class PullTarget(msgspec.Struct, frozen=True):
    """The registry and the image that a text names; each is empty where it names none."""

    registry: str = ""
    image: str = ""


def failure(line: LogLine) -> PullFailure | None:
    """The failed pull that a line reports; None where it reports none.

    Engines 20.10 and 26.1 write the error behind a colon, 28.5 and 29.7 as a field. A missing or
    forbidden image is in a line of the level info on 20.10, and in "Not continuing" alone on
    28.5; both leave the image's name out more often than not.
    """
    if line.at is None:
        return None
    text = line.text
    if line.message == _NOT_FOUND:
        registry = _registry(line.fields.get("host", ""))
        return PullFailure(
            line.at, why="denied", text=text, registry=registry, image="", final=False
        )
    if not any(sign in text for sign in _SIGNS):
        return None
    of_task = _TASK_FAILED.search(text)
    ended = _REFUSED_REQUEST.search(text) or _GIVEN_UP.search(text) or of_task
    match = ended or _LAYER_FAILED.search(text)
    if match is None and not _IS_PLAIN_HTTP.search(text):
        match = _NEXT_ENDPOINT.search(text)
    if match is None:
        return None
    why = classify(match[1])
    if why is None:
        return None
    target = _target(match[1])
    is_of_registry = bool(target.registry) and why in REGISTRY_WIDE
    return PullFailure(
        line.at,
        why=why,
        text=match[1].strip(),
        registry=target.registry,
        image="" if is_of_registry else target.image,
        final=ended is not None,
        task=line.fields.get("task.id", "") if of_task else "",
    )


def given_up_registry(line: LogLine) -> str:
    """The registry of which the engine gives up an endpoint, and tries the next; "" for others."""
    tried = _NEXT_ENDPOINT.search(line.text)
    return _target(tried[1]).registry if tried else ""


def _target(text: str) -> PullTarget:
    match = _NAMED.search(text)
    if match:
        image = next(group for group in match.groups() if group)
        return PullTarget(registry_of(image), image)
    url = _URL.search(text)
    if url:
        return _target_of_url(url)
    return PullTarget("docker.io") if _HUB_LIMIT in text else PullTarget()


def _target_of_url(url: re.Match[str]) -> PullTarget:
    """The image in the form of `docker pull`: Docker Hub and its `library/` are left out."""
    registry = _registry(url["host"])
    repository = url["repository"]
    tag = url["tag"]
    if not repository:
        return PullTarget(registry)
    name = f"{registry}/{repository}"
    if registry == "docker.io":
        name = repository.removeprefix("library/")
    is_digest = ":" in tag
    return PullTarget(registry, f"{name}@{tag}" if is_digest else f"{name}:{tag}")


def _registry(host: str) -> str:
    return "docker.io" if host in HUB else host
