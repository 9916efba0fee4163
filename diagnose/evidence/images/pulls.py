"""Pulls that failed and were not made good since.

What the daemon's log says of them, held against its events.
"""

from __future__ import annotations

import bisect
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

import msgspec
from msgspec.structs import replace

from diagnose.evidence.containers.events import Events
from diagnose.evidence.engine.log import DaemonLog, LogLine
from diagnose.evidence.images.listing import Images, normal, registry_of
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.run.options import Options
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import DAEMON, Subject, Unavailable
from diagnose.registry import evidence

Why = Literal[
    "altered", "no-space", "ids", "depth", "rate-limit", "proxy", "plain-http", "tls", "platform", "denied",
    "corrupt", "unreachable", "web-page", "format", "unpack"
]  # fmt: skip

PATTERNS: dict[Why, LazyPattern] = {
    "no-space": LazyPattern(r"no space left on device|disk quota exceeded"),
    "ids": LazyPattern(
        r"[Cc]ontainer ID \d+ cannot be mapped to a host ID|lchown \S+: invalid argument"
    ),
    "depth": LazyPattern(r"max depth exceeded|too many layers"),
    "rate-limit": LazyPattern(
        r"toomanyrequests|429 Too Many Requests|pull rate limit|HTTP 429 response body",
        re.IGNORECASE,
    ),
    # a bare status behind the URL is what the proxy said to CONNECT: a registry's own comes with
    # other words
    "proxy": LazyPattern(
        r"proxyconnect|Proxy Authentication Required|\b407\b"
        r"|\bhttps://\S+: [A-Z][a-z]+( [A-Za-z]+)*$"
    ),
    "plain-http": LazyPattern(r"server gave HTTP response to HTTPS client"),
    "tls": LazyPattern(r"x509:|\btls: |remote error: tls"),
    "platform": LazyPattern(
        r"no matching manifest for|does not match the (specified|detected) (host )?platform"
        r"|no match for platform in manifest"
        r"|operating system \S+ cannot be used on this platform"
    ),
    "format": LazyPattern(
        r"schema 1\b|manifest\.v1\+prettyjws|missing signature key"
        r"|unsupported (?:layer )?media ?type|docker\.plugin\.v\d"
    ),
    # the layer is whole, and the host does not let the engine write it
    "unpack": LazyPattern(
        r"failed to register layer.{0,999}(?:operation not (?:permitted|supported)|permission denied"
        r"|input/output error|signal: killed|read-only file ?system|cross-device link"
        r"|processing tar file[^:]{0,300}: unexpected EOF|invalid tar header|rename \S{1,300}/write-set-\S{1,99} )",
        re.DOTALL,
    ),
    "corrupt": LazyPattern(
        r"failed to register layer|layer does not exist"
        r"|content digest \S+ not found"
    ),
    # what arrives is not what the manifest promises; nothing of it is kept
    "altered": LazyPattern(
        r"filesystem layer verification failed|unexpected commit (?:digest|size)"
        r"|failed size validation|unexpected EOF|(?:flate: corrupt input|gzip: invalid)"
    ),
    # a registry answers in JSON; a status of overload or of a gateway says more than the page
    "web-page": LazyPattern(
        r"^(?!.*HTTP (?:408|429|5\d\d) ).*"
        r"(?:invalid character '<' looking for beginning of value|: <(?:!doctype )?html\b)",
        re.IGNORECASE | re.DOTALL,
    ),
    "denied": LazyPattern(
        r"pull access denied|unauthorized|authentication required|denied:|no basic auth credentials"
        r"|manifest unknown"
        r"|manifest for \S+ not found|name unknown|401 Unauthorized|403 Forbidden"
        r"|insufficient_scope|: not found$"
        r"|HTTP 40[134] response body|unexpected status .*: 40[134] ",
        re.IGNORECASE,
    ),
    "unreachable": LazyPattern(
        r"dial tcp|dial udp|no such host|i/o timeout|connection refused|connection reset"
        r"|network is unreachable|no route to host"
        r"|Client\.Timeout|deadline exceeded|TLS handshake timeout|unexpected HTTP status: 5\d\d"
        r"|unexpected status .*: 5\d\d |: EOF$"
        r"|HTTP (408|5\d\d) response body"
    ),
}
"""In this order: what comes first is nearer to the cause (a proxy that is dialled without success
is no unreachable registry)."""

