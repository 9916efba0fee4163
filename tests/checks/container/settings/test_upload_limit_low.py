"""The check container.upload-limit-low, and the evidence that it reads."""

from typing import Any

import pytest

from diagnose.evidence.containers.settings.php_limits import size_of
from diagnose.evidence.containers.settings.upload_limits import (
    OF_NGINX,
    UploadLimit,
    UploadLimits,
    upload_limits,
)
from diagnose.evidence.machine.processes import Process, Processes
from diagnose.live.disk.parts.chosen import only
from diagnose.model import Failed, Json
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge

SITE = "http {{ server {{ listen 80; {} location / {{ proxy_pass http://app:8080; }} }} }}"
PHP = "http {{ server {{ listen 80; {} location ~ \\.php$ {{ fastcgi_pass app:9000; }} }} }}"
TWO = (
    "http { server { listen 80; location / { proxy_pass http://app:8080; } "
    "location /files { client_max_body_size 2g; proxy_pass http://app:8080; } } }"
)
WIDE = "client_max_body_size 100m;"
INI_DIR = "PHP_INI_DIR=/usr/local/etc/php"
RAISED = "; ours\nupload_max_filesize = 64M\npost_max_size=64M\n"
INI = "/usr/local/etc/php/conf.d/uploads.ini"
CASES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "nginx has its default": (
        {"env": ["MAX_UPLOAD_SIZE=50M"]},
        ["edge client_max_body_size 1m <50M loud"],
    ),
    "the image has the limit": (
        {"env": ["MAX_UPLOAD_SIZE=50M"], "image": ["MAX_UPLOAD_SIZE=50M"]},
        ["edge client_max_body_size 1m <50M"],
    ),
    "nginx has a limit of its own": (
        {"env": ["MAX_UPLOAD_SIZE=500M"], "site": SITE.format(WIDE)},
        ["edge client_max_body_size 100m <500M"],
    ),
    "nearly the same": ({"env": ["MAX_UPLOAD_SIZE=150M"], "site": SITE.format(WIDE)}, []),
    "nginx has none": (
        {"env": ["MAX_UPLOAD_SIZE=50M"], "site": SITE.format("client_max_body_size 0;")},
        [],
    ),
    "another location is wide": ({"env": ["MAX_UPLOAD_SIZE=500M"], "site": TWO}, []),
    "a file that is not read": (
        {"env": ["MAX_UPLOAD_SIZE=50M"], "site": SITE.format("include /etc/nginx/no.conf;")},
        [],
    ),
    "a file that nobody can list": ({"env": ["MAX_UPLOAD_SIZE=50M"], "more": ["a.conf"]}, []),
    "a plain number": ({"env": ["MAX_UPLOAD_SIZE=50"]}, []),
    "megabytes by name": (
        {"env": ["MAX_UPLOAD_SIZE_MB=50"]},
        ["edge client_max_body_size 1m <50 loud"],
    ),
    "bytes": (
        {"env": ["UPLOAD_MAX_BYTES=52428800"]},
        ["edge client_max_body_size 1m <52428800 loud"],
    ),
    "a speed": ({"env": ["UPLOAD_RATE_LIMIT=50M"]}, []),
    "parts of what it sends elsewhere": ({"env": ["S3_UPLOAD_PART_SIZE=100MB"]}, []),
    "attachments of mail that it sends": ({"env": ["MAIL_ATTACHMENT_SIZE=25MB"]}, []),
    "a buffer": ({"env": ["UPLOAD_BUFFER_SIZE=64MB"]}, []),
    "a file of a log": ({"env": ["LOG_MAX_FILE_SIZE=50M"]}, []),
    "PHP has its default": (
        {"env": [INI_DIR], "site": PHP.format(WIDE)},
        ["app upload_max_filesize 2M <100m loud"],
    ),
    "nginx gives PHP its settings": (
        {"env": [INI_DIR], "site": PHP.format(f'{WIDE} fastcgi_param PHP_VALUE "upload_max_filesize=1G";')},
        [],
    ),
    "another parameter": (
        {"env": [INI_DIR], "site": PHP.format(f"{WIDE} fastcgi_param HTTPS on;")},
        ["app upload_max_filesize 2M <100m loud"],
    ),
    "PHP has more": ({"env": [INI_DIR], "site": PHP.format(WIDE), "ini": RAISED}, []),
    "a file of its site": (
        {"env": [INI_DIR], "site": PHP.format(WIDE), "htaccess": "php_value upload_max_filesize 64M\nphp_value post_max_size 64M"},
        [],
    ),
    "a variable": (
        {"env": [INI_DIR, "LIMIT=90M"], "site": PHP.format(WIDE), "ini": "upload_max_filesize=${LIMIT}\npost_max_size=${LIMIT}"},
        [],
    ),
    "an unknown variable": (
        {"env": [INI_DIR], "site": PHP.format(WIDE), "ini": "upload_max_filesize=${LIMIT}"},
        [],
    ),
    "an option of its command": (
        {"env": [INI_DIR], "site": PHP.format(WIDE), "args": ["-d", "upload_max_filesize=1G"]},
        [],
    ),
    "nginx before PHP has its default": ({"env": [INI_DIR], "site": PHP.format("")}, []),
    "and PHP was raised": (
        {"env": [INI_DIR], "site": PHP.format(""), "ini": RAISED, "mounted": True},
        ["edge client_max_body_size 1m <64M loud"],
    ),
    "PHP was raised by its image": ({"env": [INI_DIR], "site": PHP.format(""), "ini": RAISED}, []),
    "one setting of PHP alone": (
        {"env": [INI_DIR], "site": "", "ini": "upload_max_filesize = 64M"},
        ["app post_max_size 8M <64M loud"],
    ),
    "a comment": ({"env": [INI_DIR], "site": "", "ini": "; upload_max_filesize = 64M"}, []),
}  # fmt: skip


