"""Files of settings that images make at the first start, from variables that count only then. Pure.

By the start scripts of the images: docker-library/wordpress, nextcloud/docker, go-gitea/gitea,
matomo-org/docker, joomla-docker.
"""

from collections.abc import Mapping

import msgspec

from diagnose.lazy_pattern import LazyPattern


class FirstStartFile(msgspec.Struct, frozen=True):
    """A file that an image makes once."""

    image: LazyPattern
    paths: tuple[str, ...]
    """Paths of the file in the container."""
    marks: Mapping[str, str]
    """By the variable, the text of the file before its value; "" for any place."""
    reads_variables: str = ""
    """A text that shows that the file itself reads the variables at each start."""


FIRST_START_FILES = (
    FirstStartFile(
        LazyPattern(r"(?:^|/)nextcloud(?:[:@]|$)"),
        ("/var/www/html/config/config.php",),
        {
            "MYSQL_HOST": "'dbhost' => '",
            "POSTGRES_HOST": "'dbhost' => '",
            "MYSQL_DATABASE": "'dbname' => '",
            "POSTGRES_DB": "'dbname' => '",
        },
    ),
    FirstStartFile(
        LazyPattern(r"(?:^|/)wordpress(?:[:@]|$)"),
        ("/var/www/html/wp-config.php",),
        {"WORDPRESS_DB_HOST": "", "WORDPRESS_DB_NAME": "", "WORDPRESS_DB_USER": ""},
        reads_variables="getenv",
    ),
    FirstStartFile(
        LazyPattern(r"(?:^|/)(?:gitea|forgejo)(?:[:@]|$)"),
        ("/data/gitea/conf/app.ini",),
        {"DOMAIN": "", "ROOT_URL": "", "SSH_DOMAIN": "", "DB_HOST": "", "DB_NAME": ""},
    ),
    FirstStartFile(
        LazyPattern(r"(?:^|/)matomo(?:[:@]|$)"),
        ("/var/www/html/config/config.ini.php",),
        {"MATOMO_DATABASE_HOST": "", "MATOMO_DATABASE_DBNAME": ""},
    ),
    FirstStartFile(
        LazyPattern(r"(?:^|/)joomla(?:[:@]|$)"),
        ("/var/www/html/configuration.php",),
        {"JOOMLA_DB_HOST": "", "JOOMLA_DB_NAME": "", "JOOMLA_DB_USER": ""},
    ),
)
"""The programs of most hosts that keep the settings of their first start."""
