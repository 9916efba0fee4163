"""Images: pulls that fail, images that do not fit, and what piles up.

A module is named like its check. Modules with several checks:

- credentials: client-config-unreadable, credential-helper-missing
- pulls: ids-out-of-range, pull-altered, pull-no-space, pull-rate-limited, too-many-layers
- stock: build-cache-large, dangling, labels-missing, latest-tag, unused
"""
