"""Limits for uploads that contradict each other: of an nginx, and of the program behind it.

The lower one counts. nginx refuses a body of more than 1 MB unless its settings say otherwise, and
PHP takes no file of more than 2 MB.
"""

from collections.abc import Iterator, Sequence

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.settings.php_limits import (
    PhpLimit,
    PhpLimits,
    php_limits,
    size_of,
)
from diagnose.evidence.items import Items
from diagnose.evidence.machine.processes import Processes
from diagnose.evidence.network.proxies.nginx.configurations import NginxConfigurations
from diagnose.evidence.network.proxies.nginx.hops import GIVES_SETTINGS, NginxHop
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.images import InspectImage
from diagnose.registry import evidence

MOST = 12
"""Containers with PHP whose settings are read."""
OF_NGINX = "client_max_body_size"
_DEFAULT = "1m"
_OF_PROGRAM = LazyPattern(
    r"(?:^|_)(?:UPLOADS?|BODY|ATTACHMENTS?|PAYLOAD|POST_MAX)(?:_\w{1,40})?_?(?:SIZE|FILESIZE|LIMIT|BYTES|MB)$"
    r"|(?:^|_)MAX_(?:\w{1,20}_)?(?:UPLOAD|BODY|ATTACHMENT|PAYLOAD)$"
)
"""PHP_UPLOAD_LIMIT, MAX_UPLOAD_SIZE, BODY_SIZE_LIMIT, ATTACHMENT_MAX_SIZE_MB."""
_OF_ANOTHER_SIZE = LazyPattern(
    r"(?:^|_)(?:RATE|SPEED|BANDWIDTH|TIME|CHUNKS?|COUNT|LOG|CACHE|FREE|BATCH|BUFFER|MEMORY|MIN|PARTS?|POOL|QUEUE"
    r"|RESPONSE|THUMBNAIL|S3|IMAP|E?MAIL|SMTP)_"
)
"""What a program sends to others, or keeps of an upload meanwhile."""
_IN_MEGABYTES = "_MB"
_LEAST = 1 << 20
"""Bytes: a plain number below this may mean megabytes."""
_FACTOR = 2
"""Two limits of which neither is twice the other are meant to be the same."""


class UploadLimit(msgspec.Struct, frozen=True):
    """A limit that keeps uploads from a program, which another setting allows."""

    container: Container
    """The one whose clients meet it."""
    name: str
    """The setting with the lower limit."""
    value: str
    place: str
    """The file with the setting, or that it is a default."""
    other_name: str
    other_value: str
    other: Container | None
    """The one with the higher limit; None for an nginx of the host."""
    proxy: Container | None = None
    """The nginx with the lower limit; None where a program has it, or where it is the host's."""
    file: str = ""
    """The file on the host in which nginx passes requests on; "" where it is not known."""
    is_asked_for: bool = True
    """Whether somebody has set the higher limit, and not the image alone."""


class UploadLimits(Items[UploadLimit], frozen=True):
    """At most one for each container."""


class _ProgramLimit(msgspec.Struct, frozen=True):
    """A limit that a program has by a setting."""

    name: str
    value: str
    is_asked_for: bool
    """Whether somebody has set it, and not the image."""


@evidence
def upload_limits(host: Host, containers: Containers, processes: Processes) -> UploadLimits:
    """Settings of PHP are read of images that are built on the official ones."""
    nginx = NginxConfigurations(host, containers, processes)
    candidates = [container for container in containers.running if _has_php(container)]
    limits_by_id: dict[str, UploadLimit] = {}
    with_php: dict[str, PhpLimits] = {}
    for container in host.first(candidates, MOST, "containers with PHP"):
        limits = php_limits(host, container)
        if limits is not None:
            with_php[container.id] = limits
            for limit in _own_contradiction(container, limits):
                limits_by_id.setdefault(container.id, limit)
    for ways in _ways(nginx):
        for limit in _limits(host, ways, nginx, with_php):
            limits_by_id.setdefault(limit.container.id, limit)
    return UploadLimits(tuple(limits_by_id.values()))


def _has_php(container: Container) -> bool:
    return container.config.sets("PHP_INI_DIR")


