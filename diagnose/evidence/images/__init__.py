"""Images: their list, configuration, layers on disk and the build cache.

In the room `pulls/`: pulls and pushes that failed, and why.
"""
