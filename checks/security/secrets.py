"""Secrets in plain text, where everyone who may inspect a container or an image reads them."""

from collections.abc import Sequence
from itertools import chain

from diagnose.evidence.containers.exposure import Exposed
from diagnose.evidence.containers.secrets import Secret, has_secret
from diagnose.evidence.containers.shown_secrets import (
    names_of_secrets,
    secrets_of_image,
    shown_secrets,
)
from diagnose.evidence.images.details import ImageDetails, ImageHistories
from diagnose.mappings import by_key, first_of
from diagnose.model import CheckResult, Finding, Severity, Subject
from diagnose.phrases import and_more
from diagnose.registry import check

NAMES_SHOWN = 8

WORDS = {
    "Config.Env": "environment",
    "Path, Args": "command line",
    "Config.Healthcheck": "health check",
}
"""The place where a container shows a secret, in the engine's words and in plain ones."""


@check("security.secrets-in-env", severity=Severity.advice, posture=True)
def secrets_in_env(exposed: Exposed, details: ImageDetails | None) -> CheckResult:
    """A container's environment or command holds a secret in plain text.

    Everyone who may inspect it, and every process in it, can read it, and crash reports and `docker
    inspect` in tickets carry it out. The arguments of its program and its health check are looked
    at too: any user of the host sees them in the process list. A text counts as a secret if this
    tool redacts it: by the variable's name, or by the shape of the value. Names such as PUBLIC_KEY,
    TOKEN_TTL or PASSWORD_FILE do not count. A placeholder like "changeme" under a secret's name
    does. Secrets that the image itself contains are that image's problem.
    """
    for container in exposed:
        image = details.by_id.get(container.image) if details is not None else None
        places = shown_secrets(container, has_secret(image.env if image else None))
        if not places:
            continue
        names = names_of_secrets(chain.from_iterable(places.values()))
        origin = WORDS[first_of(places)]
        yield Finding.about(
            container,
            f"{container} holds {and_more(names)} in plain text in its {origin}",
            {place: _names_and_kinds(secrets) for place, secrets in places.items()},
            variables={"name": names[0]},
        )


def _names_and_kinds(secrets: Sequence[Secret]) -> list[str]:
    """The first secrets, as evidence shows them."""
    return [_name_and_kind(secret) for secret in secrets[:NAMES_SHOWN]]


def _name_and_kind(secret: Secret) -> str:
    return f"{secret.name} ({secret.kind})" if secret.name else secret.kind


@check("security.secrets-in-image", severity=Severity.advice, posture=True)
def secrets_in_image(histories: ImageHistories, details: ImageDetails | None) -> CheckResult:
    """An image carries a secret in its environment or its build history.

    Build arguments, ENV lines and commands with a password stay readable for everyone who may pull
    the image. Only images in use are looked into, and only their history and environment: what lies
    in a layer's files is not.
    """
    known_details = details if details is not None else ImageDetails({}, {})
    by_name = {known_details.names[detail.id]: has_secret(detail.env) for detail in known_details}
    for name, steps in histories:
        secrets = secrets_of_image(by_name.get(name, ()), (step.created_by for step in steps))
        if secrets:
            names = names_of_secrets(secret for _, secret in secrets)
            yield Finding(
                subject=Subject("image", name),
                summary=f'image "{name}" carries {and_more(names)} for everyone who may pull it',
                evidence=by_key(
                    (place, _name_and_kind(secret)) for place, secret in secrets[:NAMES_SHOWN]
                ),
                variables={"image": name},
            )
