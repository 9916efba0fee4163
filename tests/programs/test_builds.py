"""Builds that fail, each with BuildKit's words or those of the step."""

from __future__ import annotations

import pytest

from diagnose.programs.failures import BUILD_ERRORS, recognise

CHECKSUM = (
    "failed to compute cache key: failed to calculate checksum of ref e9cf1b2f-2825::h7y34jl: "
)
LINES = {
    "package-list-key": "W: GPG error: http://deb.debian.org/debian bookworm InRelease: The following signatures couldn't be verified because the public key is not available: NO_PUBKEY 0E98404D386FA1D9",
    "context-lacks-path": f'{CHECKSUM}"/app.conf": not found  [2/2] COPY app.conf /etc/app.conf',
    "stage-lacks-path": f'{CHECKSUM}"/dist": not found  [web 2/2] COPY --from=build /dist /dist',
    "path-not-found": f'{CHECKSUM}"/app.conf": not found',
    "dockerfile-not-there": "unable to prepare context: unable to evaluate symlinks in Dockerfile path: lstat /srv/app/Dockerfile: no such file or directory",
    "no-dockerfile": "failed to read dockerfile: open Dockerfile: no such file or directory",
    "base-image": "bb:9: failed to resolve source metadata for docker.io/library/bb:9: "
    'failed to do request: Head "https://registry-1.docker.io/v2/library/bb/manifests/9": dial tcp: '
    "lookup registry-1.docker.io on 192.0.2.53:53: server misbehaving  [internal] load metadata",
    "package-list": "E: Unable to locate package libfoo",
    "old-package-list": "E: Failed to fetch http://deb.lab.test/debian/pool/main/c/curl/"
    "curl_7.88.1-10_amd64.deb  404  Not Found [IP: 192.0.2.80 80]",
    "release-gone": "E: The repository 'http://deb.lab.test/debian buster Release' does not have a "
    "Release file.",
    "package-list-of-future": "E: Release file for http://deb.lab.test/debian/dists/bookworm-updates/InRelease is "
    "not valid yet (invalid for another 2h 14min 3s). Updates for this repository will not be applied.",
    "package-list-expired": "E: Release file for http://deb.lab.test/debian/dists/buster/InRelease is expired "
    "(invalid since 412d 3h 2min 1s). Updates for this repository will not be applied.",
    "package-list-signature": "W: GPG error: http://deb.lab.test/debian bookworm InRelease: At least one invalid "
    "signature was encountered.",
    "step-killed": 'process "/bin/sh -c npm run build" did not complete successfully: exit code: 137'
    "  [4/5] RUN npm run build",
    "step-program-missing": 'process "/bin/sh -c bower install" did not complete successfully: exit '
    "code: 127  [4/5] RUN bower install",
    "step-of-other-machine": "exec /bin/sh: exec format error",
    "build-cache-damaged": "failed to solve: failed to read dockerfile: failed to mount lhzivmrs3pheot21kx3b24aix: snapshot lhzivmrs3pheot21kx3b24aix does not exist: not found",
    "old-layer-gone": "failed to export image: failed to create image: failed to get layer sha256:4b19957e: layer does not exist",
    "no-dockerfile-for-snap": "ERROR: failed to solve: failed to read dockerfile: open /var/snap/docker/common/var-lib-docker/tmp/"
    "buildkit-mount3021091166/Dockerfile: no such file or directory",
    "base-image-denied": "ERROR: failed to solve: shop/base: failed to resolve source metadata for registry.lab/shop/base:latest: pull access denied",
    "buildx-not-installed": "ERROR: BuildKit is enabled but the buildx component is missing or broken.",
    "build-cancelled": "ERROR: failed to solve: Canceled: context canceled",
    "context-unreadable": "error checking context: no permission to read from '/srv/shop/pgdata'.",
    "dockerfile-outside": "the Dockerfile (/srv/other/Dockerfile) must be within the build context",
    "exposed-protocol": "Error response from daemon: dockerfile parse error line 5: invalid proto: tpc",
    "user-not-in-stage": 'ERROR: failed to solve: invalid user index: "app": user app not found',
    "needs-buildkit": "Error response from daemon: dockerfile parse error line 4: the --chmod option requires BuildKit. Refer to https://docs.docker.com/go/buildkit/",
    "platform-argument": "ERROR: failed to solve: failed to process arguments for platform $TARGET: unsupported variable",
    "stage-base-empty": "dockerfile parse error line 3: base name ($BASE) should not be blank",
    "frontend-version": 'ERROR: failed to solve: invalid dockerfile frontend version "1.4.x"',
    "mount-option-value": "ERROR: failed to solve: dockerfile parse error on line 4: invalid value for sharing: exclusive",
    "dockerfile-line": "ERROR: failed to solve: dockerfile parse error on line 6: invalid secret mount. one of source, target required",
    "dockerfile-empty": "Error response from daemon: the Dockerfile (Dockerfile) cannot be empty",
    "exporter-without-target": "ERROR: output directory is required for local exporter",
    "exporter-unsupported": "ERROR: OCI exporter is not supported for the docker driver.",
    "source-policy": 'ERROR: failed to solve: docker.io/library/alpine:3.20: could not resolve image due to policy: source "docker-image://docker.io/library/alpine:3.20" not allowed by policy: action DENY',
    "attestation-option": "ERROR: failed to solve: sbom scanner cannot be empty",
    "entitlement": "ERROR: failed to solve: granting entitlement security.insecure is not allowed by build daemon configuration",
    "ssh-key-missing": 'ERROR: failed to solve: failed to compute cache key: no SSH key "default" forwarded from the client',
    "secret-missing": "ERROR: failed to solve: secret npmrc: not found",
    "git-login-missing": "ERROR: failed to solve: failed to fetch remote https://github.com/acme/shop.git: git stderr: fatal: could not read Username for 'https://github.com': terminal prompts disabled: exit status 128",
    "git-fetch-failed": "ERROR: failed to solve: failed to fetch remote https://git.lab.test/shop.git: git stderr: fatal: couldn't find remote ref main",
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
