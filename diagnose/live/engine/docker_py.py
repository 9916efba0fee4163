"""docker-py, and the guards around its known faults (7.2): it and `ssh` alone import docker-py.

It reads addresses and the context store, sets up TLS, and asks every engine that is not behind a
local socket. Its import takes 106 ms, so only runs that need it import this module.

What 7.2 does, and the guard here:

- refuses an address without a port: `base_url` adds the docker CLI's: 2375, TLS 2376
- gives ssh port 22, whatever ~/.ssh/config says; refuses a path: `ssh.ssh_command` reads both from
  the address itself
- reads `./contexts` where there is no config.json: `_library` gives it the folder
- ignores a context's TLS unless all three files are there: `pem_files` and `_tls_config` take what
  is there
- trusts certifi's authorities, not the system's: `_tls_config` names the system's
- asks on the terminal for the passphrase of a key: `_tls_config` refuses such a key
- reads config.json for credentials and proxies in its constructor, which then may fail or block:
  `_library` gives it an empty one: nothing is pulled
- asks for /version in its constructor: `connect` names a version; questions bring their own
- follows proxies, .netrc and REQUESTS_CA_BUNDLE, and redirects: `connect` and `DockerLane` switch
  them off
- has a deadline for each read only, and no bound for a body: `DockerLane`
- speaks ssh only where paramiko is; then it prompts, prints on our stderr and never gives up:
  `ssh.SshAdapter`: the system's ssh, in batch mode
- raises errors of requests, urllib3 and http.client: `DockerLane._explain`
"""

from __future__ import annotations

import functools
import http.client
import queue
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import docker
import docker.context.config
import docker.utils.config
import msgspec
import requests.exceptions
from docker.constants import MINIMUM_DOCKER_API_VERSION
from docker.context import ContextAPI
from docker.tls import TLSConfig
from docker.utils import parse_host
from urllib3.exceptions import HTTPError

from diagnose.live import Refused
from diagnose.live.engine.http import LOOK_S, Reply, Request, late, too_large
from diagnose.live.engine.ssh import AT_ONCE, SshAdapter, ssh_address
from diagnose.questions import AnyQuestion

PART_BYTES = 64 * 1024


class Tls(msgspec.Struct, frozen=True):
    """PEM files of a TLS endpoint.

    verify False accepts any certificate, as `docker --tls` alone does.
    """

    ca: str | None
    cert: str | None
    key: str | None
    verify: bool = True


class Context(msgspec.Struct, frozen=True):
    """The address and TLS files of a docker context."""

    address: str
    tls: Tls | None
    """None for a connection without TLS."""


def _library() -> None:
    """Keep docker-py from files that are none of its business here.

    Registry credentials, proxies of builds.
    """
    docker.utils.config.load_general_config = lambda *_: {"auths": {}}


_library()


def base_url(address: str, *, tls: bool) -> str:
    """The address as docker-py's client takes it.

    http+unix://PATH, http://HOST:PORT, https://HOST:PORT, ssh://[USER@]HOST.

    Raises ValueError.
    """
    scheme, marker, _ = address.partition("://")
    if scheme == "ssh":
        return ssh_address(address)
    is_tcp = not marker or scheme in ("tcp", "http", "https")
    if is_tcp:
        with_scheme = address if marker else f"tcp://{address}"
        if urlsplit(with_scheme).port is None:
            port = 2376 if tls or scheme == "https" else 2375
            address = f"{address.rstrip('/')}:{port}"
    try:
        return str(parse_host(address, False, tls))
    except docker.errors.DockerException as error:
        raise ValueError(str(error)) from error


def context(name: str, folder: Path) -> Context | None:
    """The context of this name in a folder of the docker CLI's configuration, or None.

    Raises ValueError for one that names no engine.
    """
    docker.context.config.get_context_dir = lambda: str(folder / "contexts")
    try:
        loaded = ContextAPI.get_context(name)
        if loaded is None:
            return None
        endpoint = loaded.endpoints["docker"]
        address = endpoint["Host"]
        insecure = bool(endpoint["SkipTLSVerify"])
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("its meta.json lacks the address of an engine") from error
    except Exception as error:  # docker-py raises bare ones, whatever the file holds
        raise ValueError(str(error)) from error
    if not isinstance(address, str):
        raise ValueError("its address is not text")
    pem = pem_files(Path(docker.context.config.get_tls_dir(name, "docker")), verify=not insecure)
    has_tls = insecure or any((pem.ca, pem.cert, pem.key))
    return Context(address, pem if has_tls and not address.startswith(("unix:", "ssh:")) else None)


