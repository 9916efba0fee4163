"""Errors of the host's package manager about Docker's own packages."""

from diagnose.programs.failures.recognition import Failure

_DOCKERS = r"download\.docker\.com/linux/"

REFUSED_PACKAGES = (
    Failure(
        name="package-selinux-missing",
        mark="container-selinux",
        pattern=r"(?:Requires|requires|nothing provides):? container-selinux\b",
        cause="the package container-selinux, which Docker's package needs, is in a repository that is not enabled (extras, AppStream)",
        cure="enable it (CentOS: extras; RHEL: subscription-manager repos --enable=rhel-7-server-extras-rpms; later ones: AppStream), "
        "and install again",
        source="docker/for-linux#20",
    ),
    Failure(
        name="tool-of-another-distribution",
        mark=": not found",
        pattern=r"/sh: (?:\d{1,3}: )?(?P<tool>apt|apt-get|apk|dnf|microdnf|yum|zypper): not found",
        cause="the base image belongs to another distribution: it has no {tool} (apk is of Alpine, apt-get of Debian and "
        "Ubuntu, dnf and microdnf of Fedora and Red Hat)",
        cure="install with the program of that distribution, or take the variant of the base image that has {tool}",
        source="the shell's own message",
        confirmed_by="image.build-failed",
    ),
    Failure(
        name="package-agent-missing",
        mark="gpg: ",
        pattern=r"gpg: (?:failed to start agent|can't connect to the agent)",
        cause="gpg, which should add the repository's key, finds no gpg-agent on this system",
        cure="apt-get install gnupg gpg-agent; or keep the key as text in /etc/apt/keyrings/docker.asc, which needs no gpg",
        source="docker/docs#7868",
    ),
    Failure(
        name="packages-held-back",
        mark="e",
        pattern=r"you have held broken packages|(?P<package>[\w.+-]{2,60}) : Depends: (?P<needed>[\w.+-]{2,60}) \(= [^)\n]{1,60}\) but (?P<has>\S{1,60}) is to be installed",
        cause="packages of this system have different states: some are held, or come from another release or mirror than the rest",
        cure="apt-mark showhold lists what is held; apt-cache policy PACKAGE shows where each version comes from; apt-get update and "
        "apt-get --fix-broken install bring them together",
        source="docker docs install engine",
    ),
    Failure(
        name="package-key-missing",
        mark="download.docker.com",
        pattern=_DOCKERS
        + r"[^\n]{0,200}(?:NO_PUBKEY|is not signed|EXPKEYSIG|repomd\.xml signature could not be verified)",
        cause="the package manager has no valid key of Docker's repository, with which its lists are signed",
        cure="fetch the key again as docs.docker.com/engine/install says (apt: /etc/apt/keyrings/docker.asc, readable for all), "
        "and name it in signed-by of the repository's file",
        source="docker docs install engine",
    ),
    Failure(
        name="package-release-missing",
        mark="download.docker.com",
        pattern=_DOCKERS
        + r"(?P<system>[\w-]{2,20})[/ ](?:dists/)?(?P<release>[\w.-]{2,30})[^\n]{0,120}(?:does not have a Release file|404\b)",
        cause="Docker's repository has nothing for {system} {release}: a derivative (Mint, Kali, Raspberry Pi OS) needs the name of its "
        "parent release, and old releases were removed",
        cure="write the parent's name (such as bookworm or jammy) into the repository's file, and update again",
        source="docker docs install engine",
    ),
    Failure(
        name="package-not-offered",
        mark="docker-",
        pattern=r"(?:Unable to locate package|Package '?|No match for argument: |nothing provides )(?P<package>docker-(?:ce|buildx|compose)[\w-]{0,30})(?:'? has no installation candidate)?",
        cause="no repository of this host has the package {package}: Docker's own repository is not set up, or its lists were not read",
        cure="set the repository up as docs.docker.com/engine/install says, and update the lists; a distribution's own package is docker.io",
        source="docker docs install engine",
    ),
    Failure(
        name="package-conflicts",
        mark=("containerd", "conflicts with", "docker-ce"),
        pattern=r"(?:containerd\.io|docker-ce\S{0,20}) : (?:Conflicts|Depends): (?P<other>[\w.-]{2,40})|conflicts with (?P<other_of>containerd(?:\.io)?|podman-docker|runc)\b",
        cause="packages of Docker and of the distribution are mixed: they exclude each other ({other})",
        cure="remove the distribution's docker.io, containerd, runc and podman-docker first (images and volumes stay), or take all from one source",
        source="docker docs install engine",
    ),
    Failure(
        name="release-archived",
        mark="does not have a release file",
        pattern=r"(?:The|the) repository '(?P<url>https?://(?P<host>[\w.-]{1,100})\S{0,200}) (?P<release>[\w./-]{1,60}) Release' does not have a Release file",
        cause="the server {host} has no release {release} any more: old releases are moved to an archive",
        cure="build on a release that is supported (another tag of the base image); for a while, in a step before "
        "apt-get update: sed -i s/deb.debian.org/archive.debian.org/ /etc/apt/sources.list (Ubuntu: old-releases.ubuntu.com)",
        source="apt's own message",
        confirmed_by="image.build-failed",
    ),
    Failure(
        name="authorities-not-in-image",
        mark="cafile: none",
        pattern=r"server certificate verification failed\. CAfile: none",
        cause="the image has no list of certificate authorities, so that no https server can be checked",
        cure="install the package ca-certificates in a step before (apt-get install -y ca-certificates)",
        source="git's own message",
    ),
)
"""The first row that fits counts."""
