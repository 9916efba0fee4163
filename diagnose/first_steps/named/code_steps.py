"""The place in a program's own code where it failed, compared with the settings of its container.

Pure: a program that fails in the code that opens its database, in a container without any variable
about a database, lacks that variable.
"""

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.first_steps.named.line_steps import shown_settings
from diagnose.model import Json, PageVariables
from diagnose.phrases import joined
from diagnose.programs.failing_code import FailingCode, failing_code, words_of_name
from diagnose.programs.failures import Recognised

_ABOUT_SETTINGS = ("class-configuration", "key-changed", "key-malformed", "signing-secret-empty")
"""Families whose lines are about settings, and do not name the one."""
_VAGUE = (
    "program-fault",
    "class-absent",
    "class-format",
    "class-value",
    "number-unnamed",
    "variable-unnamed",
)
"""Families of failures that do not say what the program was doing."""


_WORD = 4
"""Characters from which on a part of a name is not a word by chance."""


class _Subject(msgspec.Struct, frozen=True):
    """A subject of code, such as a database, with the words and variables that name it."""

    name: str
    words: str
    """Words in the names of such code, with spaces between them."""
    variables: tuple[str, ...] = ()
    """Parts of the names of the variables that images have for it."""


_SUBJECTS = (
    _Subject("its mail server", "smtp mail mailer", ("SMTP", "MAIL")),
    _Subject(
        "its queue or cache",
        "amqp broker celery kafka rabbit rabbitmq redis sidekiq",
        ("REDIS", "AMQP", "RABBIT", "KAFKA", "BROKER", "QUEUE", "CACHE"),
    ),
    _Subject("its object storage", "bucket minio s3", ("S3", "MINIO", "AWS", "BUCKET")),
    _Subject(
        "its logins",
        "jwt ldap oauth oidc saml",
        ("JWT", "LDAP", "OAUTH", "OIDC", "SAML", "AUTH", "SECRET"),
    ),
    _Subject(
        "its database",
        "database databases datasource db knex migrate migrations mongo mysql orm postgres prisma sequelize sql sqlite "
        "typeorm",
        ("DATABASE", "DB", "PGHOST", "POSTGRES", "MYSQL", "MARIADB", "MONGO", "SQL", "DATASOURCE"),
    ),
    _Subject(
        "its keys",
        "cipher crypto decrypt decrypted encrypt encrypted encryption fernet",
        ("KEY", "SECRET", "SALT"),
    ),
    _Subject("its certificates", "cert certs certificate tls", ("TLS", "SSL", "CERT")),
    _Subject(
        "its configuration", "config configs configuration env environment flags options settings"
    ),
)
"""The more special ones first."""


def code_evidence(container: Container, tail: LogTail) -> dict[str, Json]:
    """The failing place in the program's own code, its subject, and the variables of the
    container about it, as evidence."""
    code = _code_of(tail)
    if code is None:
        return {}
    subject = _subject_of(code.words)
    if subject is None:
        return {"where in its own code": str(code)}
    rows = {"where in its own code": f"{code}, which is about {subject.name}"}
    if subject.variables:
        return {**rows, f"its variables about {subject.name}": _given_variables(container, subject)}
    mounts = [str(mount) for mount in container.bind_mounts]
    return {**rows, "mounted from the host": joined(mounts) if mounts else "nothing"}


def code_variables(container: Container, tail: LogTail) -> PageVariables:
    """The page variables that show the settings for the subject of the code."""
    code = _code_of(tail)
    subject = _subject_of(code.words) if code is not None else None
    if subject is not None and not subject.variables:
        return shown_settings(container)
    return _shown_value(container, subject)


def line_subject_variables(
    container: Container, failure: Recognised | None, text: str
) -> PageVariables:
    """The page variables that show the settings for the subject of a line.

    Empty where the line is not known to be about settings.

    text: the line.
    """
    if failure is None or failure.name not in _ABOUT_SETTINGS:
        return {}
    return _shown_value(container, _subject_of(words_of_name(f"{text} {failure.cause}")))


def _shown_value(container: Container, subject: _Subject | None) -> PageVariables:
    if subject is None or not subject.variables:
        return {}
    return {"set_about": f"^[^=]*({'|'.join(subject.variables)})[^=]*=", "asked": container.name}


def _code_of(tail: LogTail) -> FailingCode | None:
    """The place in its own code, where the log shows only that it failed there."""
    failure = tail.failure
    return failing_code(tail.lines) if failure is None or failure.name in _VAGUE else None


def _subject_of(words: frozenset[str]) -> _Subject | None:
    """The subject of code, by the words of its names; None for none."""
    return next(
        (subject for subject in _SUBJECTS if words.intersection(subject.words.split())), None
    )


def _given_variables(container: Container, subject: _Subject) -> str:
    """The variables that are set about a subject; those without a value are marked as empty."""
    variables = [
        name if value else f"{name} (empty)"
        for name, value in container.config.environment
        if _is_about(name, subject)
    ]
    return joined(variables) if variables else "none is set"


def _is_about(name: str, subject: _Subject) -> bool:
    """Whether a variable is about a subject: short parts are whole words of its name."""
    words = name.upper().split("_")
    return any(
        part in words or (len(part) > _WORD and part in name.upper()) for part in subject.variables
    )
