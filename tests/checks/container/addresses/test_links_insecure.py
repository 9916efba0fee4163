"""The check in checks/container/addresses/links_insecure.py, and the evidence that it reads."""

from typing import Any

import pytest

from diagnose.evidence.containers.containers import Containers
from diagnose.evidence.machine.processes import Processes
from diagnose.evidence.network.proxies.pages.insecure_links import all_insecure_links
from diagnose.questions.web_pages import PageReply
from tests.checks.network.evidence import container
from tests.checks.network.first_pages import page, pages
from tests.hosts import Made
from tests.judging import judge

SCRIPT = '<script type="module" src="{}"></script>'
OWN = "http://localhost:7443/js/app.js"
CASES: dict[str, tuple[dict[str, Any], int]] = {
    "a script": ({}, 1),
    "another name at the same port": ({"url": "http://sso.example.com:7443/a.js"}, 1),
    "a base": ({"body": '<head><base href="http://localhost:7443/sso/"></head>'}, 1),
    "the name without a port": ({"url": "http://localhost/a.js"}, 1),
    "by HTTPS": ({"url": "https://localhost:7443/a.js"}, 0),
    "a path": ({"url": "/js/app.js"}, 0),
    "another site": ({"url": "http://cdn.example.com/a.js"}, 0),
    "a canonical link": ({"body": f'<link rel="canonical" href="{OWN}">'}, 0),
    "in a comment": ({"body": f"<!-- {SCRIPT.format(OWN)} --><p>"}, 0),
    "after a comment": ({"body": f"<!-- old --><SCRIPT SRC={OWN}></SCRIPT>"}, 1),
    "in a comment without an end": ({"body": f"<!-- {SCRIPT.format(OWN)}"}, 0),
    "a word of a script": ({"body": f"<script>write('{SCRIPT.format(OWN)}')"}, 0),
    "after a script": ({"body": f"<script>go()</script>{SCRIPT.format(OWN)}"}, 1),
    "of a program that loads it later": ({"body": f'<script data-src="{OWN}"></script>'}, 0),
    "of a page that asks for HTTPS": (
        {"body": f'<meta content="upgrade-insecure-requests">{SCRIPT.format(OWN)}'}, 0,
    ),
    "of an answer that asks for HTTPS": ({"upgrades": True}, 0),
    "a style": ({"body": f'<link href="{OWN}" rel="stylesheet">'}, 1),
    "a picture of the site": ({"body": f'<link rel="icon" href="{OWN}">'}, 0),
    "what editors use": ({"body": f'<link rel="EditURI" href="{OWN}">'}, 0),
    "a link to follow": ({"body": f'<a href="{OWN}">home</a>'}, 0),
    "a page that came by HTTP": ({"tls": False}, 0),
    "a policy for browsers": ({"upgrades": True}, 0),
    "a policy in the page": ({"body": f"<meta content='upgrade-insecure-requests'>{SCRIPT}"}, 0),
    "an error": ({"status": 404}, 0),
}  # fmt: skip


@pytest.mark.parametrize(("case", "expected"), CASES.values(), ids=CASES)
def test_files_of_a_page(case: dict[str, Any], expected: int) -> None:
    assert len(_judged(case).findings) == expected


def test_the_variable_of_the_program_behind_the_proxy() -> None:
    (finding,) = _judged({}).findings
    assert finding.subject.name == "keycloak"
    assert finding.variables["own"] == "KC_PROXY_HEADERS=xforwarded"
    (finding,) = _judged({"env": ["KC_PROXY_HEADERS=forwarded"]}).findings
    assert finding.variables["other"] == "keycloak"


def _judged(case: dict[str, Any]) -> Any:
    networks = {"NetworkSettings": {"Networks": {"sso": {"NetworkID": "sso"}}}}
    config = {"Image": "quay.io/keycloak/keycloak:26.0", "Env": case.get("env", [])}
    sso = container("keycloak", Config=config, **networks)
    edge = container("edge", **networks)
    reply = PageReply(
        "answered",
        status=case.get("status", 200),
        tls=case.get("tls", True),
        upgrades=case.get("upgrades", False),
        body=case.get("body", SCRIPT.format(case.get("url", OWN))),
    )
    asked = page(edge, reply, host_port=7443, programs=("nginx",))
    found = all_insecure_links(Made({}), pages(asked), Containers((edge, sso)), Processes(()))
    return judge("container.links-insecure", all_insecure_links=found)
