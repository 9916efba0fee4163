"""Builds that fail, each with BuildKit's words or those of the step."""

from __future__ import annotations

import pytest

from diagnose.programs.failures import BUILD_ERRORS, recognise

CHECKSUM = (
    "failed to compute cache key: failed to calculate checksum of ref e9cf1b2f-2825::h7y34jl: "
)
LINES = {
    "context-lacks-path": f'{CHECKSUM}"/app.conf": not found  [2/2] COPY app.conf /etc/app.conf',
    "stage-lacks-path": f'{CHECKSUM}"/dist": not found  [web 2/2] COPY --from=build /dist /dist',
    "path-not-found": f'{CHECKSUM}"/app.conf": not found',
    "no-dockerfile": "failed to read dockerfile: open Dockerfile: no such file or directory",
    "base-image": "bb:9: failed to resolve source metadata for docker.io/library/bb:9: "
    'failed to do request: Head "https://registry-1.docker.io/v2/library/bb/manifests/9": dial tcp: '
    "lookup registry-1.docker.io on 192.0.2.53:53: server misbehaving  [internal] load metadata",
    "package-list": "E: Unable to locate package libfoo",
    "old-package-list": "E: Failed to fetch http://deb.lab.test/debian/pool/main/c/curl/"
    "curl_7.88.1-10_amd64.deb  404  Not Found [IP: 192.0.2.80 80]",
    "release-gone": "E: The repository 'http://deb.lab.test/debian buster Release' does not have a "
    "Release file.",
    "step-killed": 'process "/bin/sh -c npm run build" did not complete successfully: exit code: 137'
    "  [4/5] RUN npm run build",
    "step-program-missing": 'process "/bin/sh -c bower install" did not complete successfully: exit '
    "code: 127  [4/5] RUN bower install",
    "step-of-other-machine": "exec /bin/sh: exec format error",
}


def test_each_row_has_a_line() -> None:
    assert {failure.name for failure in BUILD_ERRORS} == LINES.keys()


@pytest.mark.parametrize("name", LINES)
def test_a_line_is_recognised_as_its_row(name: str) -> None:
    found = recognise([LINES[name]], None, BUILD_ERRORS)
    assert found is not None
    assert found.failure.name == name
    assert "{" not in found.cause + found.cure


def test_the_reason_of_a_base_image_is_without_its_request() -> None:
    found = recognise([LINES["base-image"]], None, BUILD_ERRORS)
    assert found is not None
    assert found.values["why"] == (
        "dial tcp: lookup registry-1.docker.io on 192.0.2.53:53: server misbehaving"
    )