_HANDLER = LazyPattern(r"Handler for POST \S*/images/create returned error: (.*)", re.DOTALL)
_ENDED = LazyPattern(r"Not continuing with pull after error:? ?(.*)", re.DOTALL)
_NEXT = LazyPattern(r"Attempting next endpoint for pull after error: (.*)", re.DOTALL)
_TASK = LazyPattern(r"pulling image failed:? ?(.*)", re.DOTALL)
_LACKS = LazyPattern(r"fatal task error: No such image: (\S+)")
_FETCH = "fetch failed after status: 404 Not Found"
_PROBE = LazyPattern(
    r"first record does not look like a TLS handshake|server gave HTTP response to HTTPS client"
)
"""How the engine finds out that an insecure registry speaks plain HTTP: no failure, as long as
another endpoint is tried."""
REGISTRY_WIDE: frozenset[Why] = frozenset(
    {"rate-limit", "proxy", "plain-http", "tls", "unreachable", "web-page"}
)
"""Kinds of failure that are the same for every image of a registry."""
_URL = LazyPattern(
    r'(?:Get|Head|Post) \\?"?https?://([^/"\\]+)(?:/v2/([^"\\]*?)/(?:manifests|blobs)/([^"\\]+))?'
)
_NAMED = LazyPattern(
    r"pull access denied for ([^\s,]+)|manifest for (\S+) not found|repository (\S+) not found"
    r'|failed to resolve reference "([^"]+)"'
)
HUB = frozenset({"registry-1.docker.io", "index.docker.io", "auth.docker.io", "docker.io"})
SAME_FAILURE_S = 0.1
"""One failed pull leaves up to three lines within milliseconds."""
SAME_ATTEMPT_S = 0.5
"""The engine asks a registry over HTTPS first; what follows this soon is of the same registry."""
SAME_PULL_S = 60.0
"""After a mirror or an endpoint failed the engine tries the next one: a pull that ends well so soon
is the same pull."""


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


class PullTrouble(msgspec.Struct, frozen=True):
    """All failures of one kind with one registry or image."""

    why: Why
    registry: str
    image: str
    count: int
    first: float
    last: float
    """first, last: Unix times."""
    text: str
    """The text of the last failure."""
    of_swarm: bool = False
    """Whether some of the pulls were for tasks of swarm."""

    @property
    def subject(self) -> Subject:
        """The image if the daemon named it, which it often does not."""
        return Subject("image", self.image) if self.image else DAEMON

    @property
    def what(self) -> str:
        """The image or the registry with its kind and quoted name."""
        if self.image:
            return f'image "{self.image}"'
        if self.registry:
            return f'images of registry "{self.registry}"'
        return "an image (the log does not name it)"


class Pulls(msgspec.Struct, frozen=True):
    """The troubles that nothing has made good, by kind; where the log was found."""

    troubles: tuple[PullTrouble, ...]
    source: str

    def of(self, why: Why) -> tuple[PullTrouble, ...]:
        return tuple(trouble for trouble in self.troubles if trouble.why == why)


def classify(text: str) -> Why | None:
    """The kind of a pull's failure by its text; None for one that was cancelled or is not known."""
    return next((why for why, pattern in PATTERNS.items() if pattern.search(text)), None)


def failure(line: LogLine) -> PullFailure | None:
    """The failed pull that a line mentions, if it does.

    Engines 20.10 and 26.1 write the error behind a colon, 28.5 and 29.7 as a field. A missing or
    forbidden image is in a line of the level info on 20.10, and in "Not continuing" alone on
    28.5; both leave the image's name out more often than not.
    """
    if line.at is None:
        return None
    text = line.text
    if line.message == _FETCH:
        host = _registry_host(line.fields.get("host", ""))
        return PullFailure(line.at, why="denied", text=text, registry=host, image="", final=False)
    of_task = _TASK.search(text)
    ended = _HANDLER.search(text) or _ENDED.search(text) or of_task
    match = ended or (None if _PROBE.search(text) else _NEXT.search(text))
    why = classify(match[1]) if match is not None else None
    if match is None or why is None:
        return None
    registry, image = _names(match[1])
    if registry and why in REGISTRY_WIDE:
        image = ""
    task = line.fields.get("task.id", "") if of_task else ""
    return PullFailure(
        line.at,
        why=why,
        text=match[1].strip(),
        registry=registry,
        image=image,
        final=ended is not None,
        task=task,
    )


def _registry_host(host: str) -> str:
    return "docker.io" if host in HUB else host


def _names(text: str) -> tuple[str, str]:
    match = _NAMED.search(text)
    if match:
        image = next(group for group in match.groups() if group)
        return registry_of(image), image
    url = _URL.search(text)
    if url:
        registry = "docker.io" if url[1] in HUB else url[1]
        if not url[2]:
            return registry, ""
        name, tag = f"{registry}/{url[2]}", url[3]
        if registry == "docker.io":
            name = url[2].removeprefix("library/")
        is_digest = ":" in tag
        return registry, f"{name}@{tag}" if is_digest else f"{name}:{tag}"
    return ("docker.io" if "docker.com/increase-rate-limit" in text else ""), ""


