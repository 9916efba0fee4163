"""Programs that hard-link or move files from one folder to another. Pure data."""

import msgspec

from diagnose.lazy_pattern import LazyPattern

_DOWNLOADS = r"(?i)download|torrent|usenet|nzb|complete|seed"
_LIBRARY = (
    r"(?i)(?:^|[/_-])(?:tv|shows?|tvshows?|series|movies?|films?|anime|cartoons|kids|music|books?"
    r"|audiobooks?|ebooks?|comics?|manga|media|videos?|library)(?:[/_\d-]|$)"
)
_UNFINISHED = r"(?i)incomplete|unfinished|intermediate|(?:^|/)(?:temp|tmp)(?:/|$)"


class FileMover(msgspec.Struct, frozen=True):
    """A program that brings files from the folder where they arrive to the one where they stay."""

    image: LazyPattern
    arrival: LazyPattern
    """The path of the folder where files arrive, in the container."""
    place: LazyPattern
    """The path of the folder where they stay; a path of the first kind is none of the second."""
    does: str
    """The verb of a sentence about it."""


FILE_MOVERS = (
    FileMover(
        LazyPattern(
            r"(?:^|/)(?:docker-)?(?:sonarr|radarr|lidarr|readarr|whisparr|medusa|sickchill|sickgear"
            r"|mylar3?|lazylibrarian|filebot|cross-seed)(?:-[\w-]+)?(?:[:@]|$)"
        ),
        arrival=LazyPattern(_DOWNLOADS),
        place=LazyPattern(_LIBRARY),
        does="imports",
    ),
    FileMover(
        LazyPattern(
            r"(?:^|/)(?:docker-)?(?:sabnzbd|nzbget|qbittorrent|transmission|deluge|rtorrent"
            r"|rutorrent)(?:-[\w-]+)?(?:[:@]|$)"
        ),
        arrival=LazyPattern(_UNFINISHED),
        place=LazyPattern(_DOWNLOADS),
        does="moves",
    ),
)
"""Their documentation: an importer makes a hard link or renames, a downloader renames."""
