"""Starts of containerd that fail, and an engine that does not reach it."""

from diagnose.programs.failures.recognition import Failure

CONTAINERD = (
    Failure(
        name="containerd-file-malformed",
        mark="failed to load toml",
        pattern=r"failed to load TOML(?: from|:) (?P<file>/[^\s:]{1,200}): (?P<why>[^\n]{1,200})",
        cause="{file} is not valid TOML: {why}",
        cure="correct that line; mv {file} {file}.old && containerd config default > {file} writes a whole new file",
        confirmed_by="daemon.containerd-config-invalid",
    ),
    Failure(
        name="containerd-file-newer",
        mark="config version",
        pattern=r"unsupported config version:? `?(?P<version>\d{1,3})|expected containerd config version equal to or less than `\d{1,3}`, got `(?P<version_got>\d{1,3})",
        cause="containerd's config.toml is written for version {version}, which this containerd does not read",
        cure="containerd config default shows the version that it reads; write the file again from that, or install the newer containerd again",
        confirmed_by="daemon.containerd-config-invalid",
    ),
    Failure(
        name="containerd-already-runs",
        mark="address already in use",
        pattern=r"listen unix (?P<socket>/\S{0,60}containerd\S{0,60}\.sock(?:\.ttrpc)?): bind: address already in use",
        cause="another containerd serves {socket} already",
        cure="pgrep -a containerd shows it: keep the one of systemctl status containerd, and stop the other",
    ),
    Failure(
        name="containerd-not-reached",
        mark=("failed to dial", "error while dialing"),
        pattern=r"failed to dial \"?(?P<socket>/\S{0,60}containerd\.sock)|error while dialing:? dial unix:?/{0,3} ?(?P<socket_of>/\S{0,60}containerd\.sock)",
        cause="the engine does not reach containerd at {socket}: it does not run, or does not answer in time",
        cure="systemctl status containerd and journalctl -u containerd -n 20 say why; systemctl restart containerd docker",
    ),
)
"""The first row that fits counts."""
