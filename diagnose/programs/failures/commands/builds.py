"""Errors of image builds: from BuildKit, and from a failed step.

A line of BuildKit is its error, two spaces, and the step, as `docker build` prints it in front.
"""

from diagnose.programs.failures.commands.refused_builds import REFUSED_BUILDS
from diagnose.programs.failures.commands.step_downloads import DOWNLOADS
from diagnose.programs.failures.commands.step_tools import TOOLS
from diagnose.programs.failures.recognition import Failure

_STEPS = (
    Failure(
        name="stage-lacks-path",
        mark=": not found  [",
        pattern=r"\"(?P<path>/[^\"]{0,300})\": not found  \[[^\]]{0,99}\] (?:COPY|ADD) "
        r".{0,200}--from=(?P<stage>\S+)",
        cause="the step copies {path} from {stage}, which does not have it",
        cure="correct the path, or the step that should have made it",
        source="docker/buildx#1269",
        page={"stage_path": "{path}", "stage": "{stage}"},
    ),
    Failure(
        name="context-lacks-path",
        mark=": not found  [",
        pattern=r"\"/(?P<path>[^\"]{1,300})\": not found  \[[^\]]{0,99}\] (?:COPY|ADD) ",
        cause="{path} is not in the build context",
        cure="give a context that holds {path}, correct the path, or take it out of .dockerignore",
        source="docker/cli#2213",
        page={"missing": "{path}"},
    ),
    Failure(
        name="path-not-found",
        mark="not found",
        pattern=r"failed to (?:calculate checksum of ref \S{1,200}|compute cache key:) \"(?P<path>/[^\"]{0,300})\"(?: not found)?: not found$",
        cause="{path} is neither in the build context nor in the stage that the step copies from",
        cure="correct the path, the context or .dockerignore",
        source="docker/cli#2213",
        page={"missing": "{path}"},
    ),
    Failure(
        name="no-dockerfile-for-snap",
        mark="/var/snap/docker/",
        pattern=r"failed to read dockerfile: open /var/snap/docker/\S{1,300}/(?P<file>[^\s:/]{1,200}): no such file",
        cause="the build context has no file {file}; the Docker of snap sees only folders below the user's home",
        cure="type the command in the folder of the {file}, below your home; or name the file with --file",
        source="MattDGTL/sonarr-radarr-queue-cleaner#20",
    ),
    Failure(
        name="no-dockerfile",
        mark="failed to read dockerfile",
        pattern=r"failed to read dockerfile: open (?:/\S{1,200}/buildkit-mount\d+/)?(?P<file>[^\s:]{1,300}): no such file",
        cause="the build context has no file {file}",
        cure="name the Dockerfile with --file (compose: dockerfile)",
        source="docker/for-mac#5379",
    ),
    Failure(
        name="base-image-denied",
        mark="failed to resolve source metadata",
        pattern=r"failed to resolve source metadata for (?P<base>\S{1,300}): [^\n]{0,200}?(?:pull access denied|insufficient_scope)",
        cause="its base image {base} is in no public repository of that name: the name is misspelt, or the repository is private and no "
        "login was given",
        cure="correct the name behind FROM, or docker login to its registry and repeat the build",
        page={"base": "{base}"},
    ),
    Failure(
        name="base-image",
        mark="failed to resolve source metadata",
        pattern=r"failed to resolve source metadata for (?P<base>\S{1,300}): "
        r"(?:failed to do request: \w+ \"[^\"]{1,300}\": )?(?P<why>[^\n]{1,300}?)(?:  \[|$)",
        cause="its base image {base} could not be looked up: {why}",
        cure="pull {base} to see whether it is there now",
        source="docker/buildx#1986",
        page={"base": "{base}"},
    ),
    Failure(
        name="package-list",
        mark="unable to locate package",
        pattern=r"E: Unable to locate package (?P<package>\S{1,99})",
        cause="apt-get does not know the package {package}: its lists are missing or too old, or the "
        "name is wrong",
        cure="run apt-get update in the same RUN step as apt-get install, and check the name",
        source="docker/docs#4034",
        follows=True,
    ),
    Failure(
        name="old-package-list",
        mark="404  not found",
        pattern=r"(?:E: Failed to fetch|Err:\d+) [^\n]{1,300}404  Not Found",
        cause="the package lists in a cached layer name files that the mirror has replaced",
        cure="build once with --no-cache, and keep apt-get update and apt-get install in one RUN step",
        source="moby/moby#3313",
        page={"without_cache": "--no-cache"},
    ),
    Failure(
        name="release-gone",
        mark="the repository '",
        pattern=r"The repository '(?P<repository>[^']{1,200})' (?:does not have|no longer has) a Release file",
        cause="the mirror no longer has {repository}: that release of the distribution is out of support",
        cure="use a newer base image, or the archive's address in the sources of apt",
        source="debuerreotype/docker-debian-artifacts#183",
    ),
    Failure(
        name="package-list-of-future",
        mark="is not valid yet",
        pattern=r"Release file for (?P<repository>\S{1,300}) is not valid yet \(invalid for another (?P<ahead>[^)\n]{1,60})\)",
        cause="the clock of this host is at least {ahead} behind: the package lists at {repository} are from its future",
        cure="set the clock (date -u shows it; timedatectl set-ntp true, or hwclock --hctosys after a sleep), and build again",
        source="microsoft/WSL#4245",
    ),
    Failure(
        name="package-list-expired",
        mark="is expired",
        pattern=r"Release file for (?P<repository>\S{1,300}) is expired \(invalid since (?P<since>[^)\n]{1,60})\)",
        cause="the package lists at {repository} have been out of date for {since}: a snapshot or a mirror that is no longer "
        "renewed, or a clock of this host that is ahead",
        cure="compare date -u with the right time; of a snapshot, apt-get -o Acquire::Check-Valid-Until=false update",
    ),
    Failure(
        name="package-list-signature",
        mark="invalid signature was encountered",
        pattern=r"At least one invalid signature was encountered",
        cause="apt could not check the signature of a package list, which is most often not the signature: the disk of the "
        "data root is full, or the host's libseccomp or engine is older than the image needs",
        cure="df -h and df -i on the data root first; then upgrade libseccomp2 and the engine on this host, and build again",
        source="debuerreotype/docker-debian-artifacts#97",
    ),
    Failure(
        name="package-list-key",
        mark="no_pubkey",
        pattern=r"NO_PUBKEY (?P<key>[0-9A-F]{8,40})",
        cause="apt has no key {key} with which the package lists are signed: it was not installed, or the signer has a new one",
        cure="fetch the repository's key again into /etc/apt/keyrings (its own page says from where), and name it in signed-by of "
        "its file in /etc/apt/sources.list.d",
        source="docker docs install engine debian",
    ),
    Failure(
        name="step-killed",
        mark="exit code: 137",
        pattern=r"did not complete successfully: exit code: 137",
        cause="the step was killed (SIGKILL), most often because memory ran out",
        cure="give the host memory or swap, or let the step do less at once",
        source="docker/buildx#593",
    ),
    Failure(
        name="step-program-missing",
        mark="exit code: 127",
        pattern=r"did not complete successfully: exit code: 127",
        cause="a program that the step calls is not in the image",
        cure="install it in an earlier step, or use a base image that has it",
        source="docker/buildx#1206",
    ),
    Failure(
        name="step-of-other-machine",
        mark="exec format error",
        pattern=r"exec format error",
        cause="the step's program is built for another processor than this host has",
        cure="build for this platform, or install an emulator for the other one",
        source="docker/buildx#495",
    ),
)
"""The rows about the step's own words are looked up in what it printed, the others in BuildKit's
line."""

BUILD_ERRORS = (*_STEPS, *REFUSED_BUILDS, *DOWNLOADS, *TOOLS)
"""The first row that fits counts."""
