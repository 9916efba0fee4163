"""The owners of the entries of folders that a user may not use."""

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.mounts.access.file_access import HostUser
from diagnose.evidence.containers.mounts.access.folder_owners import folder_owners
from diagnose.evidence.containers.mounts.access.mount_access import DeniedMount, MountAccess
from diagnose.questions.files import PathStatus
from tests.hosts import Made
from tests.inspected import container, of

FOLDER = PathStatus(type="folder", mode=0o755)


def test_owners_of_entries() -> None:
    web = container("web")
    user = HostUser("1000", "1000:1000", 1000)
    denied = DeniedMount(web, Mount(source="/s", destination="/d"), FOLDER, user)
    entries = [{"name": name, "type": "file"} for name in ("a", "b", "gone")]
    statuses = {"/s/a": {"uid": 0}, "/s/b": {"uid": 33}, "/s/gone": {"failed": "missing"}}
    host = Made({"file.list": {"entries": entries}, "file.stats": statuses})
    found = folder_owners(host, of(web), LogTails({}, {}), MountAccess((denied,)))
    assert found.by_path == {"/s": {0, 33}}
    assert not found.are_all("/s", FOLDER)
