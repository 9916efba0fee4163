"""A file that a program replaces, and that is itself a mount."""

from diagnose.programs.failures.recognition import Failure

REPLACED_FILES = (
    Failure(
        name="engines-file-replaced",
        mark=("resource busy", "errno 16"),
        pattern=r"(?P<file>/etc/(?:hosts|resolv\.conf|hostname))'?\"?: (?:Device or resource busy|\[Errno 16\])",
        cause="the program puts a new file instead of {file}, which the engine has mounted: it "
        "can only be written into",
        cure="for names --add-host, for resolvers --dns; or write into the file (cp, tee) in place "
        "of sed -i and mv",
        source="moby/moby#9295",
    ),
    Failure(
        name="mounted-file-replaced",
        mark=("busy", "device or res", "errno 16", "rb_file_s_rename"),
        pattern=r"""(?x)
            \bto\ '?(?P<file>/[^\s':]+)'?:\ (?:Device\ or\ )?resource\ busy  # sed, mv
            | (?:\[Errno\ 16\]|EBUSY).{0,80}?->\ '(?P<file_python>/[^']+)'
            | (?:\[Errno\ 16\]|EBUSY)[^/]{0,60}'(?P<file_alone>/[^']+)'
            | \brename\ \S+\ (?P<file_go>/[^\s:]+):\ device\ or\ resource\ busy
            | ->\ (?P<file_java>/[^\s:]+):\ Device\ or\ resource\ busy
            | \b(?:unlinkat|rmdir|remove)\ (?P<file_folder>/[^\s:]+):\ device\ or\ resource\ busy
            | \brsync:\ (?:\[\w+\]\ )?rename\ "[^"\n]{1,300}"\ ->\ "(?P<file_rsync>[^"\n]{1,200})":\ Device\ or\ res
            | \brsync:\ (?:\[\w+\]\ )?delete_file:\ (?:rmdir|unlink)\((?P<file_deleted>[^)\n]{1,200})\)
                \ failed:\ Device\ or\ resource\ busy
            | @\ rb_file_s_rename\ -\ \([^)]*,\ (?P<file_ruby>/[^)]+)\)
        """,
        cause="the program replaces or removes {file}, which is itself a mount: that can only be written to",
        cure="mount the folder that holds {file}, or let the program work on a copy of its own",
        source="moby/moby#15793, nextcloud/docker#1556; sed's, Python's, Go's, Node.js' and Java's own messages",
    ),
    Failure(
        name="file-of-folder-replaced",
        mark="resource busy",
        pattern=r"\bcannot rename '?(?P<folder>/[^\s':]{1,200})/sed\w{6}'?: Device or resource busy",
        cause="sed -i puts a new file instead of one in {folder}, and that one is itself a "
        "mount: it can only be written to",
        cure="mount the folder that holds the file in place of the file, or leave out the setting that has it changed",
        source="docker-archive/tutum-influxdb#21",
    ),
)
