"""Images: pulls that fail, images that do not fit, and what piles up."""

from checks.image import content, credentials, pulls, registries, stock

__all__ = ["content", "credentials", "pulls", "registries", "stock"]
