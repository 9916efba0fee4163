"""How much of a configuration of nginx is read, whatever its container writes into it."""

from __future__ import annotations

from typing import Any

from diagnose.evidence.network.proxies.nginx.files import NginxFiles
from tests.hosts import Made
from tests.inspected import container

MOST = 24
FILES = 500


def test_a_folder_that_is_included_again_and_again_is_read_once_and_listed_no_more() -> None:
    includes = 1000
    asked: list[str] = []

    def read(question: Any) -> Any:
        asked.append(question.path)
        is_main = question.path.endswith("nginx.conf")
        text = "include conf.d/*.conf;\n" * includes if is_main else "gzip on;"
        return {"text": text, "size": len(text)}

    def listed(question: Any) -> Any:
        return {"entries": [{"name": f"s{at}.conf", "type": "file"} for at in range(FILES)]}

    mounted = {"Type": "bind", "Source": "/srv/edge", "Destination": "/etc/nginx"}
    host = Made({"file.read": read, "file.list": listed})
    directives = NginxFiles(host, container("edge", Mounts=[mounted])).directives()
    assert len(set(asked)) == MOST
    assert len(directives) <= MOST + includes
    assert [directive.name for directive in directives].count("gzip") == MOST - 1
