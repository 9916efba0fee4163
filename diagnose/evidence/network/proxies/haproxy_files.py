"""The configuration files of HAProxy that are mounted into its containers."""

from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.inspect import innermost_mount
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.mounts.mounted_files import mounted_file
from diagnose.evidence.items import ByContainer
from diagnose.evidence.network.proxies.cut_connections import AllCutConnections
from diagnose.evidence.network.proxies.cut_sessions import AllCutSessions
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.file_parts import Parts
from diagnose.registry import evidence

_USUAL = ("/usr/local/etc/haproxy/haproxy.cfg", "/etc/haproxy/haproxy.cfg")
_OPTION = "-f"


class HaproxyFile(msgspec.Struct, frozen=True):
    """A configuration of HAProxy, in the parts that were asked for."""

    path: str
    """Its path on the host."""
    lines: tuple[str, ...]


def haproxy_file(host: Host, proxy: Container, parts: Parts) -> HaproxyFile | None:
    """The configuration that HAProxy was started with; None where it is not mounted."""
    for path in _paths(proxy):
        mount = innermost_mount(proxy.mounts, path)
        if mount is None or not mount.has_host_path:
            continue
        text = host.ask(mounted_file(mount, path, parts=parts))
        if not isinstance(text, Failed):
            return HaproxyFile(mount.on_host(path), tuple(text.text.splitlines()))
    return None


def _paths(proxy: Container) -> Iterator[str]:
    """The file that the command names, and then the usual ones."""
    words = proxy.config.words
    for at, word in enumerate(words[:-1]):
        if word == _OPTION:
            yield words[at + 1]
    yield from _USUAL


class ImpatientFiles(ByContainer[str], frozen=True):
    """The path on the host of a configuration without a time limit for tunnels, by HAProxy's
    container."""


@evidence
def impatient_files(
    host: Host,
    all_cut_connections: AllCutConnections | None,
    all_cut_sessions: AllCutSessions | None,
) -> ImpatientFiles:
    """Read only where HAProxy has cut something off.

    A file without a section `defaults` is left out, as one with more than one: where the limit
    belongs is not known then.
    """
    proxies = [cut.container for cut in all_cut_connections or () if cut.hop is None]
    proxies += [cut.proxy for cut in all_cut_sessions or ()]
    paths_by_id = {}
    for proxy in proxies:
        file = haproxy_file(host, proxy, "time limits")
        if file is None or any(line.startswith("timeout tunnel") for line in file.lines):
            continue
        if file.lines.count("defaults") == 1:
            paths_by_id[proxy.id] = file.path
    return ImpatientFiles(paths_by_id)