def pem_files(folder: Path, *, verify: bool) -> Tls:
    """The PEM files of a folder that are there, under the names that the docker CLI gives them."""
    paths = [folder / f"{name}.pem" for name in ("ca", "cert", "key")]
    ca, cert, key = (str(path) if path.exists() else None for path in paths)
    return Tls(ca, cert, key, verify)


def _tls_config(tls: Tls) -> TLSConfig:
    """docker-py's TLS settings.

    Raises `Refused` (missing, malformed) for files that cannot be used, by their names.
    """
    _check(tls)
    client_pair = (tls.cert, tls.key) if tls.cert and tls.key else None
    settings = TLSConfig(client_cert=client_pair, verify=tls.verify)
    authorities = _authorities(tls)
    if tls.verify and authorities:
        settings.verify = authorities
    return settings


def _authorities(tls: Tls) -> str | None:
    """The file or folder of the certificates by which the engine's is verified."""
    if tls.ca is not None:
        return tls.ca
    system = ssl.get_default_verify_paths()
    return system.cafile or system.capath


def _check(tls: Tls) -> None:
    """Load the files once, since docker-py's own errors do not name them. Raises `Refused`."""
    if (tls.cert is None) != (tls.key is None):
        raise Refused(
            "missing",
            f"only one of the client's cert.pem and key.pem is there: {tls.cert or tls.key}",
        )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if tls.ca and tls.verify:
        try:
            context.load_verify_locations(tls.ca)
        except OSError as error:
            raise Refused(
                "malformed", f"{tls.ca} is not a readable certificate: {error}"
            ) from error
    if tls.cert and tls.key:
        try:
            # without a password OpenSSL asks for one on the terminal
            context.load_cert_chain(tls.cert, tls.key, password="")
        except OSError as error:
            raise Refused(
                "malformed", f"{tls.cert} and {tls.key} are not a readable pair: {error}"
            ) from error


def connect(url: str, tls: Tls | None) -> docker.APIClient:
    """docker-py's client of an engine; nothing is sent yet. Raises `Refused`.

    url: out of `base_url`. A request of ours has the version of the API in its path; docker-py's
    own methods are not used.
    """
    is_ssh = url.startswith("ssh://")
    address = (
        None if is_ssh else url
    )  # with none it gets the adapter of the default socket, which ours replaces
    settings = _tls_config(tls) if tls else None
    client = docker.APIClient(
        base_url=address, version=MINIMUM_DOCKER_API_VERSION, tls=settings or False
    )
    client.trust_env = False
    client.headers["Accept-Encoding"] = "identity"
    if is_ssh:
        client.mount("http+docker://", SshAdapter(url))
    return client


class _StreamedRequest(msgspec.Struct, eq=False):
    """A request under way in a thread of its own."""

    question: AnyQuestion
    request: Request
    ends: float
    received: int = 0
    """Bytes of the body so far."""


