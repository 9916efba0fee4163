"""Complaints about settings that a configuration has twice, in the words of several programs."""

from diagnose.programs.failures.recognition import ABOUT_SETTINGS, Failure

_NAME = r"[\w.@:/*-]{1,160}"

DUPLICATES: tuple[Failure, ...] = (
    Failure(
        name="defined-twice",
        of_running=ABOUT_SETTINGS,
        mark=(
            "ambiguous",
            "duplicate",
            "multiple",
            "twice",
            "more than once",
            "already defined",
            "already declared",
            "already exists previous",
        ),
        pattern=rf"""(?xi)
            \bambiguous\ (?:site|server|host|block)\ (?:definition|name|address):?\ (?P<name>{_NAME})
            | \b(?:found|there\ are)\ multiple\ (?:\w+\ ){{1,3}}with\ (?:the\ )?(?:\w+\ )?name
                \ \\{{0,2}}["'](?P<name_of>{_NAME})
            | \bduplicated?\ (?:\w+\ ){{0,2}}(?:block|entry|group|host|job|key|label|listener|location|name|node|port
                |provider|receiver|rule|section|server|service|site|upstream|zone)s?(?:\ name)?
                (?::\ |:?\ \\{{0,2}}["'`])(?P<name_dup>{_NAME})
            | ["'`](?P<name_twice>{_NAME})["'`]\ (?:is\ |was\ |has\ been\ )?
                (?:defined|declared|listed|configured|specified)\ (?:twice|more\ than\ once|multiple\ times)
            | \b(?:acl|backend|frontend|listen|proxy|resolvers|server|upstream|zone|section)
                \ \\{{0,2}}["'`]?(?P<name_again>{_NAME}?)["'`]?
                :?\ (?:is\ |was\ |has\ been\ )?already\ (?:defined|declared|exists\ previous\ definition)\b
        """,
        cause="{name} stands twice in what the program is given, where it may stand once",
        cure="remove one of the two, or give it another name; a copy of a file in the same folder counts too",
        source="Caddy's, Prometheus', BIND's and HAProxy's own messages",
    ),
)
"""Before the families of mistakes in a configuration, whose words are wider."""
