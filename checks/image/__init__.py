"""Images: pulls that fail, images that do not fit, and what piles up."""

from checks.image import content, pulls, stock

__all__ = ["content", "pulls", "stock"]
