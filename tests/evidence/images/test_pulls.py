"""Pulls that failed, as the engine's log and the tasks of a swarm say it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from diagnose.evidence.containers.events import Event, Events
from diagnose.evidence.engine.log import DaemonLog
from diagnose.evidence.engine.log_lines import parse_line
from diagnose.evidence.images.listing import Image, Images
from diagnose.evidence.images.pulls.pull_errors import classify
from diagnose.evidence.images.pulls.pulls import Pulls, pulls
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.run.options import Options

AT = 1795476864.0
"""When the log begins."""


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("toomanyrequests: You have reached your unauthenticated pull rate limit.", "rate-limit"),
        (
            'Get "https://r/v2/": proxyconnect tcp: dial tcp 192.0.2.80:3128: connect: connection refused',
            "proxy",
        ),
        (
            'Get "https://r/v2/": tls: failed to verify certificate: x509: certificate signed by unknown authority',
            "tls",
        ),
        (
            'Get "https://192.0.2.80:80/v2/": http: server gave HTTP response to HTTPS client',
            "plain-http",
        ),
        ("no matching manifest for linux/amd64 in the manifest list entries", "platform"),
        ('failed to pull "r/a:1": no match for platform in manifest: not found', "platform"),
        ('image operating system "windows" cannot be used on this platform', "platform"),
        ('Get "https://registry-1.docker.io/v2/": Forbidden', "proxy"),
        (
            'failed to do request: Head "https://r.example/v2/a/manifests/1": Service Unavailable',
            "proxy",
        ),
        (
            "error parsing HTTP 403 response body: invalid character '<' looking for beginning of value",
            "web-page",
        ),
        ("error parsing HTTP 429 response body: unexpected end of JSON input", "rate-limit"),
        (
            "error parsing HTTP 503 response body: invalid character '<' looking for beginning of value",
            "unreachable",
        ),
        (
            "unexpected status from HEAD request to https://r.example/v2/a/manifests/1: 403 Forbidden ",
            "denied",
        ),
        ("manifest unknown: manifest unknown", "denied"),
        ("unauthorized: authentication required", "denied"),
        (
            'Get "https://192.0.2.253/v2/": dial tcp 192.0.2.253:443: connect: no route to host',
            "unreachable",
        ),
        (
            'Get "https://x/v2/": dial tcp: lookup x on 192.0.2.53:53: server misbehaving',
            "unreachable",
        ),
        ("received unexpected HTTP status: 503 Service Unavailable", "unreachable"),
        ("failed to register layer: rename /a /b: directory not empty", "corrupt"),
        ("failed to register layer: write /x: no space left on device", "no-space"),
        ("failed to register layer: container ID 718322462 cannot be mapped to a host ID", "ids"),
        ("failed to register layer: max depth exceeded", "depth"),
        ("context canceled", None),
    ],
)
def test_classes_of_failed_pulls(text: str, why: str | None) -> None:
    assert classify(text) == why


def collected(
    texts: list[tuple[float, str]], pulled: list[tuple[float, str]], present: list[str]
) -> Pulls:
    """What is made of lines, pulls that went well, and images that are here; times are seconds
    after `AT`."""
    read = ((after, parse_line(text)) for after, text in texts)
    lines = tuple(replace(line, at=AT + after) for after, line in read if line)
    events = Events(
        tuple(Event(AT + after, "image", "pull", "", name, {}) for after, name in pulled)
    )
    images = Images((Image("sha256:1", present),), {})
    answer = pulls(DaemonLog(lines, "log"), Clock(AT + 1000, 0), Options(), events, images)
    assert isinstance(answer, Pulls)
    return answer


HANDLER = 'level=error msg="Handler for POST /v1.51/images/create returned error: '
NEXT = 'level=info msg="Attempting next endpoint for pull after error: '
REFUSED = HANDLER + r'Get \"https://r:5000/v2/\": dial tcp: connection refused"'
DENIED = HANDLER + 'pull access denied for team/app, repository does not exist"'
MISSING = 'level=error msg="Not continuing with pull after error" error="manifest unknown: manifest unknown"'
PROBE = NEXT + r'Get \"https://r:5000/v2/\": tls: first record does not look like a TLS handshake"'
MIRROR = NEXT + r'Get \"https://m/v2/\": dial tcp: i/o timeout"'
HTTP = NEXT + r'Get \"https://r:5000/v2/\": http: server gave HTTP response to HTTPS client"'
STORE = HANDLER + r'failed to resolve reference \"r:5000/x:1\": r:5000/x:1: not found"'
TASK = 'level=error msg="pulling image failed" error="{}" module=node/agent/taskmanager task.id={}'
LACKS = 'level=error msg="fatal task error" error="No such image: {}" module=node/agent/taskmanager task.id={}'
NO_MANIFEST = "manifest for shop:1.4 not found: manifest unknown: manifest unknown"
NO_LOGIN = "unauthorized: authentication required"
ENDED = 'level=error msg="Not continuing with pull after error" error="{}"'
FETCH = 'level=info msg="fetch failed after status: 404 Not Found" host="r:5000"'
FIELD = 'level=error msg="Handler for POST /images/create returned error" error-response="pull access denied for team/app"'
HEAD = HANDLER + r'Head \"https://registry-1.docker.io/v2/library/bb/manifests/1\": EOF"'


@pytest.mark.parametrize(
    ("texts", "pulled", "present", "expected"),
    [
        pytest.param([(0, REFUSED)], [], [], [("r:5000", "", 1)], id="one failure"),
        pytest.param(
            [(0, REFUSED), (0.002, REFUSED), (9, REFUSED)], [], [], [("r:5000", "", 2)], id="two lines of one pull"
        ),
        pytest.param([(0, REFUSED)], [(60, "r:5000/x:1")], [], [], id="the registry answered later"),
        pytest.param([(0, REFUSED)], [(60, "other:1")], [], [("r:5000", "", 1)], id="another registry answered later"),
        pytest.param([(0, REFUSED)], [(-60, "r:5000/x:1")], [], [("r:5000", "", 1)], id="it answered before"),
        pytest.param(
            [(0, DENIED)], [(60, "docker.io/other:1")], [], [("docker.io", "team/app", 1)], id="another image came"
        ),
        pytest.param(
            [(0, FIELD)], [], [], [("docker.io", "team/app", 1)], id="the error in a field, as engine 29 has it"
        ),
        pytest.param([(0, DENIED)], [], ["team/app:latest"], [], id="the image is here now"),
        pytest.param([(0, MISSING)], [(5, "anything:1")], [], [], id="no name, and something came later"),
        pytest.param([(0, MISSING)], [], [], [("", "", 1)], id="no name"),
        pytest.param([(0, PROBE)], [], [], [], id="an insecure registry's first answer"),
        pytest.param([(0, MIRROR)], [(2, "bb:1")], [], [], id="a mirror that another endpoint stood in for"),
        pytest.param(
            [(0, PROBE), (0.1, ENDED.format(NO_LOGIN))], [], [], [("r:5000", "", 1)], id="no name, of a registry just asked"
        ),
        pytest.param(
            [(0, PROBE), (0.1, PROBE.replace("r:5000", "s:1")), (0.2, ENDED.format(NO_LOGIN))],
            [],
            [],
            [("", "", 1)],
            id="no name, of one of two registries",
        ),
        pytest.param([(0, PROBE), (3, ENDED.format(NO_LOGIN))], [], [], [("", "", 1)], id="no name, and a registry long ago"),
        pytest.param([(0, HEAD)], [], [], [("docker.io", "", 1)], id="the registry's fault, whatever the image"),
        pytest.param(
            [(0, STORE), (9, STORE)], [], [], [("r:5000", "r:5000/x:1", 2)], id="the name as containerd's store has it"
        ),
        pytest.param([(0, FETCH)], [], [], [("r:5000", "", 1)], id="containerd's store: a missing tag is information"),
        pytest.param([(0, FETCH)], [(1, "r:5000/x:1")], [], [], id="containerd's store: tried again in another way"),
        pytest.param([(0, HTTP)], [(1, "r:5000/x:1")], [], [], id="an insecure registry's first answer, as a rule"),
        pytest.param([(-90000, REFUSED)], [], [], [], id="two days ago"),
        pytest.param(
            [(9 * n + d, line) for n in range(3) for d, line in ((0, MISSING), (0.002, TASK.format(NO_MANIFEST, n)))],
            [],
            ["shop:1.4"],
            [],
            id="swarm, the image is here",
        ),
        pytest.param(
            [(0, NEXT + 'manifest unknown: manifest unknown"'), (0.002, TASK.format(NO_MANIFEST, "a"))],
            [],
            ["shop:1.4"],
            [],
            id="swarm, 20.10",
        ),
        pytest.param(
            [(0, MISSING), (0.002, HANDLER + NO_MANIFEST + '"')], [], ["shop:1.4"], [], id="no name, and one right after"
        ),
        pytest.param(
            [(0, MISSING), (0.2, HANDLER + NO_MANIFEST + '"')], [], ["shop:1.4"], [("", "", 1)], id="no name, and one later"
        ),
        pytest.param(
            [(0, ENDED.format(NO_LOGIN)), (0.002, HANDLER + NO_MANIFEST + '"')],
            [],
            ["shop:1.4"],
            [("", "", 1)],
            id="no name, and another failure right after",
        ),
        pytest.param(
            [(0, ENDED.format(NO_LOGIN)), (0.001, TASK.format(NO_LOGIN, "a"))], [], [], [], id="swarm found it, no name"
        ),
        pytest.param(
            [(0, TASK.format("pull access denied for shop, repository does not exist", "a"))], [], [], [], id="swarm found it"
        ),
        pytest.param(
            [
                (0, ENDED.format(NO_LOGIN)),
                (0.001, TASK.format(NO_LOGIN, "a")),
                (0.002, LACKS.format("r:5000/x:2", "a")),
                (0.003, TASK.format(NO_LOGIN, "b")),
            ],
            [],
            ["r:5000/x:1"],
            [("r:5000", "r:5000/x:2", 1)],
            id="swarm lacks it",
        ),
        pytest.param(
            [(0, MISSING), (0.001, MISSING), (0.002, TASK.format(NO_MANIFEST, "a")), (0.01, ENDED.format(NO_LOGIN))],
            [],
            ["shop:1.4"],
            [("", "", 1)],
            id="swarm, and another's",
        ),
        pytest.param(
            [(0, TASK.format("dial tcp: connection refused", "a"))], [], ["shop:1.4"], [], id="swarm, unreachable, and the image is here"
        ),
        pytest.param(
            [(0, TASK.format("dial tcp: connection refused", "a")), (0.001, LACKS.format("r:5000/x:2", "a"))],
            [],
            ["shop:1.4"],
            [("", "", 1)],
            id="swarm, unreachable, and the image is not here",
        ),
    ],
)  # fmt: skip
def test_failed_pulls(
    texts: list[tuple[float, str]],
    pulled: list[tuple[float, str]],
    present: list[str],
    expected: list[tuple[str, str, int]],
) -> None:
    troubles = collected(texts, pulled, present).troubles
    assert [(trouble.registry, trouble.image, trouble.count) for trouble in troubles] == expected
