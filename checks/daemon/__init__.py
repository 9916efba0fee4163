"""The engine itself: alive or not and why, its configuration, its doors, its age."""

from checks.daemon import (
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
    without,
)

__all__ = [
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
    "without",
]
