"""Known failures of programs for backups, about their repositories."""

from diagnose.programs.failures.recognition import Failure
from diagnose.programs.failures.remedies import TypedLike

BACKUPS = (
    Failure(
        name="repository-password",
        mark=("passphrase", "password"),
        pattern=r"\bpassphrase supplied in [^\n]{1,100}\bis incorrect\b|\bwrong password or no key found\b"
        r"|\binvalid repository password\b",
        cause="the password of the backup is not the one that its repository was made with",
        cure="give it that password again (BORG_PASSPHRASE, RESTIC_PASSWORD, KOPIA_PASSWORD): without it nothing of "
        "the backup can be read",
        source="Borg's, restic's and Kopia's own messages",
        turns_away=True,
        remedy=TypedLike(r"PASSPHRASE$|^(?:DUPLICACY|KOPIA|RESTIC)\w*_PASSWORD$"),
    ),
    Failure(
        name="repository-not-made",
        mark=("not a valid repository", "does not exist.", "unable to open config file"),
        pattern=r"(?P<path>/[\w./@+-]{1,200}) is not a valid repository\. Check repo config\b"
        r"|\bunable to open config file: stat (?P<path_restic>/[\w./@+-]{1,200})/config: no such file or directory"
        r"|^Repository (?P<path_absent>/[\w./@+-]{1,200}) does not exist\.$",
        cause="{path} holds no repository of backups: it was never initialised, or another folder is mounted there",
        cure="look what lies there: where it should be new, initialise it once (borg init, borgmatic repo-create, restic init); "
        "else mount the folder or the disk that has the repository",
        source="borgmatic-collective/docker-borgmatic#280",
        turns_away=True,
        look="data",
    ),
    Failure(
        name="borg-lock",
        mark="create/acquire the lock",
        pattern=r"Failed to create/acquire the lock (?P<file>/\S{1,300}?)(?: \((?!\[Errno (?:13|28|30)\])|\.?$)",
        cause="the lock {file} of a backup is taken: another run of it is under way, or one that was cut off has "
        "left it",
        cure="wait for the other run; where none runs, free it with borg break-lock and the path of the repository",
        source="kiwix/operations#386",
        turns_away=True,
        may_pass=True,
        look="sharing",
    ),
)
