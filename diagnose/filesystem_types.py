"""File systems that wait for another machine or process."""

from diagnose.word_sets import vocabulary

_REMOTE = vocabulary("nfs nfs4 cifs smb3 smbfs ceph glusterfs 9p afs lustre gpfs beegfs davfs")
_OF_THE_HYPERVISOR = "virtiofs"
_SHARED_BY_FUSE = frozenset(
    f"fuse.{name}"
    for name in (
        "ceph",
        "curlftpfs",
        "gcsfuse",
        "glusterfs",
        "goofys",
        "grpcfuse",
        "juicefs",
        "rclone",
        "s3fs",
        "seaweedfs",
        "sshfs",
    )
)
"""Programs whose files others change too. A pool of this machine's own disks is none of them."""


def is_remote(fstype: str) -> bool:
    """Whether another machine or process must answer for a file system of this type.

    Each kind of fuse is one of them: a process answers for it.
    """
    return fstype in _REMOTE or fstype == "fuse" or fstype.startswith("fuse.")


def is_shared_by_network(fstype: str) -> bool:
    """Whether other machines change files of such a file system, of which no event comes here."""
    return fstype in _REMOTE or fstype in _SHARED_BY_FUSE or fstype == _OF_THE_HYPERVISOR


def may_hang(fstype: str) -> bool:
    """Whether a question to a file system of this type may never be answered."""
    return is_remote(fstype) or fstype == _OF_THE_HYPERVISOR
