"""The engine's error about the source of a mount, whose end says why: `file exists`, `permission
denied`, `read-only file system`."""

UNMADE_SOURCE = r"error while creating mount source path '(?P<path>[^']+)': mkdir (?P<made>\S+): "
"""`error while creating mount source path '/srv/data': mkdir /srv: ` without the reason."""
