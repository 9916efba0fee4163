"""Secrets that show by their own shape, whatever name they stand under.

Shapes after gitleaks (`config/gitleaks.toml`, commit 009e025), detect-secrets 1.5 (its plugins) and the vendors' documentation of
their token formats. Lengths are lower bounds: vendors lengthen their tokens without notice.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache

from diagnose.redact.lines import has_sign
from diagnose.redact.names import lazy

# kind, literal prefix, what follows. The literal prefix makes the search fast; the character before it must not be a word's.
_SHAPES: tuple[tuple[str, str, str], ...] = (
    *(("aws-access-key", prefix, r"[A-Z0-9]{16}\b") for prefix in ("AKIA", "ASIA", "ABIA", "ACCA", "AROA", "AIDA")),
    ("aws-bedrock", "ABSK", r"[A-Za-z0-9+/]{100,}={0,2}"),
    *(("github", f"gh{letter}_", r"[A-Za-z0-9_]{30,}") for letter in "pousr"),
    ("github", "github_pat_", r"[A-Za-z0-9_]{30,}"),
    *(
        ("gitlab", prefix, r"[A-Za-z0-9_.-]{16,}")
        for prefix in (
            "glpat-",
            "gldt-",
            "glrt-",
            "glcbt-",
            "glptt-",
            "glft-",
            "glimt-",
            "glagent-",
            "gloas-",
            "glsoat-",
            "glffct-",
        )
    ),
    ("gitlab", "GR1348941", r"[A-Za-z0-9_-]{20,}"),
    *(("slack", f"xox{letter}-", r"[A-Za-z0-9-]{10,}") for letter in "abposr"),
    ("slack", "xoxe", r"[.-][A-Za-z0-9.-]{20,}"),
    ("slack", "xapp-", r"[A-Za-z0-9-]{20,}"),
    *(
        ("webhook", f"hooks.slack.com/{part}/", r"[A-Za-z0-9+/_-]{20,}")
        for part in ("services", "workflows", "triggers")
    ),
    ("webhook", "discord.com/api/webhooks/", r"\d+/[\w-]{20,}"),
    ("webhook", "discordapp.com/api/webhooks/", r"\d+/[\w-]{20,}"),
    ("webhook", "webhook.office.com/webhookb2/", r"[\w@/-]{40,}"),
    *(("stripe", f"{key}_{mode}_", r"[A-Za-z0-9]{10,}") for key in ("sk", "rk") for mode in ("live", "test", "prod")),
    ("stripe", "whsec_", r"[A-Za-z0-9+/=]{20,}"),
    ("google", "AIza", r"[\w-]{30,}"),
    ("google", "ya29.", r"[\w.-]{20,}"),
    ("google", "GOCSPX-", r"[\w-]{20,}"),
    ("google", "1//0", r"[\w-]{30,}"),
    ("azure", "AccountKey=", r"[A-Za-z0-9+/]{40,}={0,2}"),
    ("azure", "SharedAccessKey=", r"[A-Za-z0-9+/]{30,}={0,2}"),
    ("azure", "SharedAccessSignature=", r"[^\s;\"']{20,}"),
    ("sendgrid", "SG.", r"[\w-]{16,}\.[\w-]{16,}"),
    ("twilio", "SK", r"[0-9a-f]{32}\b"),
    ("npm", "npm_", r"[A-Za-z0-9]{30,}"),
    ("pypi", "pypi-", r"[\w-]{50,}"),
    ("docker-hub", "dckr_pat_", r"[\w-]{20,}"),
    ("docker-hub", "dckr_oat_", r"[\w-]{20,}"),
    ("cloudflare", "eyJhIjoi", r"[\w+/-]{60,}={0,2}"),
    ("jwt", "eyJ", r"[\w-]{8,1000}={0,2}\.(?:[\w-]{4,}={0,2}(?:\.[\w-]*={0,2}){0,3}|(?:\.[\w-]{8,}){3})"),
    ("vault", "hvs.", r"[\w-]{20,}"),
    ("vault", "hvb.", r"[\w-]{20,}"),
    ("vault", "hvr.", r"[\w-]{20,}"),
    *(("digitalocean", f"{prefix}_v1_", r"[a-f0-9]{40,}") for prefix in ("dop", "doo", "dor")),
    ("heroku", "HRKU-", r"[\w-]{30,}"),
    ("mailgun", "key-", r"[0-9a-f]{32}\b"),
    ("openai", "sk-", r"(?!ant-)[\w-]{0,100}?[A-Za-z0-9]{20,}[\w-]*"),
    ("anthropic", "sk-ant-", r"[\w-]{20,}"),
    ("huggingface", "hf_", r"[A-Za-z0-9]{30,}"),
    ("huggingface", "api_org_", r"[A-Za-z0-9]{30,}"),
    ("swarm", "SWMTKN-1-", r"[a-z0-9]{30,}-[a-z0-9]{20,}"),
    ("swarm", "SWMKEY-1-", r"[A-Za-z0-9+/=]{30,}"),
    ("age", "AGE-SECRET-KEY-1", r"[A-Z0-9]{40,}"),
    *(("shopify", f"shp{kind}_", r"[a-fA-F0-9]{32}") for kind in ("at", "ca", "pa", "ss")),
    ("square", "sq0atp-", r"[\w-]{20,}"),
    ("square", "sq0csp-", r"[\w-]{20,}"),
    ("square", "EAAA", r"[\w-]{50,}"),
    ("facebook", "EAAC", r"[A-Za-z0-9]{60,}"),
    ("facebook", "EAAM", r"[A-Za-z0-9]{60,}"),
    ("databricks", "dapi", r"[a-f0-9]{32}\b"),
    ("doppler", "dp.", r"(?:pt|st|ct|sa|scim|audit)\.[\w.-]{30,}"),
    ("dynatrace", "dt0c01.", r"[A-Za-z0-9]{24}\.[A-Za-z0-9]{40,}"),
    ("grafana", "glsa_", r"[A-Za-z0-9_]{30,}"),
    ("grafana", "glc_", r"[A-Za-z0-9+/=]{30,}"),
    ("new-relic", "NRAK-", r"[A-Z0-9]{20,}"),
    ("new-relic", "NRII-", r"[\w-]{20,}"),
    ("new-relic", "NRJS-", r"[a-f0-9]{19}"),
    ("new-relic", "eu01xx", r"[a-f0-9]{30,}NRAL"),
    ("notion", "ntn_", r"[A-Za-z0-9]{30,}"),
    ("linear", "lin_api_", r"[A-Za-z0-9]{30,}"),
    ("planetscale", "pscale_", r"(?:tkn|oauth|pw)_[\w=.-]{20,}"),
    ("postman", "PMAK-", r"[a-f0-9]{24}-[a-f0-9]{30,}"),
    ("pulumi", "pul-", r"[a-f0-9]{40}"),
    ("rubygems", "rubygems_", r"[a-f0-9]{40,}"),
    ("sentry", "sntrys_", r"[\w+/=.-]{30,}"),
    ("sentry", "sntryu_", r"[a-f0-9]{40,}"),
    ("sendinblue", "xkeysib-", r"[a-f0-9]{40,}-\w+"),
    ("1password", "ops_eyJ", r"[A-Za-z0-9+/]{60,}={0,3}"),
    ("1password", "A3-", r"[A-Z0-9]{6}-[A-Z0-9-]{25,}"),
    ("flyio", "fo1_", r"[\w-]{30,}"),
    ("flyio", "fm2_", r"[A-Za-z0-9+/]{50,}={0,3}"),
    ("flyio", "FlyV1 ", r"[\w+/=,]{30,}"),
    ("artifactory", "AKCp", r"[A-Za-z0-9]{50,}"),
    ("artifactory", "cmVmd", r"[A-Za-z0-9]{50,}"),
    ("atlassian", "ATATT3", r"[\w=-]{60,}"),
    ("atlassian", "ATBB", r"[A-Za-z0-9]{28,}"),
    ("alibaba", "LTAI", r"[A-Za-z0-9]{16,}"),
    ("tencent", "AKID", r"[A-Za-z0-9]{30,}"),
    ("yandex", "AQVN", r"[\w-]{35,}"),
    ("openshift", "sha256~", r"[\w-]{40,}"),
    ("perplexity", "pplx-", r"[A-Za-z0-9]{40,}"),
    ("groq", "gsk_", r"[A-Za-z0-9]{40,}"),
    ("xai", "xai-", r"[A-Za-z0-9]{60,}"),
    ("replicate", "r8_", r"[A-Za-z0-9]{30,}"),
    ("supabase", "sbp_", r"[a-f0-9]{40}"),
    ("supabase", "sb_secret_", r"[\w-]{20,}"),
    ("cloudflare", "v1.0-", r"[a-f0-9]{24}-[a-f0-9]{100,}"),
    ("tailscale", "tskey-", r"[\w-]{16,}"),
    ("duffel", "duffel_", r"(?:test|live)_[\w=-]{40,}"),
    ("octopus", "API-", r"[A-Z0-9]{26}\b"),
    ("prefect", "pnu_", r"[A-Za-z0-9]{30,}"),
    ("readme", "rdme_", r"[a-z0-9]{60,}"),
    ("scalingo", "tk-us-", r"[\w-]{40,}"),
    ("shippo", "shippo_", r"(?:live|test)_[a-f0-9]{40}"),
    ("easypost", "EZAK", r"[A-Za-z0-9]{50,}"),
    ("frameio", "fio-u-", r"[\w=-]{50,}"),
    ("adobe", "p8e-", r"[a-z0-9]{32}"),
    ("clojars", "CLOJARS_", r"[A-Za-z0-9]{50,}"),
    ("flutterwave", "FLWSECK", r"(?:_TEST)?-[\w-]{12,}"),
    ("typeform", "tfp_", r"[\w.=-]{40,}"),
    ("settlemint", "sm_", r"[aps]at_[A-Za-z0-9]{16}"),
    ("sourcegraph", "sgp_", r"[A-Za-z0-9_]{40,}"),
    ("buildkite", "bkua_", r"[a-z0-9]{30,}"),
    ("circleci", "CCIPAT_", r"[\w-]{20,}"),
    ("infracost", "ico-", r"[A-Za-z0-9]{32}"),
    ("jenkins", "{AQAAABAAAA", r"[A-Za-z0-9+/=]{20,}\}"),
    ("nvidia", "nvapi-", r"[\w-]{40,}"),
    *(("hubspot", f"pat-{place}-", r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}") for place in ("na1", "na2", "eu1")),
    ("notion", "secret_", r"[A-Za-z0-9]{43}\b"),
    ("figma", "figd_", r"[\w-]{30,}"),
    ("langsmith", "lsv2_", r"(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10}"),
    ("posthog", "phx_", r"[A-Za-z0-9]{40,}"),
    ("resend", "re_", r"[A-Za-z0-9]{8}_[A-Za-z0-9]{20,}"),
    ("vercel", "vercel_blob_rw_", r"[A-Za-z0-9]{10,}_[A-Za-z0-9]{20,}"),
    ("nuget", "oy2", r"[a-z0-9]{43}\b"),
    ("clickup", "pk_", r"\d{6,9}_[A-Z0-9]{32}\b"),
    ("render", "rnd_", r"[A-Za-z0-9]{26,}"),
    ("portainer", "ptr_", r"[A-Za-z0-9+/]{40,}=?"),
    *(("pterodactyl", f"ptl{kind}_", r"[A-Za-z0-9]{40,}") for kind in "ac"),
    *(("sonarqube", f"sq{kind}_", r"[0-9a-f]{40}") for kind in "uap"),
    ("plex", "claim-", r"[\w-]{20}\b"),
    ("youtrack", "perm:", r"[A-Za-z0-9+/=]{8,}\.[A-Za-z0-9+/=]{8,}\.[A-Za-z0-9]{25,}"),
    ("private-key", "b3BlbnNzaC1rZXktdjE", r"[A-Za-z0-9+/=]{40,}"),
    ("private-key", "MII", r"[A-Za-z0-9+/]{2}[AQgw]IBA[A-Za-z0-9+/]{40,}={0,2}"),
    *(("private-key", start, r"[A-Za-z0-9+/]{30,}={0,2}") for start in ("MHcCAQEEI", "MIGHAgEAM", "MC4CAQAwB")),
    ("ansible-vault", "$ANSIBLE_VAULT;", r"[^\n]*\n(?:[0-9a-f]{20,}\s*)+"),
)
# Shapes without a literal beginning: kind, what must be in the text at all, shape.
_UNANCHORED: tuple[tuple[str, str, Callable[[], re.Pattern[str]]], ...] = (
    ("discord", ".", lazy(r"\b[MNO][A-Za-z\d_-]{23,25}\.[A-Za-z\d_-]{6}\.[A-Za-z\d_-]{27,38}\b")),
    ("vault", "s.", lazy(r"(?<![\w.-])s\.(?=[A-Za-z]*\d)[A-Za-z0-9]{24}(?![\w.])")),
    ("azure", "Q~", lazy(r"(?<![\w~.])[\w~.]{3}\dQ~[\w~.-]{31,34}")),
    ("telegram", ":AA", lazy(r"\b\d{8,10}:AA[\w-]{32,34}(?![\w-])")),
    ("terraform", "atlasv1.", lazy(r"\b[A-Za-z0-9]{14}\.atlasv1\.[\w=-]{30,}")),
    ("mailchimp", "-us", lazy(r"\b[0-9a-f]{32}-us\d{1,2}\b")),
    ("maxmind", "_mmk", lazy(r"\b[A-Za-z0-9]{6}_[A-Za-z0-9]{29}_mmk\b")),
    ("airtable", "pat", lazy(r"\bpat[A-Za-z0-9]{14}\.[a-f0-9]{60,}")),
)
# The name belongs to the shape but stays, the value goes.
_NAMED = frozenset(
    prefix for _, prefix, _ in _SHAPES if prefix.endswith("/") or prefix.startswith(("AccountKey", "SharedAccess"))
)

_APART = frozenset(prefix for _, prefix, _ in _SHAPES if re.search(r"[^\w.~-]", prefix))
_LONG = 19
HEX = "0123456789abcdef"
"""A digest or an id: no shape is made of these alone, and most long words are."""
_WORD = re.compile(r"[\w.~+/=-]+")
_PREFIXES = tuple(sorted({prefix for _, prefix, _ in _SHAPES if prefix not in _APART}))
_MAYBE = lazy("|".join(map(re.escape, _PREFIXES)))
_LARGE = 2000
"""So many characters are searched faster for one prefix after the other than for all at once."""

Mark = Callable[[str, str, str], str]
"""Takes (kind, raw value, the phrase it stood in), remembers the value, and gives its token."""


# After a letter or digit no shape begins, except after an escaped \\n, \\r or \\t.
_NOT_IN_A_WORD = r"(?<![A-Za-mo-qsu-z0-9])"


@cache
def _rule(prefix: str, rest: str) -> re.Pattern[str]:
    return re.compile(_NOT_IN_A_WORD + re.escape(prefix) + rest)


def long_words(text: str) -> set[str]:
    """What stands between blanks and is long enough for a key."""
    return {chunk for chunk in text.split() if len(chunk) >= _LONG}


def redact_shapes(text: str, chunks: Iterable[str], mark: Mark) -> str:
    """Replaces every secret that shows by its own shape.

    Every shape has a long word, and few words of a text are long: prefixes are looked for in those alone.
    """
    found = set(_WORD.findall(" ".join(chunks)))
    long = " ".join([word for word in found if len(word) >= _LONG and word.strip(HEX)])
    if not long:
        return text
    if has_sign(long, _PREFIXES) if len(long) > _LARGE else _MAYBE().search(long):
        for kind, prefix, rest in _SHAPES:
            if prefix in text:
                text = _rule(prefix, rest).sub(_replace(kind, prefix, mark), text)
    else:
        for kind, prefix, rest in _SHAPES:
            if prefix in _APART and prefix in text:
                text = _rule(prefix, rest).sub(_replace(kind, prefix, mark), text)
    for kind, sign, shape in _UNANCHORED:
        if (sign in long and shape().search(long)) or (sign == ":AA" and sign in text):
            text = shape().sub(_replace(kind, "", mark), text)
    return text


def _replace(kind: str, prefix: str, mark: Mark) -> Callable[[re.Match[str]], str]:
    def replace(found: re.Match[str]) -> str:
        raw = found[0]
        if prefix in _NAMED:
            return prefix + mark(kind, raw[len(prefix) :], raw)
        return mark(kind, raw, raw)

    return replace
