"""Endpoints with HTTPS and without a certificate in the settings of a .NET program."""

from __future__ import annotations

import json
from typing import Any

import pytest

from diagnose.evidence.containers.programs.https_endpoints import https_endpoints
from diagnose.model import Failed
from diagnose.questions.containers import ReadContainerFile
from tests.checks.container.evidence import failed_with_log
from tests.hosts import Made
from tests.inspected import of

LINE = "Unable to configure HTTPS endpoint. No server certificate was specified, and the default"
OPEN = {"Https": {"Url": "https://localhost:52001"}, "Http": {"Url": "http://localhost:52000"}}
CERTIFIED = {"Https": {"Url": "https://localhost:52001", "Certificate": {"Path": "/shop.pfx"}}}
SET = ["Kestrel__Endpoints__Https__Url=http://+:8081"]


def settings(**kestrel: Any) -> str:
    return json.dumps({"AllowedHosts": "*", "Kestrel": kestrel})


FILES: dict[str, tuple[dict[str, str], list[str], str]] = {
    "an endpoint without one": ({"": settings(Endpoints=OPEN)}, [], "/app/appsettings.json"),
    "in the file of the environment": (
        {".Staging": settings(Endpoints=OPEN), "": "{}"},
        ["ASPNETCORE_ENVIRONMENT=Staging"],
        "/app/appsettings.Staging.json",
    ),
    "with a mark of its order": (
        {"": "\ufeff" + settings(Endpoints=OPEN)},
        [],
        "/app/appsettings.json",
    ),
    "an endpoint with one": ({"": settings(Endpoints=CERTIFIED)}, [], ""),
    "one for all": ({"": settings(Endpoints=OPEN, Certificates={"Default": {}})}, [], ""),
    "a variable makes it plain": ({"": settings(Endpoints=OPEN)}, SET, ""),
    "comments in the file": ({"": "{ // plain\n}"}, [], ""),
    "another shape": ({"": json.dumps({"Kestrel": [1]})}, [], ""),
    "no such file": ({}, [], ""),
}


@pytest.mark.parametrize(("files", "variables", "path"), FILES.values(), ids=FILES)
def test_an_endpoint_of_the_image(files: dict[str, str], variables: list[str], path: str) -> None:
    def read(question: ReadContainerFile) -> Any:
        text = files.get(question.path.removeprefix("/app/appsettings").removesuffix(".json"))
        if text is None:
            return Failed("gone", "no such file")
        return {"type": "file", "hex": text.encode().hex()}

    container, log_tails = failed_with_log(LINE, Config={"WorkingDir": "/app", "Env": variables})
    found = https_endpoints(Made({"api.archive": read}), of(container), log_tails).of(container)
    assert (found.path if found is not None else "") == path
    if found is not None:
        assert found.steps == {"unprotected": "Kestrel__Endpoints__Https__Url=http://+:52001"}
        assert path in found.clause
