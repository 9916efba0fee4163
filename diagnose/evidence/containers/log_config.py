"""The log driver of a container, and what follows from its options."""

from collections.abc import Mapping

import msgspec

from diagnose.numbers import is_number

_LOCAL_DRIVERS = frozenset({"json-file", "local", "none", "journald", "db", ""})
"""Drivers that write to this machine; the others wait for something that may be far away."""


class LogConfig(msgspec.Struct, frozen=True, rename="pascal"):
    """HostConfig.LogConfig: the driver and its options, fixed when the container was created."""

    type: str = ""
    config: dict[str, str] | None = None

    @property
    def options(self) -> Mapping[str, str]:
        return self.config or {}

    @property
    def is_local(self) -> bool:
        """Whether the driver writes to this machine alone."""
        return self.type in _LOCAL_DRIVERS

    @property
    def has_json_file(self) -> bool:
        return self.type == "json-file"

    @property
    def keeps_lines(self) -> bool:
        """Whether the engine can read the log: not with the driver none, nor without its cache.

        The first is a decision of the user, the second is the subject of logging.driver-unreadable.
        """
        return self.type != "none" and not self.has_no_cache

    @property
    def has_no_cache(self) -> bool:
        """Whether the engine's own copy of what a remote driver sends away is switched off."""
        return self.options.get("cache-disabled") == "true"

    @property
    def has_no_limit(self) -> bool:
        """Whether the log file grows for ever.

        max-file without max-size limits nothing, and the `local` driver has a default.
        """
        limit = self.options.get("max-size", "")
        if self.type == "json-file":
            return limit in ("", "-1")
        return self.type == "local" and limit == "-1"

    @property
    def older_files(self) -> int:
        """The number of older log files that the driver keeps beside the current one.

        json-file keeps 1 file and local 5, unless configured otherwise.
        """
        default = "5" if self.type == "local" else "1"
        files = self.options.get("max-file", default)
        return int(files) - 1 if is_number(files) else 0
