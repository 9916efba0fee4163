"""Complaints about a cipher, a login, a challenge or a protocol on which a program and its peer
do not agree."""

from diagnose.programs.failures.recognition import Failure

_THING = (
    r"(?:algorithms?|auth(?:entication)?\ (?:mechanisms?|methods?|modes?|plugins?|schemes?|types?)|challenges?"
    r"|cipher(?:\ ?suite)?s?|compression|curves?|encodings?|host\ key\ types?|kex|key\ exchange(?:\ methods?)?|macs?"
    r"|mechanisms?|protocol(?:\ version)?s?|signature\ (?:algorithms?|schemes?)|TLS\ versions?|versions?)"
)

AGREEMENTS = (
    Failure(
        name="nothing-in-common",
        mark="",
        pattern=rf"""(?x)
            \bno\ (?:common|matching|mutual(?:ly\ (?:acceptable|supported))?|shared|overlapping)\ (?:supported\ )?
                (?!versions?\ (?:for|found|of|satisf)|protocols?\ (?:factory|handler))(?P<thing>{_THING})\b
            | \b(?:does|do)(?:\ not|n't)\ support\ any\ (?:combination\ of\ )?(?:the\ )?(?:\w+\ ){{0,2}}?
                (?P<thing_any>{_THING})\b
            | \bnone\ of\ the\ (?:\w+\ ){{0,2}}?(?P<thing_none>{_THING})\ (?:\w+\ ){{0,4}}?(?:is|are|was|were)
                \ (?:acceptable|accepted|allowed|supported)\b
            | \bno\ (?:acceptable|supported)\ (?P<thing_no>{_THING})\ (?:available|found|offered|remain\w*)\b
            | \bunable\ to\ (?:agree|negotiate)\ (?:on\ )?(?:an?\ )?(?:\w+\ )?(?P<thing_agreed>{_THING})\b
            | \b(?:client|server)\ does\ not\ support\ (?P<thing_asked>authentication\ protocol)\ requested\ by\b
            | \b(?:could\ not|cannot|failed\ to)\ (?:agree\ on|negotiate)\ (?:an?\ )?(?P<thing_failed>{_THING})\b
        """,
        cause="the program and the other end find no {thing} that both of them take: one of them is much older than "
        "the other, or its settings leave only some",
        cure="look which of them is the older one, and update that; else allow in the settings of one what the other "
        "offers",
        source="OpenSSH's, OpenSSL's, Certbot's and MySQL's own messages",
        build="newer",
        look="builds",
    ),
)
"""Before the families of failed logins, whose words are wider."""
