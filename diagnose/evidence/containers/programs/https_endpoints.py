"""Endpoints with HTTPS and without a certificate in the settings that a .NET program brings along.

Kestrel takes the endpoints of `appsettings.json` before ASPNETCORE_URLS, and no variable of the
container shows them.
"""

import re
from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.items import ByContainer
from diagnose.model import Failed, Json, PageVariables
from diagnose.questions import Host
from diagnose.questions.containers import ReadContainerFile
from diagnose.registry import evidence

FAILURE = "kestrel-https"
_BYTES = 64 * 1024
_ENVIRONMENTS = ("ASPNETCORE_ENVIRONMENT", "DOTNET_ENVIRONMENT")
_PORT = re.compile(r"https://[^/]*:(\d{1,5})")


class HttpsEndpoint(msgspec.Struct, frozen=True):
    """An HTTPS endpoint of ASP.NET Core, and the settings file that defines it."""

    path: str
    name: str
    url: str

    @property
    def clause(self) -> str:
        return (
            f'{self.path} has the endpoint "{self.name}" at {self.url}, and the program has no '
            "certificate for it"
        )

    @property
    def evidence(self) -> dict[str, Json]:
        """Evidence that replaces the general meaning of the log line."""
        return {
            "this means": self.clause,
            "what fixes it": f"give that endpoint a certificate, or plain HTTP by {self._variable}",
        }

    @property
    def steps(self) -> PageVariables:
        """The page variable that makes it an endpoint with plain HTTP."""
        port = _PORT.match(self.url)
        return {"unprotected": f"{self._variable}=http://+:{port[1]}"} if port else {}

    @property
    def _variable(self) -> str:
        return f"Kestrel__Endpoints__{self.name}__Url"


class HttpsEndpoints(ByContainer[HttpsEndpoint], frozen=True):
    """The endpoint of a container that misses a certificate."""


@evidence
def https_endpoints(host: Host, containers: Containers, log_tails: LogTails) -> HttpsEndpoints:
    """The HTTPS endpoints without a certificate, of containers whose log misses one for Kestrel.

    Each of these takes two questions.
    """
    endpoints = {}
    for container in containers:
        failure = log_tails.failures.get(container.id)
        if failure is None or failure.name != FAILURE:
            continue
        endpoint = next(_open_endpoints(host, container), None)
        if endpoint is not None:
            endpoints[container.id] = endpoint
    return HttpsEndpoints(endpoints)


def _open_endpoints(host: Host, container: Container) -> Iterator[HttpsEndpoint]:
    """The endpoints that want a certificate and have none, of the most special file first."""
    value_of = container.config.value_of
    kind = next(filter(None, map(value_of, _ENVIRONMENTS)), "Production")
    folder = container.config.working_dir.rstrip("/")
    for path in (f"{folder}/appsettings.{kind}.json", f"{folder}/appsettings.json"):
        kestrel = _section(_settings(host, container, path), "Kestrel")
        if "Default" in _section(kestrel, "Certificates"):
            continue
        for name, endpoint in _section(kestrel, "Endpoints").items():
            url = endpoint.get("Url") if isinstance(endpoint, dict) else None
            is_overridden = container.config.sets(f"Kestrel__Endpoints__{name}__Url")
            has_certificate = isinstance(endpoint, dict) and "Certificate" in endpoint
            if not isinstance(url, str) or is_overridden or has_certificate:
                continue
            if url.startswith("https:") and name.isidentifier():
                yield HttpsEndpoint(path, name, url)


def _settings(host: Host, container: Container, path: str) -> Json:
    """A file of settings; None where it is not there or no plain JSON."""
    file = host.ask(ReadContainerFile(container.id, path, bytes=_BYTES))
    if isinstance(file, Failed) or file.data is None:
        return None
    try:
        decoded: Json = msgspec.json.decode(file.data.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return decoded


def _section(settings: Json, name: str) -> dict[str, Json]:
    """A part of the settings, empty where it is not there."""
    part = settings.get(name) if isinstance(settings, dict) else None
    return part if isinstance(part, dict) else {}
