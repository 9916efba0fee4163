"""Files that a program refuses for their mode or their owner.

Too many may read or write them, or they belong to another user.
"""

from __future__ import annotations

from diagnose.programs.failures.recognition import Failure

ID = "container.file-mode-refused"
"""The check that compares owner and mode on the host."""

FILE_MODES = (
    Failure(
        name="postgres-mode",
        mark="has ",
        pattern=r'data directory "(?P<path>[^"]+)" has (?:invalid permissions|group or world access)',
        cause="others than its owner may enter the data directory {path}, and PostgreSQL refuses that",
        cure="chmod 700 on the folder of the host",
        source="docker-library/postgres#558",
        confirmed_by=ID,
        needs=("700",),
    ),
    Failure(
        name="postgres-owner",
        mark="wrong ownership",
        pattern=r'data directory "(?P<path>[^"]+)" has wrong ownership',
        cause="the data directory {path} does not belong to the user that PostgreSQL runs as",
        cure="chown on the folder of the host",
        confirmed_by=ID,
        needs=("owner",),
    ),
    Failure(
        name="postgres-key",
        mark="group or world access",
        pattern=r'private key file "(?P<path>[^"]+)" has group or world access',
        cause="others than its owner may read the key {path}",
        cure="chmod 600 on the file",
        confirmed_by=ID,
        needs=("600",),
    ),
    Failure(
        name="key-too-open",
        mark="too open",
        pattern=r"""permissions \d+ for ['\"]?(?P<path>[^\s'\"]+?)['\"]? are too open""",
        cause="others than its owner may read {path}, and the program refuses that",
        cure="chmod 600 on the file",
        source="traefik/traefik#6972",
        confirmed_by=ID,
        needs=("600",),
    ),
    Failure(
        name="mongo-keyfile",
        mark="too open",
        pattern=r"permissions on (?P<path>/[^\s\"]+) are too open",
        cause="others than its owner may read the key file {path}",
        cure="chmod 400 on the file",
        confirmed_by=ID,
        needs=("400",),
    ),
    Failure(
        name="beats-mode",
        mark="writable by the owner",
        pattern=r'config file \("(?P<file>[^"]+)"\) can only be writable by the owner',
        cause="others than its owner may write {file}, and Beats refuse that",
        cure="chmod go-w on the file",
        source="elastic/beats#5162",
        confirmed_by=ID,
        needs=("644",),
    ),
    Failure(
        name="beats-owner",
        mark="must be owned by",
        pattern=r'config file \("(?P<file>[^"]+)"\) must be owned by',
        cause="{file} belongs to another user than the one that the program runs as",
        cure="chown on the file",
        confirmed_by=ID,
        needs=("owner",),
    ),
    Failure(
        name="erlang-cookie-mode",
        mark="accessible by owner only",
        pattern=r"Cookie file (?P<path>\S+) must be accessible by owner only",
        cause="others than its owner may read the cookie file {path}",
        cure="chmod 400 on the file",
        source="docker-library/rabbitmq#318",
        confirmed_by=ID,
        needs=("400",),
    ),
    Failure(
        name="mysql-world-writable",
        mark="world-writable config file",
        pattern=r"World-writable config file '(?P<path>[^']+)' is ignored",
        cause="anybody may write {path}, so the server ignores it",
        cure="chmod 644 on the file",
        source="cytopia/devilbox#212",
        confirmed_by=ID,
        needs=("644",),
    ),
)
