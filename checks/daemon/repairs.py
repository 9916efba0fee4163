"""The smallest repair of the engine's configuration file."""

from collections.abc import Sequence

from checks.daemon.starting.configuration import (
    conflict_of_last_start,
    refused_keys,
    removable_keys,
)
from checks.daemon.starting.failed_starts import OPTIONS
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.engine.daemon_json.blame import blamed_key
from diagnose.evidence.engine.daemon_json.faults import ConfigFaults
from diagnose.evidence.engine.log import DaemonLog
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.mappings import distinct
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.files import ReadFile
from diagnose.registry import repairs
from diagnose.repair.differences import Difference, FileChange, Then, daemon_keys


def _next_step(daemon: Daemon) -> Then:
    """The step after a change: a running engine reads its file at its next start; a stopped one has
    to be started."""
    return "restart" if daemon.is_down else "nothing"


def _key_to_remove(key: str, config: DaemonConfig, interfaces: Interfaces | None) -> str:
    """The key that has to go so that the engine starts, where its words name this key.

    `bip` and `bridge` exclude each other, and the engine names `bip`. Where the host has no
    interface with the name of `bridge`, an engine without `bip` refuses `bridge` next.
    """
    bridge = config.in_file("bridge")
    if key != "bip" or interfaces is None or not isinstance(bridge, str):
        return key
    is_missing = bridge not in ("", "none") and bridge not in interfaces.by_name
    return "bridge" if is_missing else key


@repairs("daemon.config-invalid")
def file_without_slips(
    host: Host,
    config: ConfigFaults,
    settings: DaemonConfig,
    daemon: Daemon,
    interfaces: Interfaces | None,
) -> Sequence[Difference]:
    """The edits after which the engine accepts the file, where none of them needs a decision.

    Otherwise the keys at fault are removed, for an engine that is down.
    """
    file = host.ask(ReadFile(config.path))
    if isinstance(file, Failed):
        return ()
    if config.rewritten:
        return (FileChange(config.path, file.text, config.rewritten, then=_next_step(daemon)),)
    if config.file_repair is None:
        named_keys = removable_keys(config) if daemon.is_down else []
        keys = distinct(_key_to_remove(key, settings, interfaces) for key in named_keys)
        return daemon_keys(settings, dict.fromkeys(keys), host, "restart") if keys else ()
    mended = file.text
    for edit in config.file_repair.edits:
        mended = edit.applied(mended)
    return (FileChange(config.path, file.text, mended, then=_next_step(daemon)),)


@repairs("daemon.config-flag-conflict")
def settings_on_the_command_line_alone(
    host: Host, config: DaemonConfig, log: DaemonLog | None, daemon: Daemon
) -> Sequence[Difference]:
    """Removes from the file the settings that the command line gives too: the engine runs by the
    command line today.

    Where no command line is seen, the engine that refused its last start names the settings.
    """
    refusal = conflict_of_last_start(log) if log is not None and daemon.is_down else None
    keys_in_both = config.keys_in_both or refused_keys(refusal)
    keys = [key for key in keys_in_both if key in config.values]
    return daemon_keys(config, dict.fromkeys(keys), host, _next_step(daemon)) if keys else ()


@repairs("daemon.remote-api-open")
def no_address_for_everyone(host: Host, config: DaemonConfig) -> Sequence[Difference]:
    """Removes the TCP addresses from `hosts`, where the file has them."""
    hosts = config.in_file("hosts")
    if not isinstance(hosts, list):
        return ()
    local = [address for address in hosts if not str(address).startswith("tcp:")]
    if local == hosts:
        return ()
    return daemon_keys(config, {"hosts": local or None}, host)


@repairs("daemon.not-running")
def without_the_setting_that_its_log_names(
    host: Host, config: DaemonConfig, log: DaemonLog, daemon: Daemon, interfaces: Interfaces | None
) -> Sequence[Difference]:
    """Removes the key to which the last start objected from the file."""
    blamed = blamed_key(config, log.last_failure.text if log.last_failure is not None else "")
    key = _key_to_remove(blamed, config, interfaces)
    return daemon_keys(config, {key: None}, host, _next_step(daemon)) if key else ()


@repairs("daemon.storage-driver-failed")
def without_the_options_of_the_driver(
    host: Host, config: DaemonConfig, log: DaemonLog, daemon: Daemon
) -> Sequence[Difference]:
    """Removes the options of the storage driver from the file, where the last start objected to
    them."""
    text = log.last_failure.text if log.last_failure is not None else ""
    if blamed_key(config, text) != OPTIONS:
        return ()
    return daemon_keys(config, {OPTIONS: None}, host, _next_step(daemon))
