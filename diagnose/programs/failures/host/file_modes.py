"""Files that a program refuses for their mode or their owner.

Too many may read or write them, or they belong to another user.
"""

from diagnose.programs.failures.recognition import Failure

ID = "container.file-mode-refused"
"""The check that compares owner and mode on the host."""

FILE_MODES = (
    Failure(
        name="script-bom",
        mark="\ufeff#!",
        pattern=r"^(?P<path>[\w./-]{1,200}): (?:line )?\d{1,3}: \ufeff#!",
        cause="the script {path} begins with a byte order mark, as editors of Windows write it, so that its first line "
        "counts as a command",
        cure="save it as UTF-8 without BOM: sed -i '1s/^\\xEF\\xBB\\xBF//' on the file, then build or mount it again",
        source="dash's own message",
        look="encoding",
    ),
    Failure(
        name="configuration-bom",
        explains_only=True,
        mark=("\ufeff", "\\ufeff", "\\xef\\xbb\\xbf"),
        pattern=r"\ufeff|\\ufeff|\\xef\\xbb\\xbf",
        cause="a file of the program's settings begins with a byte order mark, as editors of Windows write it, and the "
        "program takes that for a part of the first word",
        cure="save it as UTF-8 without BOM: sed -i '1s/^\\xEF\\xBB\\xBF//' on the file",
        source="Unicode FAQ, byte order mark",
        look="encoding",
    ),
    Failure(
        name="logrotate-folder-open",
        mark="parent directory has insecure permissions",
        pattern=r"skipping \"(?P<path>[^\"]{1,300})\" because parent directory has insecure permissions",
        cause="logrotate leaves {path} alone: others than root may write in its folder",
        cure="write su with the owner's user and group into that part of its configuration, or take the right to write "
        "from group and others (chmod go-w) on the folder",
        source="logrotate's own message",
        turns_away=True,
    ),
    Failure(
        name="postgres-mode",
        mark="has ",
        pattern=r'data directory "(?P<path>[^"]+)" has (?:invalid permissions|group or world access)',
        cause="users other than its owner may enter the data directory {path}, and PostgreSQL refuses that",
        cure="set mode 700 for the folder on the host (chmod)",
        source="docker-library/postgres#558",
        confirmed_by=ID,
        needs=("700",),
    ),
    Failure(
        name="postgres-owner",
        mark="wrong ownership",
        pattern=r'data directory "(?P<path>[^"]+)" has wrong ownership',
        cause="the data directory {path} does not belong to the user that PostgreSQL runs as",
        cure="give the folder on the host to that user (chown)",
        confirmed_by=ID,
        needs=("owner",),
    ),
    Failure(
        name="postgres-key",
        mark="group or world access",
        pattern=r'private key file "(?P<path>[^"]+)" has group or world access',
        cause="users other than its owner may read the key {path}",
        cure="set mode 600 for the file (chmod)",
        confirmed_by=ID,
        needs=("600",),
    ),
    Failure(
        name="key-too-open",
        mark="too open",
        pattern=r"""(?:\bis skipped from the resolvers list\b.{0,80}?)?\bpermissions \d+ for ['\"]?(?P<path>[^\s'\"]+?)['\"]? are too open""",
        cause="users other than its owner may read {path}, and the program refuses that",
        cure="set mode 600 for the file (chmod)",
        source="traefik/traefik#6972",
        confirmed_by=ID,
        needs=("600",),
    ),
    Failure(
        name="mongo-keyfile",
        mark="too open",
        pattern=r"permissions on (?P<path>/[^\s\"]+) are too open",
        cause="users other than its owner may read the key file {path}",
        cure="set mode 400 for the file (chmod)",
        confirmed_by=ID,
        needs=("400",),
    ),
    Failure(
        name="beats-mode",
        mark="writable by the owner",
        pattern=r'config file \("(?P<file>[^"]+)"\) can only be writable by the owner',
        cause="users other than its owner may write {file}, and Beats refuse that",
        cure="let only its owner write the file (chmod go-w)",
        source="elastic/beats#5162",
        confirmed_by=ID,
        needs=("644",),
    ),
    Failure(
        name="beats-owner",
        mark="must be owned by",
        pattern=r'config file \("(?P<file>[^"]+)"\) must be owned by',
        cause="{file} does not belong to the user that the program runs as",
        cure="give the file to that user (chown)",
        confirmed_by=ID,
        needs=("owner",),
    ),
    Failure(
        name="erlang-cookie-mode",
        mark="accessible by owner only",
        pattern=r"Cookie file (?P<path>\S+) must be accessible by owner only",
        cause="users other than its owner may read the cookie file {path}",
        cure="set mode 400 for the file (chmod)",
        source="docker-library/rabbitmq#318",
        confirmed_by=ID,
        needs=("400",),
    ),
    Failure(
        name="mysql-world-writable",
        mark="world-writable config file",
        pattern=r"World-writable config file '(?P<path>[^']+)' is ignored",
        cause="every user may write {path}, so the server ignores it",
        cure="set mode 644 for the file (chmod)",
        source="cytopia/devilbox#212",
        confirmed_by=ID,
        needs=("644",),
    ),
    Failure(
        name="key-of-others",
        mark=("written by other users", "has the wrong owner, group, or mode"),
        pattern=r"(?P<path>/[\w./@+-]{2,200}) can be read or written by other users\b"
        r"|\bfile (?P<path_exim>/[\w./@+-]{2,200}) has the wrong owner, group, or mode\b",
        cause="the program refuses {path}: others than its own user may read or write it, or own it",
        cure="give it to root or to the program's user (chown), and take the rights from the others: chmod 600 for a key, "
        "644 for a configuration; of a mounted file, on the host",
        source="OpenDKIM's and Exim's own messages",
    ),
)
