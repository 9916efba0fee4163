"""Settings that put web applications into maintenance, and commands that end it. Pure.

In maintenance, each answers its clients with 503, by its own documentation.
"""

import msgspec

from diagnose.lazy_pattern import LazyPattern


class MaintenanceMode(msgspec.Struct, frozen=True):
    """An application, and the file that puts it into maintenance."""

    name: str
    mark: str
    """A file that shows that it is there, below the folder of its code; "" for none."""
    flag: str
    """The file that holds the flag, or is one by its presence, below the same folder."""
    setting: LazyPattern | None = None
    """The text of the file in maintenance; None where its presence is enough."""
    end: str = ""
    """The command that ends it, in the folder of the code; "" where a person edits the file."""


_WORDPRESS = LazyPattern(r"\$upgrading\s*=\s*time\s*\(")
"""WordPress ignores a time that is older than ten minutes."""

MAINTENANCE_MODES = (
    MaintenanceMode("Laravel", "artisan", "storage/framework/down", end="php artisan up"),
    MaintenanceMode(
        "Nextcloud",
        "occ",
        "config/config.php",
        LazyPattern(r"(?i)['\"]maintenance['\"]\s*=>\s*(?:true|1)\b"),
        "php occ maintenance:mode --off",
    ),
    MaintenanceMode(
        "Nextcloud",
        "www/nextcloud/config/config.php",
        "www/nextcloud/config/config.php",
        LazyPattern(r"(?i)['\"]maintenance['\"]\s*=>\s*(?:true|1)\b"),
        "occ maintenance:mode --off",
    ),
    MaintenanceMode("WordPress", "wp-login.php", ".maintenance", _WORDPRESS, "rm -f .maintenance"),
    MaintenanceMode(
        "Magento", "bin/magento", "var/.maintenance.flag", end="php bin/magento maintenance:disable"
    ),
    MaintenanceMode(
        "Matomo",
        "matomo.php",
        "config/config.ini.php",
        LazyPattern(r"(?m)^[ \t]*maintenance_mode[ \t]*=[ \t]*[\"']?1\b"),
    ),
    MaintenanceMode(
        "Joomla",
        "configuration.php",
        "configuration.php",
        LazyPattern(r"(?i)\$offline\s*=\s*(?:true|['\"]?1\b)"),
    ),
    MaintenanceMode(
        "Moodle",
        "lib/moodlelib.php",
        "climaintenance.html",
        end="php admin/cli/maintenance.php --disable",
    ),
    MaintenanceMode(
        "the Rails program", "Gemfile", "tmp/maintenance.yml", end="rm -f tmp/maintenance.yml"
    ),
    MaintenanceMode("the site", "", "maintenance.flag", end="rm -f maintenance.flag"),
    MaintenanceMode("the site", "", "maintenance.on", end="rm -f maintenance.on"),
    MaintenanceMode("the site", "", "maintenance.enable", end="rm -f maintenance.enable"),
)
"""The documentation of each; for the last three, the usual settings of web servers."""
