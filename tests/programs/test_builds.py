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
    "several-sources": "COPY failed: When using COPY with more than one source file, the destination must be a directory and end with a /",
    "old-layer-gone": "failed to export image: failed to create image: failed to get layer sha256:4b19957e: layer does not exist",
    "no-dockerfile-for-snap": "ERROR: failed to solve: failed to read dockerfile: open /var/snap/docker/common/var-lib-docker/tmp/"
    "buildkit-mount3021091166/Dockerfile: no such file or directory",
    "base-image-denied": "ERROR: failed to solve: shop/base: failed to resolve source metadata for registry.lab/shop/base:latest: pull access denied",
    "buildx-not-installed": "ERROR: BuildKit is enabled but the buildx component is missing or broken.",
    "build-cancelled": "ERROR: failed to solve: Canceled: context canceled",
    "step-name-unresolved": "Temporary failure resolving 'deb.debian.org'",
    "step-names-unresolved": "npm ERR! code EAI_AGAIN",
    "step-peers-conflict": "npm ERR! code ERESOLVE",
    "step-lock-outdated": "npm ERR! Missing: vite@5.0.0 from lock file",
    "step-lock-missing": "npm ERR! The `npm ci` command can only install with an existing package-lock.json",
    "step-compiler-missing": "npm ERR! gyp ERR! find Python Python is not set from command line or npm configuration",
    "step-script-missing": 'npm ERR! Missing script: "build"',
    "step-npm-unknown": "npm ERR! 404 Not Found - GET https://registry.npmjs.org/@corp%2fui - Not found",
    "step-registry-login": "npm ERR! 401 Unauthorized - GET https://npm.pkg.github.com/@corp/ui",
    "step-heap-full": "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory",
    "step-module-missing": "error TS2307: Cannot find module './config' or its corresponding type declarations.",
    "step-pip-unmatched": "ERROR: Could not find a version that satisfies the requirement torch==1.4.0 (from versions: 1.13.0)",
    "step-pip-guards-system": "error: externally-managed-environment",
    "step-headers-missing": "Error: pg_config executable not found.",
    "step-wheel-not-built": "ERROR: Could not build wheels for cryptography, which is required to install pyproject.toml-based projects",
    "step-requirements-missing": "ERROR: Could not open requirements file: [Errno 2] No such file or directory: 'requirements.txt'",
    "step-go-module-missing": "go: go.mod file not found in current directory or any parent directory; see 'go help modules'",
    "step-go-too-old": "go: go.mod requires go >= 1.22 (running go 1.20.14; GOTOOLCHAIN=local)",
    "step-go-checksum": "verifying github.com/x/y@v1.0.0: checksum mismatch",
    "step-cargo-too-old": "error: failed to parse lock file at: /app/Cargo.lock  lock file version `4` was found, but this version of Cargo does not understand this lock file",
    "step-java-release": "[ERROR] Fatal error compiling: error: invalid target release: 21",
    "step-project-missing": "[ERROR] The goal you specified requires a project to execute but there is no POM in this directory (/app).",
    "step-wrapper-not-found": "/app/gradlew: not found",
    "step-composer-conflict": "Your requirements could not be resolved to an installable set of packages.",
    "step-php-extension": "- Root composer.json requires PHP extension ext-gd * but it is missing from your system.",
    "step-gem-locked": "Your bundle is locked to mysql2 (0.5.3), but that version could not be found",
    "step-gem-not-installed": "An error occurred while installing pg (1.5.4), and Bundler cannot continue.",
    "step-nuget-unreached": "error NU1301: Unable to load the service index for source https://api.nuget.org/v3/index.json.",
    "step-apk-unknown": "ERROR: unable to select packages:   python2 (no such package):",
    "step-centos-mirrors-gone": "Error: Failed to download metadata for repo 'appstream': Cannot prepare internal mirrorlist: No URLs in mirrorlist",
    "step-server-silent": "E: Failed to fetch http://deb.debian.org/debian/pool/main/x.deb  Connection timed out",
    "step-apt-no-room": "E: You don't have enough free space in /var/cache/apt/archives/.",
    "step-git-login": "fatal: could not read Username for 'https://github.com': No such device or address",
    "step-git-key": "git@github.com: Permission denied (publickey).",
    "step-certificate-unknown": "curl: (60) SSL certificate problem: unable to get local issuer certificate",
    "step-make-target": "make: *** No rule to make target 'install'.  Stop.",
    "step-path-not-there": "chmod: cannot access '/entrypoint.sh': No such file or directory",
    "step-program-not-there": "sh: tsc: not found",
    "step-compiler-killed": "error: could not compile `app` due to previous error (signal: 9, SIGKILL: kill)",
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
    "stage-unknown": 'ERROR: failed to solve: target stage "prod" could not be found',
    "stages-in-a-circle": "ERROR: failed to solve: circular dependency detected on stage: build",
    "context-not-there": "ERROR: resolve : lstat docker: no such file or directory",
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


def test_a_package_that_is_unknown_for_lack_of_a_name_server() -> None:
    lines = ["Err:1 Temporary failure resolving 'deb.lab.test'", "E: Unable to locate package curl"]
    found = recognise(lines, None, BUILD_ERRORS)
    assert found is not None
    assert found.failure.name == "step-name-unresolved"


def test_the_reason_of_a_base_image_is_without_its_request() -> None:
    found = recognise([LINES["base-image"]], None, BUILD_ERRORS)
    assert found is not None
    assert found.values["why"] == (
        "dial tcp: lookup registry-1.docker.io on 192.0.2.53:53: server misbehaving"
    )
