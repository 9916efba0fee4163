"""Lines of real logs for the rows of `diagnose/programs/failures/products/backups.py`."""

LINES = {
    "repository-password": "Fatal: wrong password or no key found",
    "repository-not-made": "/mnt/borg-repository is not a valid repository. Check repo config.",
    "borg-lock": "Failed to create/acquire the lock /cache/1c100042c6dbe21c75b1/lock.exclusive (timeout).",
}
