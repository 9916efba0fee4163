"""The files that the engine really writes containers' logs to."""

import msgspec

from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.engine.data_root import DataRoot
from diagnose.model import Unavailable
from diagnose.questions import Host
from diagnose.questions.processes import FindOpenFiles
from diagnose.registry import evidence


class WrittenLogs(msgspec.Struct, frozen=True):
    """The log files of containers that the engine has open, as the kernel names them now."""

    paths: frozenset[str]

    def instead_of(self, path: str) -> str:
        """The new name of a log that was renamed while the engine wrote it.

        Empty where the engine writes to the path.
        """
        if not path or path in self.paths:
            return ""
        return min((written for written in self.paths if written.startswith(path)), default="")


@evidence
def written_logs(host: Host, config: DaemonConfig, root: DataRoot) -> WrittenLogs | Unavailable:
    """The engine's own descriptors, which root alone may see."""
    if config.pid is None:
        return Unavailable("missing", "no engine runs here")
    answer = host.require(FindOpenFiles(config.pid, f"{root.path}/containers"))
    return WrittenLogs(frozenset(answer.paths))
