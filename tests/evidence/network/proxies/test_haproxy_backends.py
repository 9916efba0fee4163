"""Why no server of a backend of HAProxy is up, by its configuration."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.containers import Containers
from diagnose.evidence.containers.logs.access_lines import access_lines
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.network.container_netns import Socket
from diagnose.evidence.network.proxies.haproxy_backends import backend_faults
from diagnose.evidence.network.proxies.pages.failed_answers import AllFailedAnswers, FailedAnswers
from diagnose.live.disk.parts.haproxy import backends
from tests.checks.network.evidence import container, namespaces_of
from tests.hosts import Made

LINE = (
    "192.0.2.1:4312 [30/Nov/2026:08:32:40.598] web shop/<NOSRV> 0/-1/-1/-1/0 503 217 - - SC-- "
    '1/1/0/0/0 0/0 "GET / HTTP/1.1"'
)
SERVERS: dict[str, tuple[str, str]] = {
    "no such name": ("server a web-1:8080 check", 'no running container on its networks is called "web-1"'),
    "another port": ("server a web:9000 check", 'container "web" does not listen at port 9000'),
    "one may be well": ("server a web-1:80\n server b web:8080 check", ""),
    "another machine": ("server a 10.0.0.9:80 check", ""),
    "a name outside": ("server a shop.example.com:80 check", ""),
    "none": ("option httpchk GET /", ""),
}  # fmt: skip


@pytest.mark.parametrize(("servers", "words"), SERVERS.values(), ids=SERVERS)
def test_servers(servers: str, words: str) -> None:
    text = f"global\n stats auth me:made-up\nfrontend web\n bind :80\nbackend shop\n {servers}\n"
    kept = "\n".join(backends(text))
    assert "made-up" not in kept
    mounted = {"Type": "bind", "Source": "/srv/ha", "Destination": "/usr/local/etc/haproxy"}
    proxy = container("haproxy", Mounts=[mounted])
    place = {"IPAddress": "172.18.0.3", "Aliases": ["web"]}
    web = container("web", NetworkSettings={"Networks": {"shop": place}})
    answers = tuple(access_lines([RecentLine(1.0, LINE)]))
    failed = FailedAnswers(proxy, answers, of=3, is_most=True, url="")
    found = backend_faults(
        Made({"file.read": {"text": kept, "size": len(kept)}}),
        AllFailedAnswers((failed,)),
        Containers((proxy, web)),
        namespaces_of(web, Socket("tcp", "0.0.0.0", 8080)),
    )
    assert found.of(proxy) == words