@pytest.mark.parametrize(("case", "expected"), CASES.values(), ids=CASES)
def test_limits(case: dict[str, Any], expected: list[str]) -> None:
    mounts = [{"Type": "bind", "Source": "/srv/u.ini", "Destination": INI}]
    app = container(
        "app",
        Config={"Env": case["env"]},
        Path="php-fpm",
        Args=case.get("args", []),
        Mounts=mounts if case.get("mounted") else [],
        NetworkSettings={"Networks": {"shop": {"Aliases": ["app"]}}},
    )
    edge = container(
        "edge",
        Mounts=[
            {"Type": "bind", "Source": "/srv/nginx.conf", "Destination": "/etc/nginx/nginx.conf"}
        ],
        NetworkSettings={"Networks": {"shop": {}}},
    )
    processes = Processes((Process(pid=1, comm="nginx", container=edge.id),))
    found = upload_limits(_host(case), of(app, edge), processes)
    result = judge("container.upload-limit-low", upload_limits=found)
    shown = [
        f"{limit.container.name} {limit.name} {limit.value} <{limit.other_value}"
        + (" loud" if limit.is_asked_for else "")
        for limit in found
    ]
    assert shown == expected
    assert [not finding.is_quiet for finding in result.findings] == [
        limit.is_asked_for for limit in found
    ]


def _host(case: dict[str, Any]) -> Made:
    site = case.get("site", SITE.format(""))
    if case.get("more"):
        site = site.replace("http {", "http { include /etc/nginx/conf.d/*.conf;")

    def read(question: Any) -> Json | Failed:
        if question.path == "/srv/nginx.conf" or question.root == "/srv/nginx.conf":
            return {"text": only("proxying", site)}
        if question.path == INI and "ini" in case:
            return {"text": only("upload limits", case["ini"])}
        if question.path == "/var/www/html/.htaccess" and "htaccess" in case:
            return {"text": only("upload limits", case["htaccess"])}
        return Failed("missing")

    def listed(question: Any) -> Json | Failed:
        if question.path == "/etc/nginx/conf.d":
            return {"entries": [{"name": name, "type": "file"} for name in case.get("more", [])]}
        if question.path == "/usr/local/etc/php/conf.d":
            return {"entries": [{"name": "uploads.ini", "type": "file"}]}
        return Failed("missing")

    return Made(
        {
            "api.image": {"Id": "sha256:1111", "Config": {"Env": case.get("image", [])}},
            "api.archive": lambda question: Failed(
                "timed out" if question.path.endswith("no.conf") else "gone"
            ),
            "file.read": read,
            "file.list": listed,
        }
    )


@pytest.mark.parametrize(
    ("text", "size"),
    [("64M", 64 << 20), ("10 GiB", 10 << 30), ("100mb", 100 << 20), ("512", 512), ("x", None)],
)
def test_sizes(text: str, size: int | None) -> None:
    assert size_of(text) == size


SIZES = {
    "a size": ("50M", "nginx's default", True),
    "bytes": ("52428800", "nginx's default", True),
    "megabytes by name": ("50", "nginx's default", False),
    "a limit that nginx was given": ("50M", "", False),
}


@pytest.mark.parametrize(("size", "place", "is_edited"), SIZES.values(), ids=SIZES)
def test_nginx_gets_the_limit_of_the_program(size: str, place: str, is_edited: bool) -> None:
    edge = container("edge")
    limit = UploadLimit(
        edge, OF_NGINX, "1m", place, "MAX_UPLOAD_SIZE", size, None, edge, "/srv/edge/site.conf"
    )
    found = UploadLimits((limit,))
    (finding,) = judge("container.upload-limit-low", upload_limits=found).findings
    assert ("limit_edit" in finding.variables) == is_edited
