"""The commands that start and stop the engine, as each kind of host has them.

A page has them for systemd (`systemctl restart docker`) and for other init systems
(`service docker restart`).
"""

from collections.abc import Collection, Mapping

from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Trait

_OF_KIND: Mapping[Trait, str] = {
    "openrc": "rc-service docker {verb}",
    "slackware": "/etc/rc.d/rc.docker {verb}",
    "synology": "synopkg {verb} ContainerManager",
    "qnap": "/etc/init.d/container-station.sh {verb}",
}
"""OpenRC's rc-service(8), the script of Slackware and Unraid, the packages of DSM and QTS."""
OWN_RESTARTS = r"\b(?:rc\.docker|synopkg|container-station\.sh) (?:re)?start\b"
"""A pattern of those that start or restart the engine, where neither `systemctl` nor `service`
does."""
_SNAP_UNIT = "snap.docker.dockerd"
_ENGINE = (
    r"(?:docker\.socket |containerd )?docker(?:\.service)?"
    r"(?: docker\.socket| containerd)?(?![\w.-])"
)
"""The engine's units among the operands of a command; the snap and DSM have no other."""
_SERVICE = LazyPattern(r"\bservice docker (start|stop|restart|status)\b")
_SYSTEMCTL = LazyPattern(
    rf"(?:systemctl reset-failed {_ENGINE}(?: \|\| true)?(?:; |\n))?"
    rf"\bsystemctl (?:enable --now|(start|stop|restart)) {_ENGINE}"
)
"""What a page types to start or stop the engine under systemd."""
_UNIT = LazyPattern(rf"(\bsystemctl [a-z-]{{1,20}}(?: --now)? |\bjournalctl -u ){_ENGINE}")
_OF_USER = LazyPattern(r"\bsystemctl (?=[a-z-]+ docker\b|daemon-reload\b)")
_OF_USERS_SERVICE = LazyPattern(r"\bsystemctl --user (start|stop|restart|status) docker\b")
_DROP_INS = "/etc/systemd/system/"
_OF_USERS_UNITS = '"$HOME"/.config/systemd/user/'


def for_host(text: str, traits: Collection[Trait]) -> str:
    """The commands as they work on a host with these traits.

    A rootless engine is a unit of its user's own systemd.
    """
    if "rootless" in traits:
        by_systemd = _SERVICE.sub(r"systemctl \1 docker", text)
        return _OF_USER.sub("systemctl --user ", by_systemd).replace(_DROP_INS, _OF_USERS_UNITS)
    if "snap" in traits:
        with_unit = _UNIT.sub(rf"\g<1>{_SNAP_UNIT}", _SERVICE.sub(r"systemctl \1 docker", text))
        return with_unit.replace("docker.service.d/", f"{_SNAP_UNIT}.service.d/")
    command = next((command for kind, command in _OF_KIND.items() if kind in traits), "")
    if not command:
        return text
    plain = _SERVICE.sub(lambda match: command.format(verb=match[1]), text)
    return _SYSTEMCTL.sub(lambda match: command.format(verb=match[1] or "start"), plain)


def on_page(text: str) -> set[str]:
    """The commands that a page may have where a host's own command is this text."""
    texts = {
        text,
        text.replace("systemctl --user ", "systemctl ").replace(_OF_USERS_UNITS, _DROP_INS),
        _OF_USERS_SERVICE.sub(r"service docker \1", text),
        text.replace(_SNAP_UNIT, "docker"),
    }
    for command in _OF_KIND.values():
        for verb in ("start", "stop", "restart"):
            word = command.format(verb=verb)
            if word in text:
                texts.add(text.replace(word, f"service docker {verb}"))
                by_systemd = f"systemctl {verb} docker"
                texts.add(text.replace(word, by_systemd))
                texts.add(text.replace(word, f"systemctl reset-failed docker; {by_systemd}"))
    return texts
