"""Properties of a registry by its name alone."""

HUB_HOST = "registry-1.docker.io"
"""The host that serves the images of Docker Hub."""
PUBLIC = frozenset(
    {
        "docker.io", "registry-1.docker.io", "auth.docker.io", "ghcr.io", "quay.io", "gcr.io",
        "mcr.microsoft.com", "public.ecr.aws", "registry.k8s.io", "registry.gitlab.com", "lscr.io",
        "nvcr.io", "docker.elastic.co", "cgr.dev",
    }
)  # fmt: skip
"""Registries of the internet whose certificates are from authorities that every system knows."""
_PUBLIC_ENDINGS = (".gcr.io", ".pkg.dev", ".azurecr.io", ".amazonaws.com", ".icr.io", ".ocir.io")
"""Those that have a name for each customer."""


def host_name(registry: str) -> str:
    """The registry without its port."""
    name, colon, port = registry.rpartition(":")
    return name.strip("[]") if colon and port.isdigit() else registry


def with_port(registry: str) -> str:
    """The registry with the port that programs need: 443 where images name none."""
    return registry if host_name(registry) != registry else f"{registry}:443"


def is_public(registry: str) -> bool:
    """Whether the registry is one of the internet's, with a certificate that every system knows."""
    name = host_name(registry)
    return name in PUBLIC or name.endswith(_PUBLIC_ENDINGS)