def _made_good(
    pull: PullFailure, pulled: Iterable[tuple[float, str]], images: Images | Unavailable
) -> bool:
    """Whether a later pull shows that this is over.

    Of the same image, of its registry, or of any if neither is known.
    """
    if isinstance(images, Images) and pull.image and images.has(pull.image):
        return True
    for at, name in pulled:
        if at < pull.at:
            continue
        if not pull.final and at - pull.at < SAME_PULL_S:
            return True
        if pull.image:
            if normal(name) == normal(pull.image):
                return True
        elif not pull.registry or registry_of(name) == pull.registry:
            return True
    return False


def troubles(
    lines: Iterable[LogLine], pulled: Iterable[tuple[float, str]], images: Images | Unavailable
) -> Iterator[PullTrouble]:
    """Failures that nothing made good, together by kind, registry and image.

    pulled: (Unix time, reference) of each pull done.
    """
    listed = list(lines)
    done = tuple(pulled)
    lacking = _lacking(listed)
    groups: dict[tuple[Why, str, str], list[PullFailure]] = {}
    failures = _named([failed_pull for line in listed if (failed_pull := failure(line))])
    for failed in _of_registries(failures, _asked(listed)):
        if failed.task:
            # swarm tries a pull at each start of a task, and accepts the image that is here
            if failed.task not in lacking:
                continue
            image = lacking[failed.task]
            if failed.why == "denied":
                failed = replace(failed, registry=registry_of(image), image=image)
        if not _made_good(failed, done, images):
            groups.setdefault((failed.why, failed.registry, failed.image), []).append(failed)
    for (why, registry, image), same in sorted(groups.items()):
        yield PullTrouble(
            why,
            registry=registry,
            image=image,
            count=_times(same),
            first=same[0].at,
            last=same[-1].at,
            text=same[-1].text,
            of_swarm=any(failed.task for failed in same),
        )


def _named(failures: Sequence[PullFailure]) -> list[PullFailure]:
    """The failures, each with its image or task.

    Those that name neither get both from the line that follows on the same pull.
    """
    troubles: list[PullFailure] = []
    named_failures = []
    for failed in reversed(failures):
        if failed.image or failed.task:
            troubles.append(failed)
        elif same := _same(failed, reversed(troubles)):
            failed = replace(failed, registry=same.registry, image=same.image, task=same.task)
        named_failures.append(failed)
    return named_failures[::-1]


def _asked(lines: Iterable[LogLine]) -> list[tuple[float, str]]:
    """When the engine gave up an endpoint of a registry, and tried the next one."""
    troubles: list[tuple[float, str]] = []
    for line in lines:
        tried = _NEXT.search(line.text)
        registry = _names(tried[1])[0] if tried else ""
        if registry and line.at is not None:
            troubles.append((line.at, registry))
    return sorted(troubles)


def _of_registries(
    failures: Iterable[PullFailure], asked: Sequence[tuple[float, str]]
) -> Iterator[PullFailure]:
    """The failures, each with its registry, as far as one was asked a moment before.

    Of two pulls at a time the log does not say which one failed.
    """
    times = [at for at, _ in asked]
    for failed in failures:
        first = bisect.bisect_left(times, failed.at - SAME_ATTEMPT_S)
        registries = {name for _, name in asked[first : bisect.bisect_right(times, failed.at)]}
        if failed.registry or failed.image or failed.task or len(registries) != 1:
            yield failed
        else:
            yield replace(failed, registry=registries.pop())


def _same(pull: PullFailure, later: Iterable[PullFailure]) -> PullFailure | None:
    """The next line on the same failure.

    Of the same registry where that is known, else in the same words.
    """
    for after in later:
        if after.at - pull.at > SAME_FAILURE_S:
            break
        if after.why == pull.why and (
            after.registry == pull.registry if pull.registry else pull.text in after.text
        ):
            return after
    return None


def _lacking(lines: Iterable[LogLine]) -> dict[str, str]:
    """The image that was not here when a task of swarm was to start, by the task's id."""
    matches = ((line.fields.get("task.id", ""), _LACKS.search(line.text)) for line in lines)
    return {task: match[1] for task, match in matches if task and match}


def _times(listed: list[PullFailure]) -> int:
    return 1 + sum(
        later.at - sooner.at > SAME_FAILURE_S for sooner, later in itertools.pairwise(listed)
    )


def _pulled(events: Events | Unavailable) -> Iterator[tuple[float, str]]:
    """What was pulled, and when.

    An event's id is the whole reference; its attribute `name` has no tag (seen on engines
    20.10.24 and 28.5.2).
    """
    for event in events if isinstance(events, Events) else ():
        if event.type == "image" and event.action == "pull":
            yield event.at, event.id


@evidence
def pulls(
    log: DaemonLog,
    clock: Clock,
    options: Options,
    events: Events | Unavailable,
    images: Images | Unavailable,
) -> Pulls | Unavailable:
    """From the log alone: nothing is ever pulled, and no registry asked, to find out."""
    recent = log.since(clock.wall - options.since_s)
    return Pulls(tuple(troubles(recent, _pulled(events), images)), log.source)