class DockerLane:
    """GETs through docker-py's client.

    Each runs in a thread that is left alone when it overstays its deadline.
    """

    def __init__(self, url: str, tls: Tls | None) -> None:
        self._url = url
        self._tls = tls
        self._has_answered = False

    @functools.cached_property
    def _client(self) -> docker.APIClient:
        return connect(self._url, self._tls)

    def many(
        self,
        pull: Callable[[], AnyQuestion | None],
        request: Callable[[AnyQuestion], Request],
        at_once: int = AT_ONCE,
    ) -> Iterator[tuple[AnyQuestion, Reply | Exception]]:
        """The replies to many requests; see `client.Engine.many`."""
        under_way: list[_StreamedRequest] = []
        outcomes: queue.SimpleQueue[tuple[_StreamedRequest, Reply | Exception]] = (
            queue.SimpleQueue()
        )
        while True:
            while len(under_way) < at_once and (question := pull()) is not None:
                try:
                    flight = _StreamedRequest(question, request(question), 0.0)
                except Exception as error:  # noqa: BLE001 - the outcome of this question, whatever it is
                    yield question, error
                    continue
                flight.ends = time.monotonic() + flight.request.seconds
                under_way.append(flight)
                self._start(flight, outcomes)
            if not under_way:
                return
            wait = min(flight.ends for flight in under_way) - time.monotonic()
            if len(under_way) < at_once:
                wait = min(wait, LOOK_S)
            try:
                flight, outcome = outcomes.get(timeout=max(0.0, wait))
            except queue.Empty:
                pass
            else:
                if flight in under_way:  # otherwise it is too late
                    under_way.remove(flight)
                    yield flight.question, outcome
            now = time.monotonic()
            for flight in [flight for flight in under_way if now >= flight.ends]:
                under_way.remove(flight)
                yield flight.question, late(flight.request, flight.received)

    def _start(
        self,
        flight: _StreamedRequest,
        outcomes: queue.SimpleQueue[tuple[_StreamedRequest, Reply | Exception]],
    ) -> None:
        """Send a request in a thread of its own, and put what becomes of it into the queue."""

        def run() -> None:
            try:
                outcomes.put((flight, self._get(flight)))
            except Exception as error:  # noqa: BLE001 - the outcome of this question, whatever it is
                outcomes.put((flight, error))

        try:
            threading.Thread(target=run, name="docker-py", daemon=True).start()
        except RuntimeError:  # the host has no thread left
            run()

    def _get(self, flight: _StreamedRequest) -> Reply:
        """Send a request, and once more where a kept connection had been closed meanwhile."""
        try:
            return self._send_once(flight)
        except requests.exceptions.RequestException as error:
            if not (
                self._has_answered
                and isinstance(innermost(error), ConnectionResetError | BrokenPipeError)
            ):
                self._explain(error)
                raise
        try:  # a kept connection that the other side has closed meanwhile
            return self._send_once(flight)
        except requests.exceptions.RequestException as error:
            self._explain(error)
            raise

    def _send_once(self, flight: _StreamedRequest) -> Reply:
        """One request by docker-py, within the time that is left for it."""
        client = self._client
        request = flight.request
        url = f"{client.base_url}{request.target}"
        seconds_left = max(0.001, flight.ends - time.monotonic())
        with client.get(url, timeout=seconds_left, stream=True, allow_redirects=False) as response:
            headers = {name.lower(): value for name, value in response.headers.items()}
            body = self._body(flight, response)
        self._has_answered = True
        return Reply(
            response.status_code, headers, body[: request.limit], cut=len(body) > request.limit
        )

    def _body(self, flight: _StreamedRequest, response: requests.Response) -> bytes:
        """The body, or a little more of it than the limit where it may be cut.

        Raises `Refused` (too large, timed out).
        """
        request = flight.request
        announced = response.headers.get("Content-Length", "0")
        if not (
            announced.isascii() and announced.isdigit()
        ):  # http.client would read on until the connection ends
            raise Refused("malformed", f"Content-Length is {announced[:40]!r}")
        if int(announced) > request.limit and not request.cut:
            raise too_large(int(announced))
        parts: list[bytes] = []
        try:
            for part in response.raw.stream(PART_BYTES, decode_content=False):
                parts.append(part)
                flight.received += len(part)
                if flight.received > request.limit:
                    break
                if time.monotonic() > flight.ends:
                    raise late(request, flight.received)
        except (ValueError, HTTPError) as error:
            cause = innermost(error)
            if isinstance(cause, ValueError):
                raise Refused(
                    "malformed", f"a chunk of the body cannot be read: {cause}"
                ) from error
            self._explain(error)
            raise
        if flight.received > request.limit and not request.cut:
            raise too_large(flight.received)
        return b"".join(parts)

    def _explain(self, error: Exception) -> None:
        """Raise `Refused` for an error of requests, urllib3 or http.client.

        An error that began with one of the system's keeps its errno, which says what is the
        matter.
        """
        cause = innermost(error)
        host = urlsplit(self._url).netloc
        if isinstance(cause, ssl.SSLError):  # by its errno it would be EPERM
            raise Refused("refused", f"TLS with {host} failed: {cause}") from error
        if isinstance(cause, ConnectionResetError | BrokenPipeError):
            raise Refused(
                "refused", self._complaint() or "the connection was closed without an answer"
            ) from error
        if isinstance(cause, http.client.IncompleteRead):
            raise Refused("malformed", f"the body ended early: {cause}") from error
        if not isinstance(cause, OSError):
            raise Refused("malformed", f"the answer is not HTTP: {error}") from error
        cause.filename = cause.filename or host

    def _complaint(self) -> str:
        adapter = self._client.get_adapter(self._client.base_url)
        if not isinstance(adapter, SshAdapter):
            return ""
        return f"{' '.join(adapter.command)}: {adapter.complaint()}"


def innermost(error: BaseException) -> BaseException:
    """The error that this chain of errors began with."""
    visited: set[int] = set()
    while id(error) not in visited:
        visited.add(id(error))
        error = error.__cause__ or error.__context__ or error
    return error
