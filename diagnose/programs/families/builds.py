"""Builds at fault: a program that was not built whole, that starts only once, that fails itself."""

from __future__ import annotations

from diagnose.lazy_pattern import LazyPattern
from diagnose.programs.failures.recognition import Failure
from diagnose.programs.failures.remedies import FreshContainer

_NEVER = LazyPattern(r"(?!)")
"""A program that runs on fails so in one request or one job, and is well."""

BUILDS = (
    Failure(
        name="prisma-client",
        mark="prisma",
        pattern=r"""(?x)
            @prisma/client\ did\ not\ initialize\ yet
            | Query\ [Ee]ngine\ (?:library|binary)?\ ?for\ (?:the\ )?(?:current|your)\ platform\b.{0,60}?
                \bcould\ not\ be\ found
            | Prisma\ Client\ (?:could\ not\ locate\ the\ Query\ Engine|was\ generated\ for)
            | Prisma\ has\ detected\ that\ this\ project\ was\ built\ on
        """,
        cause="the Prisma client was not generated in this image, or was generated on another "
        "platform than the image's",
        cure="run npx prisma generate in the Dockerfile, behind the install of the packages, and "
        "build the image again",
        source="prisma/orm#16642, prisma/orm#23132",
        build="another",
    ),
    Failure(
        name="start-not-repeatable",
        mark="",
        pattern=r"""(?x)
            \bline\ \d+:\ (?P<name>\w+):\ readonly\ variable
            | \b(?:ln|mkdir):\ .{0,60}?['\"‘](?P<name_file>[^'\"’]+)['\"’]?:\ File\ exists
            | \b(?:adduser|useradd|addgroup|groupadd):\ (?:The\ )?(?:user|group)\ ['\"`‘]?(?P<name_user>[\w.-]+)
                ['\"`’]?\ (?:already\ exists|in\ use)
        """,
        cause="the start script finds what its own first start in this container has left: "
        "it can run only once in each container ({name})",
        cure="make a new container from the image, and do not restart the old one",
        source="arevindh/pihole-speedtest#21, nextcloud/docker#1339",
        explains_only=True,
        of_running=_NEVER,
        remedy=FreshContainer(),
    ),
)

PROGRAM_FAULTS = (
    Failure(
        name="program-fault",
        mark="",
        pattern=r"""(?x)
            ^(?!.*\b(?:env|config|settings?|options?)\b).*?(?:
            invalid\ memory\ address\ or\ nil\ pointer\ dereference
            | \bindex\ out\ of\ range\ \[\d+\]\ with\ length
            | \bTypeError:\ (?:Cannot\ (?:read|set)\ propert(?:y|ies)|undefined\ is\ not\ a\ function)
            | \bTypeError:\ \S+\ is\ not\ a\ (?:function|constructor)
            | \bReferenceError:\ \w+\ is\ not\ defined
            | \bAttributeError:\ '\w+'\ object\ has\ no\ attribute
            | \bTypeError:\ (?:'\w+'\ object\ is\ not|\w+\(\)\ (?:got\ an\ unexpected|missing\ \d+\ required))
            | \bNoMethodError\b|\bundefined\ (?:local\ variable\ or\ )?method\ [`'].{1,80}\ for\ (?:nil|an\ instance)
            | \bNullPointerException\b|\bNoSuchMethodError\b|\bNullReferenceException\b
            | \bCall\ to\ (?:a\ member\ function|undefined\ method)\b
            )
        """,
        cause="the program itself fails: its code does not expect what it meets, such as a setting "
        "without a value, data of another version, or an answer that did not come",
        cure="run the build of the image that worked before, or a newer one; the lines above it say "
        "what the program did last",
        source="containrrr/watchtower#719; Go's, Node.js', Python's, Ruby's, Java's and PHP's own "
        "messages",
        of_running=_NEVER,
        build="earlier",
    ),
)
