"""Files that a program refuses for their mode or their owner.

Too many may read or write them, or they belong to another user.
"""

from __future__ import annotations

from diagnose.programs.failures.recognition import Failure

ID = "container.file-mode-refused"
"""The check that compares owner and mode on the host."""

FILE_MODES = (
    Failure(
        "postgres-mode",
        "has ",
        r'data directory "(?P<path>[^"]+)" has (?:invalid permissions|group or world access)',
        "others than its owner may enter the data directory {path}, and PostgreSQL refuses that",
        "chmod 700 on the folder of the host",
        "docker-library/postgres#558",
        ID,
        ("700",),
    ),
    Failure(
        "postgres-owner",
        "wrong ownership",
        r'data directory "(?P<path>[^"]+)" has wrong ownership',
        "the data directory {path} does not belong to the user that PostgreSQL runs as",
        "chown on the folder of the host",
        "the program's own message",
        ID,
        ("owner",),
    ),
    Failure(
        "postgres-key",
        "group or world access",
        r'private key file "(?P<path>[^"]+)" has group or world access',
        "others than its owner may read the key {path}",
        "chmod 600 on the file",
        "the program's own message",
        ID,
        ("600",),
    ),
    Failure(
        "key-too-open",
        "too open",
        r"""permissions \d+ for ['\"]?(?P<path>[^\s'\"]+?)['\"]? are too open""",
        "others than its owner may read {path}, and the program refuses that",
        "chmod 600 on the file",
        "traefik/traefik#6972",
        ID,
        ("600",),
    ),
    Failure(
        "mongo-keyfile",
        "too open",
        r"permissions on (?P<path>/[^\s\"]+) are too open",
        "others than its owner may read the key file {path}",
        "chmod 400 on the file",
        "the program's own message",
        ID,
        ("400",),
    ),
    Failure(
        "beats-mode",
        "writable by the owner",
        r'config file \("(?P<file>[^"]+)"\) can only be writable by the owner',
        "others than its owner may write {file}, and Beats refuse that",
        "chmod go-w on the file",
        "elastic/beats#5162",
        ID,
        ("644",),
    ),
    Failure(
        "beats-owner",
        "must be owned by",
        r'config file \("(?P<file>[^"]+)"\) must be owned by',
        "{file} belongs to another user than the one that the program runs as",
        "chown on the file",
        "the program's own message",
        ID,
        ("owner",),
    ),
    Failure(
        "erlang-cookie-mode",
        "accessible by owner only",
        r"Cookie file (?P<path>\S+) must be accessible by owner only",
        "others than its owner may read the cookie file {path}",
        "chmod 400 on the file",
        "docker-library/rabbitmq#318",
        ID,
        ("400",),
    ),
    Failure(
        "mysql-world-writable",
        "world-writable config file",
        r"World-writable config file '(?P<path>[^']+)' is ignored",
        "anybody may write {path}, so the server ignores it",
        "chmod 644 on the file",
        "cytopia/devilbox#212",
        ID,
        ("644",),
    ),
)
