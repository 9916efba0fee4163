"""The engine itself: alive or not and why, its configuration, its doors, its age."""

from checks.daemon import (
    client,
    configuration,
    containerd,
    data_root,
    databases,
    dead,
    life,
    plugins,
    posture,
    settings,
    start,
    tls,
    without,
)

__all__ = [
    "client",
    "configuration",
    "containerd",
    "data_root",
    "databases",
    "dead",
    "life",
    "plugins",
    "posture",
    "settings",
    "start",
    "tls",
    "without",
]
