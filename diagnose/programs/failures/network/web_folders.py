"""Web servers that find no page in a folder, or may not read it."""

from diagnose.programs.failures.recognition import Failure

WEB_FOLDERS = (
    Failure(
        name="nginx-no-index",
        mark="directory index of",
        pattern=r'directory index of "(?P<path>[^"]+)" is forbidden',
        cause="its folder {path} holds no index file: it is empty or another one than was meant",
        cure="put the site's files into the folder that is mounted there, or mount the right one",
        source="settermjd/docker-for-local-development#6",
        turns_away=True,
    ),
    Failure(
        name="nginx-folder-closed",
        mark="(13: permission denied)",
        pattern=r'(?:open\(\) )?"(?P<path>/[^"]+)" (?:is forbidden|failed) \(13: Permission denied\)'
        r', (?:client|server): [^\n]{0,300}?request: "(?:GET|HEAD) ',
        cause="its workers may not read {path}, or a folder above it: these belong to another user, "
        "and are closed to others",
        cure="let others read the files and enter the folders, from the mounted folder down "
        "(chmod -R o+rX), and enter the folders above it",
        source="nginx's own message",
    ),
    Failure(
        name="apache-no-index",
        mark="cannot serve directory",
        pattern=r"Cannot serve directory (?P<path>/[^:]*): No matching DirectoryIndex",
        cause="its folder {path} holds no index file: it is empty or another one than was meant",
        cure="put the site's files into the folder that is mounted there, or mount the right one",
        source="Apache's own message AH01276",
    ),
    Failure(
        name="apache-folder-closed",
        mark="permissions",
        pattern=r"filesystem path '(?P<path>/[^']+)'\) because search permissions are missing"
        r"|file permissions deny server access: (?P<path_file>/\S+)",
        cause="its workers may not read {path}, or a folder above it: these belong to another user, "
        "and are closed to others",
        cure="let others read the files and enter the folders, from the mounted folder down "
        "(chmod -R o+rX), and enter the folders above it",
        source="Apache's own messages AH00035 and AH00132",
    ),
)
