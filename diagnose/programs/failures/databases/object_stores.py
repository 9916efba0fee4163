"""Known failures of object stores: their drives, their ports and their keys."""

from diagnose.programs.failures.recognition import Failure
from diagnose.programs.failures.remedies import TypedLike

OBJECT_STORES = (
    Failure(
        name="minio-keys",
        mark="invalid credentials",
        pattern=r"(?:initialize|initializing) (?:the )?(?:config|IAM|sub-?)[\w -]{0,20}(?:system)?s?: .{0,60}"
        r"Invalid credentials|config system: Invalid credentials",
        cause="MinIO cannot read what an earlier start of it has written: its data were made with another root user or "
        "password than the one that it is given now",
        cure="give it the previous MINIO_ROOT_USER and MINIO_ROOT_PASSWORD; only for data that "
        "may be lost, an empty volume",
        source="OpenCTI-Platform/docker#15",
        remedy=TypedLike(r"^MINIO_(?:ROOT_PASSWORD|SECRET_KEY)$"),
        look="secrets",
    ),
    Failure(
        name="minio-keys-short",
        mark="key length",
        pattern=r"[Aa]ccess key length should be at least \d+, and secret key length at least (?P<least>\d+)",
        cause="MinIO takes a user of 3 characters or more and a password of {least} or more: one of the two that it "
        "reads is shorter; releases before 2021 read MINIO_ACCESS_KEY and MINIO_SECRET_KEY alone",
        cure="give it longer ones by the variables that this release reads; the callers need the same",
        source="minio/minio#11345",
        look="secrets",
    ),
    Failure(
        name="minio-root-disk",
        mark="root disk",
        pattern=r"(?:Disk|Drive) \S{1,200} is a root disk\b|\brefusing to use root disk\b",
        cause="MinIO with several drives refuses a folder on the host's root disk: it takes that for a drive that is not "
        "mounted",
        cure="mount a disk of its own for each drive; to try it out, set MINIO_CI_CD=1, or let it use one drive alone",
        source="bitnami/bitnami-docker-minio#9",
    ),
    Failure(
        name="minio-drive-gone",
        mark="unable to use the drive",
        pattern=r"\bUnable to use the drive (?P<drive>/\S{1,200}): drive not found\b",
        cause="MinIO cannot use {drive}: no folder of this name is in the container, or its user may not write there",
        cure="mount the folder of its data at {drive}, and give it to the user that MinIO runs as",
        source="MinIO's own message",
        look="data",
    ),
    Failure(
        name="minio-o-direct",
        mark="o_direct",
        pattern=r"(?:Please ensure your disk supports|Disks? do(?:es)? not support) O_DIRECT",
        cause="MinIO writes past the cache of the kernel (O_DIRECT), which the file system of its data does not do",
        cure="put its data on a disk of Linux (xfs or ext4): a volume of Docker, and no share or tmpfs",
        source="minio/minio#10744",
        look="sharing",
    ),
    Failure(
        name="minio-ports",
        mark="--console-address",
        pattern=r"--console-address\W{0,4} (?:port )?cannot be (?:the )?same as --address",
        cause="MinIO is configured to serve its pages and its data at one port",
        cure="give its pages another port, such as --console-address :9001",
        source="MinIO's own message",
    ),
    Failure(
        name="minio-drives",
        mark="insufficient number of drives",
        pattern=r"(?P<what>Read|Write) failed\. Insufficient number of drives online",
        cause="so many drives of MinIO are away that it can no longer serve what is in them",
        cure="bring the drives back: its log names each that is offline; mc admin info shows them all",
        source="MinIO's own message",
        turns_away=True,
        look="data",
    ),
)
