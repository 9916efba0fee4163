"""container.sessions-apart: replicas, and files of sessions in their folders."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.peers.parted_sessions import parted_sessions
from diagnose.model import Failed, Json
from diagnose.questions import Question
from diagnose.questions.files import ListFolder
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge, rows

SESSION = "sess_0123456789abcdef0123456789"
FOUND = [("advice", "web1")]
VOLUME = {"Type": "volume", "Name": "s", "Source": "/v", "Destination": "/tmp", "RW": True}


def _replica(number: int, service: str = "web", **parts: Any) -> Container:
    labels = {"com.docker.compose.project": "shop", "com.docker.compose.service": service}
    labels |= parts.pop("labels", {})
    state = {"Status": "running", "Pid": 100 + number, "StartedAt": "2026-01-02T03:04:05Z"}
    return container(f"web{number}", State=state, Config={"Labels": labels}, **parts)


CASES: dict[str, tuple[list[Container], dict[str, list[str]], list[tuple[str, str]]]] = {
    "files in both": ([_replica(1), _replica(2)], {"101/tmp": [SESSION], "102/tmp": [SESSION]}, FOUND),
    "files in one": ([_replica(1), _replica(2)], {"101/tmp": [SESSION]}, []),
    "other files": ([_replica(1), _replica(2)], {"101/tmp": ["a.txt"], "102/tmp": ["b"]}, []),
    "one container": ([_replica(1)], {"101/tmp": [SESSION]}, []),
    "two services": ([_replica(1), _replica(2, "api")], {"101/tmp": [SESSION], "102/tmp": [SESSION]}, []),
    "in a volume": (
        [_replica(1, Mounts=[VOLUME]), _replica(2, Mounts=[VOLUME])],
        {"101/tmp": [SESSION], "102/tmp": [SESSION]}, [],
    ),
    "sticky": (
        [_replica(number, labels={"traefik.http.services.a.loadbalancer.sticky.cookie": "true"}) for number in (1, 2)],
        {"101/tmp": [SESSION], "102/tmp": [SESSION]}, [],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("replicas", "folders", "expected"), CASES.values(), ids=CASES)
def test_replicas(
    replicas: list[Container], folders: dict[str, list[str]], expected: list[tuple[str, str]]
) -> None:
    def listing(question: Question[object]) -> Json | Failed:
        assert isinstance(question, ListFolder)
        place = f"{question.root}{question.path}".removeprefix("/proc/").replace("/root", "")
        if place not in folders:
            return Failed("missing", place)
        return {"entries": [{"name": name, "type": "file"} for name in folders[place]]}

    found = parted_sessions(Made({"file.list": listing}), of(*replicas))
    assert rows(judge("container.sessions-apart", parted_sessions=found)) == expected


NGINX = {"Type": "bind", "Source": "/srv/nginx.conf", "Destination": "/etc/nginx/nginx.conf"}
SETTINGS = {
    "nginx, by address": ("upstream web { ip_hash; server web1; server web2; }", []),
    "nginx, in turns": ("upstream web { server web1; server web2; }", FOUND),
    "HAProxy, by a cookie": ("backend web\n  cookie  SRV insert indirect\n", []),
}


@pytest.mark.parametrize(("text", "expected"), SETTINGS.values(), ids=SETTINGS)
def test_proxies_that_send_a_user_to_the_same_replica(
    text: str, expected: list[tuple[str, str]]
) -> None:
    proxy = _replica(3, "proxy", Mounts=[NGINX])
    sessions = {"entries": [{"name": SESSION, "type": "file"}]}
    host = Made({"file.list": sessions, "file.read": {"text": text}})
    found = parted_sessions(host, of(_replica(1), _replica(2), proxy))
    assert rows(judge("container.sessions-apart", parted_sessions=found)) == expected
