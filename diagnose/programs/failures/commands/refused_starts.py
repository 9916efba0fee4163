"""Errors of systemd, a package or the engine where Docker itself does not start."""

from diagnose.programs.failures.recognition import Failure

REFUSED_STARTS = (
    Failure(
        name="pid-file-left",
        mark="running or delete",
        pattern=r"ensure docker is not running or delete (?P<file>/[\w./-]{1,200}\.pid)",
        cause="the engine finds a file with the process id of an engine: one runs already, or an engine that was killed left it behind",
        cure="pgrep -a dockerd says whether one runs; if none does, rm {file} and systemctl start docker",
        source="moby/moby#31182",
        confirmed_by="daemon.stale-pidfile",
    ),
    Failure(
        name="unit-not-there",
        mark=("docker not ", "docker could not", "docker.service not ", "docker.service could not"),
        pattern=r"Unit docker(?:\.service)? (?:not found|could not be found)",
        cause="this host has no unit docker.service: Docker was not installed as a package, was removed, or is the snap or the "
        "rootless one, whose units have other names",
        cure="command -v dockerd and snap list docker say what there is; systemctl --user status docker is the rootless engine; if "
        "there is none, install it as docs.docker.com/engine/install says",
    ),
    Failure(
        name="socket-limit-hit",
        mark="service-start-limit-hit",
        pattern=r"docker\.socket: Failed with result 'service-start-limit-hit'",
        cause="docker.service failed several times within seconds, so systemd closed docker's "
        "socket too and does not try again",
        cure="journalctl -u docker -b --no-pager | grep -i 'failed to start' gives the reason; "
        "when it is fixed: systemctl reset-failed docker.service docker.socket && systemctl "
        "start docker",
        confirmed_by="daemon.start-limit-hit",
    ),
    Failure(
        name="package-engine-not-started",
        mark="post-installation script",
        pattern=r"(?:package )?(?P<package>docker(?:-ce|\.io)?|containerd(?:\.io)?) (?:package |\(--configure\))[^\n]{0,80}post-installation script",
        cause="the package {package} is installed, and the engine did not start at the end of its installation",
        cure="journalctl -u docker -n 30 --no-pager says why; when it is fixed: dpkg --configure -a",
        source="docker/for-linux#384",
        confirmed_by="daemon.not-running",
    ),
    Failure(
        name="own-containerd-ended",
        mark="containerd did not exit",
        pattern=r"containerd did not exit successfully\"?\s+error=\"(?P<reason>[^\"\n]{1,120})",
        cause="the containerd that the engine starts has ended by itself: {reason}",
        cure="containerd --version says whether the program runs at all: if it does not, install it again; if it does, "
        "its records are damaged: journalctl -u docker -n 50 --no-pager names the file",
        confirmed_by="daemon.containerd-down",
    ),
    Failure(
        name="command-is-a-wrapper",
        mark="/usr/bin/docker-",
        pattern=r"/docker: line \d{1,4}: /usr/bin/docker-(?P<variant>latest|current): No such file",
        cause="/usr/bin/docker is a small script of the package docker-common, and the program that it calls, "
        "docker-{variant}, is not installed",
        cure="install the package docker, or Docker's own docker-ce-cli instead of docker-common",
        source="kstaken/dockerfile-examples#5",
    ),
    Failure(
        name="chain-gone",
        mark=("docker", "forward"),
        pattern=r"Chain '(?P<chain>DOCKER[\w-]{0,40})' does not exist"
        r"|iptables[^\n]{0,300}Couldn't load target `(?P<chain_old>DOCKER[\w-]{0,40})'",
        cause="the chain {chain} is not in iptables: another program (a firewall, iptables -F) removed it since the engine "
        "started, or the rules are in the other of iptables-nft and iptables-legacy",
        cure="systemctl restart docker writes it again; containers stop and start with it unless live-restore is on",
        source="moby/moby#47980",
        confirmed_by="firewall.chains-missing",
    ),
)
"""The first row that fits counts."""