def _ways(nginx: NginxConfigurations) -> Iterator[list[NginxHop]]:
    """The locations of one nginx that lead to one container."""
    hops = (*nginx.hops, *nginx.fastcgi_hops)
    pairs = by_key(
        ((hop.proxy.id if hop.proxy else "", hop.program.id), hop)
        for hop in hops
        if hop.program is not None
    )
    yield from pairs.values()


def _own_contradiction(container: Container, limits: PhpLimits) -> Iterator[UploadLimit]:
    """A file may be larger than the request that brings it."""
    upload = limits.upload
    post = limits.post
    if upload.path and 0 < post.bytes < upload.bytes:
        yield UploadLimit(
            container,
            post.name,
            post.value,
            place=_place(post),
            other_name=upload.name,
            other_value=upload.value,
            other=container,
        )


def _limits(
    host: Host, ways: Sequence[NginxHop], nginx: NginxConfigurations, with_php: dict[str, PhpLimits]
) -> Iterator[UploadLimit]:
    """The contradictions between an nginx and a program behind it."""
    program = ways[0].program
    if program is None or not all(map(nginx.is_whole, ways)) or not all(map(_size, ways)):
        return
    widest = max(ways, key=_size)
    gives_settings = any(GIVES_SETTINGS in way.settings for way in ways)
    php = None if gives_settings else with_php.get(program.id)
    if php is not None:
        yield from _lower_in_php(program, php.lower, widest, nginx)
    for program_limit in _program_limits(host, program, php):
        yield from _lower_in_nginx(program, program_limit, widest, nginx)


def _size(way: NginxHop) -> int:
    """The bytes that nginx takes there; 0 without a limit, and where it is not known."""
    return size_of(way.settings.get(OF_NGINX, _DEFAULT)) or 0


def _lower_in_php(
    program: Container, low: PhpLimit, widest: NginxHop, nginx: NginxConfigurations
) -> Iterator[UploadLimit]:
    """The limit of PHP where a setting of nginx allows far more."""
    nginx_setting = widest.settings.get(OF_NGINX, "")
    if nginx_setting and low.bytes * _FACTOR <= _size(widest):
        yield UploadLimit(
            program,
            low.name,
            low.value,
            place=_place(low),
            other_name=OF_NGINX,
            other_value=nginx_setting,
            other=widest.proxy,
            is_asked_for=bool(nginx.file_of_setting(widest, OF_NGINX).on_host),
        )


def _lower_in_nginx(
    program: Container, limit: _ProgramLimit, widest: NginxHop, nginx: NginxConfigurations
) -> Iterator[UploadLimit]:
    """The limit of nginx where a setting of the program allows far more."""
    nginx_setting = widest.settings.get(OF_NGINX, "")
    if _size(widest) * _FACTOR <= (_bytes(limit.name, limit.value) or 0):
        yield UploadLimit(
            widest.proxy or program,
            OF_NGINX,
            nginx_setting or _DEFAULT,
            place="" if nginx_setting else "nginx's default",
            other_name=limit.name,
            other_value=limit.value,
            other=program,
            proxy=widest.proxy,
            file=nginx.file_of(widest).on_host,
            is_asked_for=limit.is_asked_for and not nginx_setting,
        )


def _program_limits(
    host: Host, program: Container, php: PhpLimits | None
) -> Iterator[_ProgramLimit]:
    """The limits that a program has by its settings."""
    if php is not None:
        low = php.lower
        is_mounted = low.path and program.mount_at(low.path) is not None
        if is_mounted:
            yield _ProgramLimit(low.name, low.value, is_asked_for=True)
    image = host.ask(InspectImage(program.image))
    of_image = () if isinstance(image, Failed) or image.config is None else image.config.env or ()
    for name, value in program.config.environment:
        if _OF_PROGRAM.search(name) and not _OF_ANOTHER_SIZE.search(name) and _bytes(name, value):
            is_asked_for = f"{name}={value}" not in of_image
            yield _ProgramLimit(name, value, is_asked_for)


def _bytes(name: str, value: str) -> int | None:
    """The bytes of a variable; None for a value of another meaning."""
    size = size_of(value)
    if size is None or not value.strip().isdigit():
        return size
    if name.endswith(_IN_MEGABYTES):
        return size << 20
    return size if size >= _LEAST else None


def _place(limit: PhpLimit) -> str:
    return limit.path or "PHP's default"
