"""Secrets that a container or an image shows in plain text. Pure."""

from collections.abc import Iterable, Sequence

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.secrets import Secret, has_secret, in_text


def shown_secrets(container: Container, built_in: Sequence[Secret]) -> dict[str, list[Secret]]:
    """The secrets that a container shows, by where it shows them.

    Without those that its image brings.
    """
    pairs = {(secret.name, secret.token) for secret in built_in}
    tokens = {token for _, token in pairs}
    probe = container.config.healthcheck
    test = " ".join((probe.test if probe is not None else None) or ())
    in_environment = has_secret(container.config.env)
    places = {
        "Config.Env": [
            secret for secret in in_environment if (secret.name, secret.token) not in pairs
        ],
        "Path, Args": _other_secrets(in_text(" ".join(container.command)), tokens),
        "Config.Healthcheck": _other_secrets(in_text(test), tokens),
    }
    return {place: secrets for place, secrets in places.items() if secrets}


def secrets_of_image(
    environment: Sequence[Secret], steps: Iterable[str]
) -> list[tuple[str, Secret]]:
    """The secrets of an image, each with its place. steps: the build history, the newest first."""
    secrets = [("Config.Env", secret) for secret in environment]
    tokens = {secret.token for secret in environment}
    for number, step in enumerate(steps):
        place = f"history, {number} from the top"
        secrets += [(place, secret) for secret in _other_secrets(in_text(step), tokens)]
    return secrets


def names_of_secrets(secrets: Iterable[Secret]) -> list[str]:
    """The names of secrets, or their kinds where they have none, without repetition."""
    return list(dict.fromkeys(secret.name or secret.kind for secret in secrets))


def _other_secrets(secrets: Iterable[Secret], tokens: set[str]) -> list[Secret]:
    """The secrets whose value is not known from elsewhere."""
    return [secret for secret in secrets if secret.token not in tokens]
