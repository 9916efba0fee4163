"""Secrets in plain text, where everyone who may inspect a container or an image reads them."""

from __future__ import annotations

from collections.abc import Sequence

from diagnose.evidence.containers.exposure import Exposed
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.secrets import Secret, has_secret, in_text
from diagnose.evidence.images.details import ImageDetails, ImageHistories
from diagnose.model import CheckResult, Finding, Severity, Subject
from diagnose.phrases import and_more
from diagnose.registry import check

NAMES_SHOWN = 8


WORDS = {
    "Config.Env": "environment",
    "Path, Args": "command line",
    "Config.Healthcheck": "health check",
}
"""Where a container shows a secret, as the engine calls it and as people do."""


@check("security.secrets-in-env", severity=Severity.advice, posture=True)
def secrets_in_env(exposed: Exposed, details: ImageDetails | None) -> CheckResult:
    """A container's environment or command holds a secret in plain text.

    Everyone who may inspect it, and every process in it, can read it, and crash reports and `docker
    inspect` in tickets carry it out. The arguments of its program and its health check are looked
    at too: any user of the host sees them in the process list. What counts as a secret is what this
    tool redacts: by the variable's name, or by the shape of the value. Names such as PUBLIC_KEY,
    TOKEN_TTL or PASSWORD_FILE do not count. A placeholder like "changeme" under a secret's name
    does. What the image itself brings is that image's problem.
    """
    for container in exposed:
        image = details.by_id.get(container.image) if details is not None else None
        places = _places_of(container, has_secret(image.env if image else None))
        if not places:
            continue
        names = list(
            dict.fromkeys(
                secret.name or secret.kind for secrets in places.values() for secret in secrets
            )
        )
        where = WORDS[next(iter(places))]
        yield Finding.about(
            container,
            f"{container} has {and_more(names)} in its {where}",
            {
                place: [_shown(secret) for secret in secrets[:NAMES_SHOWN]]
                for place, secrets in places.items()
            },
            name=names[0],
        )
    return None


def _places_of(container: Container, built_in: Sequence[Secret]) -> dict[str, list[Secret]]:
    """The secrets that a container shows, by where it shows them.

    Without those that its image brings.
    """
    pairs = {(secret.name, secret.token) for secret in built_in}
    tokens = {token for _, token in pairs}
    probe = container.config.healthcheck
    test = " ".join((probe.test if probe else None) or ())
    places = {
        "Config.Env": [
            secret
            for secret in has_secret(container.config.env)
            if (secret.name, secret.token) not in pairs
        ],
        "Path, Args": [
            secret for secret in in_text(" ".join(container.command)) if secret.token not in tokens
        ],
        "Config.Healthcheck": [secret for secret in in_text(test) if secret.token not in tokens],
    }
    return {place: secrets for place, secrets in places.items() if secrets}


def _shown(secret: Secret) -> str:
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
    for name, steps in histories.items:
        secrets = [("Config.Env", secret) for secret in by_name.get(name, ())]
        tokens = {secret.token for _, secret in secrets}
        for number, step in enumerate(steps):
            place = f"history, {number} from the top"
            secrets += [
                (place, secret) for secret in in_text(step.created_by) if secret.token not in tokens
            ]
        if not secrets:
            continue
        names = list(dict.fromkeys(secret.name or secret.kind for _, secret in secrets))
        yield Finding(
            subject=Subject("image", name),
            summary=f'image "{name}" carries {and_more(names)} for everyone who may pull it',
            evidence=_places(secrets),
            variables={"image": name},
        )
    return None


def _places(secrets: list[tuple[str, Secret]]) -> dict[str, list[str]]:
    places: dict[str, list[str]] = {}
    for place, secret in secrets[:NAMES_SHOWN]:
        places.setdefault(place, []).append(_shown(secret))
    return places
