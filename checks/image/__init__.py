"""Images: pulls that fail, images that do not fit, and what piles up."""

from checks.image import certificates, content, credentials, pulls, registries, stock

__all__ = ["certificates", "content", "credentials", "pulls", "registries", "stock"]
