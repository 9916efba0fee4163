"""Secrets in plain text, where everyone who may inspect a container or an image reads them."""

from __future__ import annotations

from collections.abc import Iterable

from diagnose.evidence.containers.exposure import Exposed
from diagnose.evidence.containers.secrets import Secret, has_secret, in_text
from diagnose.evidence.images.details import ImageDetails, ImageHistories
from diagnose.model import Finding, Severity, Subject, Unavailable
from diagnose.registry import check

NAMES_SHOWN = 8


WORDS = {"Config.Env": "environment", "Path, Args": "command line", "Config.Healthcheck": "health check"}
"""Where a container shows a secret, as the engine calls it and as people do."""


@check("security.secrets-in-env", severity=Severity.advice, posture=True)
def secrets_in_env(exposed: Exposed, details: ImageDetails | Unavailable) -> Iterable[Finding]:
    """A container's environment or command holds a secret in plain text.

    Everyone who may inspect it, and every process in it, can read it, and crash reports and `docker inspect` in
    tickets carry it out. The arguments of its program and its health check are looked at too: any user of the host
    sees them in the process list. What counts as a secret is what this tool redacts: by the variable's name, or by the shape
    of the value. Names such as PUBLIC_KEY, TOKEN_TTL or PASSWORD_FILE do not count. A placeholder like "changeme"
    under a secret's name does.
    What the image itself brings is that image's problem.
    """
    for container in exposed:
        image = details.by_id.get(container.image) if isinstance(details, ImageDetails) else None
        built_in = {(secret.name, secret.token) for secret in has_secret(image.env if image else None)}
        known = {token for _, token in built_in}
        probe = container.config.healthcheck
        places = {
            "Config.Env": [
                each for each in has_secret(container.config.env) if (each.name, each.token) not in built_in
            ],
            "Path, Args": [each for each in in_text(" ".join(container.command)) if each.token not in known],
            "Config.Healthcheck": [
                each for each in in_text(" ".join((probe and probe.test) or ())) if each.token not in known
            ],
        }
        held = [place for place, secrets in places.items() if secrets]
        if held:
            names = list(dict.fromkeys(secret.name or secret.kind for place in held for secret in places[place]))
            others = f" and {len(names) - 3} more" if len(names) > 3 else ""
            yield Finding(
                subject=container.subject,
                summary=f"{container.name} has {', '.join(names[:3])}{others} in its {WORDS[held[0]]}",
                evidence={
                    place: [
                        f"{each.name} ({each.kind})" if each.name else each.kind for each in places[place][:NAMES_SHOWN]
                    ]
                    for place in held
                },
                variables={"container": container.name, "name": names[0]},
                service=container.service,
            )


@check("security.secrets-in-image", severity=Severity.advice, posture=True)
def secrets_in_image(histories: ImageHistories, details: ImageDetails | Unavailable) -> Iterable[Finding]:
    """An image carries a secret in its environment or its build history.

    Build arguments, ENV lines and commands with a password stay readable for everyone who may pull the image. Only
    images in use are looked into, and only their history and environment: what lies in a layer's files is not.
    """
    in_env = (
        {details.names[each.id]: has_secret(each.env) for each in details} if isinstance(details, ImageDetails) else {}
    )
    for name, steps in histories.items:
        found = [("Config.Env", secret) for secret in in_env.get(name, ())]
        known = {secret.token for _, secret in found}
        for at, step in enumerate(steps):
            found += [
                (f"history, {at} from the top", each) for each in in_text(step.created_by) if each.token not in known
            ]
        if found:
            names = list(dict.fromkeys(secret.name or secret.kind for _, secret in found))
            yield Finding(
                subject=Subject("image", name),
                summary=f"{name} carries {', '.join(names[:3])} for everyone who may pull it",
                evidence=_places(found),
                variables={"image": name},
            )


def _places(found: list[tuple[str, Secret]]) -> dict[str, list[str]]:
    places: dict[str, list[str]] = {}
    for place, secret in found[:NAMES_SHOWN]:
        places.setdefault(place, []).append(f"{secret.name} ({secret.kind})" if secret.name else secret.kind)
    return places
