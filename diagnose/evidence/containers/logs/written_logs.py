"""The files that the engine really writes containers' logs to."""

import msgspec

from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.engine.data_root import DataRoot
from diagnose.model import Unavailable
from diagnose.questions import Host
from diagnose.questions.processes import FindOpenFiles
from diagnose.registry import evidence


class WrittenLogs(msgspec.Struct, frozen=True):
    """What the engine writes in the folders of its containers, as the kernel names it now."""

    paths: frozenset[str]

    def instead_of(self, path: str) -> str:
        """What a log was renamed to while the engine wrote it.

        Empty where it writes to the path.
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
