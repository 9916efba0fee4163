"""Lines of real logs for the rows of `diagnose/programs/failures/databases/object_stores.py`."""

from __future__ import annotations

LINES = {
    "minio-drive-gone": (
        "FATAL Unable to use the drive /export: drive not found: Invalid arguments specified"
    ),
    "minio-keys": (
        "ERROR Unable to initialize server switching into safe-mode: Unable to initialize sub-systems: Unable to initialize config system: Invalid credentials"
    ),
    "minio-keys-short": (
        "ERROR Unable to validate credentials inherited from the shell environment: Access key length should be at least 3, and secret key length at least 8 characters"
    ),
    "minio-root-disk": (
        "ERROR Unable to initialize backend: Disk http://minio1:9000/data is a root disk. Please ensure the disk is mounted properly, refusing to use root disk"
    ),
    "minio-o-direct": (
        "ERROR Unable to initialize backend: Unable to write to the backend. Please ensure your disk supports O_DIRECT"
    ),
    "minio-ports": (
        "ERROR Unable to start the server: --console-address port cannot be same as --address port"
    ),
    "minio-drives": (
        "Error: Read failed. Insufficient number of drives online (*errors.errorString)"
    ),
}
