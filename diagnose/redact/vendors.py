"""The table of vendors' tokens: how each begins, and what follows. As of 2026-11-26.

Written from the names and shapes in the rules of gitleaks (b58d3f10), trufflehog (3ab759fe),
noseyparker (2e6e7f36), detect-secrets (5e141933), CredSweeper (1ed2ca5c), and from the vendors' own
pages on their formats; the patterns are our own. Lengths are lower bounds, since vendors lengthen
their tokens without notice.

To add a vendor: one row, and one line in `tests/corpus/secrets.txt`.
"""

import msgspec

from diagnose.lazy_pattern import LazyPattern


class Vendor(msgspec.Struct, frozen=True):
    """Tokens of one vendor.

    The kind goes into the placeholder; the prefix belongs to the token unless it is a name
    (`keeps`).
    """

    kind: str
    prefixes: tuple[str, ...]
    rest: str
    """Pattern text of what follows a prefix."""
    keeps: bool = False


def _prefixes(prefix: str, letters: str, suffix: str = "_") -> tuple[str, ...]:
    """Prefixes that differ in one letter: `ghp_`, `gho_`."""
    return tuple(f"{prefix}{letter}{suffix}" for letter in letters)


_ALNUM_20, _ALNUM_30, _ALNUM_40 = (f"[A-Za-z0-9]{{{length},}}" for length in (20, 30, 40))
_WORD_16, _WORD_20, _WORD_30, _WORD_40 = (rf"[\w-]{{{length},}}" for length in (16, 20, 30, 40))
_UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"

VENDORS: tuple[Vendor, ...] = (
    # Clouds
    Vendor(
        "aws-access-key",
        ("AKIA", "ASIA", "ABIA", "ACCA", "AROA", "AIDA", "AGPA", "AIPA", "ANPA", "ANVA"),
        r"[A-Z0-9]{16}\b",
    ),
    Vendor("aws-bedrock", ("ABSK",), r"[A-Za-z0-9+/]{100,}={0,2}"),
    Vendor("aws-bedrock", ("bedrock-api-key-",), r"[A-Za-z0-9+/]{20,}={0,2}"),
    Vendor("aws", ("amzn.mws.",), _UUID),
    Vendor("aws", ("da2-",), r"[a-z0-9]{26}\b"),
    Vendor("google", ("AIza",), _WORD_30),
    Vendor("google", ("ya29.",), r"[\w.-]{20,}"),
    Vendor("google", ("GOCSPX-",), _WORD_20),
    Vendor("google", ("1//0",), _WORD_30),
    Vendor("azure", ("AccountKey=",), r"[A-Za-z0-9+/]{40,}={0,2}", keeps=True),
    Vendor("azure", ("SharedAccessKey=",), r"[A-Za-z0-9+/]{30,}={0,2}", keeps=True),
    Vendor("azure", ("SharedAccessSignature=",), r"[^\s;\"']{20,}", keeps=True),
    Vendor("alibaba", ("LTAI",), r"[A-Za-z0-9]{16,}"),
    Vendor("tencent", ("AKID",), _ALNUM_30),
    Vendor("yandex", ("AQVN", "AQAAAA"), r"[\w-]{35,}"),
    Vendor("yandex", ("y0_", "y1_"), r"[\w-]{39,}"),
    Vendor("digitalocean", ("dop_v1_", "doo_v1_", "dor_v1_"), r"[a-f0-9]{40,}"),
    Vendor("heroku", ("HRKU-",), _WORD_30),
    Vendor("flyio", ("fo1_",), _WORD_30),
    Vendor("flyio", ("fm1a_", "fm1r_", "fm2_"), r"[A-Za-z0-9+/]{50,}={0,3}"),
    Vendor("flyio", ("FlyV1 ",), r"[\w+/=,]{30,}"),
    Vendor("scalingo", ("tk-us-",), _WORD_40),
    Vendor("vercel", ("vercel_blob_rw_",), r"[A-Za-z0-9]{10,}_[A-Za-z0-9]{20,}"),
    Vendor("vercel", _prefixes("vc", "pirak"), r"[A-Za-z0-9]{24,}"),
    Vendor("netlify", ("nfp_", "nfc_", "nfo_", "nfb_"), r"[A-Za-z0-9]{30,}"),
    Vendor("cloudflare", ("cfut_", "cfat_", "cfk_"), r"[A-Za-z0-9]{30,}"),
    Vendor("cloudflare", ("eyJhIjoi",), r"[\w+/-]{60,}={0,2}"),
    Vendor("cloudflare", ("v1.0-",), r"[a-f0-9]{24}-[a-f0-9]{100,}"),
    Vendor("render", ("rnd_",), r"[A-Za-z0-9]{26,}"),
    Vendor("pganalyze", ("pgar_", "pgaw_"), r"[A-Za-z0-9]{26,}"),
    Vendor("planetscale", ("pscale_",), r"(?:tkn|oauth|pw)_[\w=.-]{20,}"),
    Vendor("supabase", ("sbp_v0_", "sbp_"), r"[a-f0-9]{40}"),
    Vendor("supabase", ("sb_secret_",), _WORD_20),
    Vendor("tailscale", ("tskey-",), _WORD_16),
    Vendor("akamai", ("akab-",), r"[a-z0-9]{16}-[a-z0-9]{16}"),
    Vendor("defined", ("dnkey-",), _WORD_30),
    Vendor("ngrok", ("ak_", "cr_"), r"2[A-Za-z0-9]{26,}\b"),
    Vendor("upcloud", ("ucat_",), r"[A-Z0-9]{20,}"),
    Vendor("scaleway", ("SCW",), r"[A-Z0-9]{17}\b"),
    # Where code lies and is built
    Vendor("github", _prefixes("gh", "pousr"), r"[A-Za-z0-9_]{30,}"),
    Vendor("github", ("github_pat_",), r"[A-Za-z0-9_]{30,}"),
    Vendor(
        "gitlab",
        tuple(
            f"gl{use}-"
            for use in (
                "pat",
                "dt",
                "rt",
                "rtr",
                "wt",
                "cbt",
                "ptt",
                "ft",
                "imt",
                "agent",
                "oas",
                "soat",
                "ffct",
                "dbk",
                "wst",
            )
        ),
        r"[A-Za-z0-9_.-]{16,}",
    ),
    Vendor("gitlab", ("GR1348941",), _WORD_20),
    Vendor("gitlab", ("_gitlab_session=",), r"[0-9a-z]{32}", keeps=True),
    Vendor("atlassian", ("ATATT3", "ATCTT3"), r"[\w=-]{60,}"),
    Vendor("atlassian", ("ATBB",), r"[A-Za-z0-9]{28,}"),
    Vendor("atlassian", ("BBDC-",), r"[A-Za-z0-9+/@_-]{40,}"),
    Vendor("sourcegraph", ("sgp_",), r"[A-Za-z0-9_]{40,}"),
    Vendor("sourcegraph", ("slk_", "sgd_", "sgs_"), r"[a-f0-9]{64}"),
    Vendor("buildkite", ("bkua_", "bkct_"), r"[A-Za-z0-9]{30,}"),
    Vendor("circleci", ("CCIPAT_", "CCIPRJ_"), _WORD_20),
    Vendor("jenkins", ("{AQAAABAAAA",), r"[A-Za-z0-9+/=]{20,}\}"),
    Vendor("npm", ("npm_",), _ALNUM_30),
    Vendor("pypi", ("pypi-",), r"[\w-]{50,}"),
    Vendor("rubygems", ("rubygems_",), r"[a-f0-9]{40,}"),
    Vendor("nuget", ("oy2",), r"[a-z0-9]{43}\b"),
    Vendor("crates", ("cio",), r"[A-Za-z0-9]{32}\b"),
    Vendor("clojars", ("CLOJARS_",), r"[A-Za-z0-9]{50,}"),
    Vendor("artifactory", ("AKCp",), r"[A-Za-z0-9]{50,}"),
    Vendor("artifactory", ("cmVmd",), r"[A-Za-z0-9]{50,}"),
    Vendor("docker-hub", ("dckr_pat_", "dckr_oat_"), _WORD_20),
    Vendor("sonarqube", ("squ_", "sqa_", "sqp_"), r"[0-9a-f]{40}"),
    Vendor("dependency-track", ("odt_",), r"[A-Za-z0-9_]{32,}"),
    Vendor("spectralops", ("spu-",), r"[a-z0-9]{32}\b"),
    Vendor("trufflehog", ("thog-secret-",), r"[a-f0-9]{32}\b"),
    Vendor("snyk", ("snyk_",), r"[\w.-]{40,}"),
    Vendor("stackhawk", ("hawk.",), r"[\w-]{20}\.[\w-]{20}"),
    Vendor("infracost", ("ico-",), r"[A-Za-z0-9]{32}"),
    Vendor("pulumi", ("pul-",), r"[a-f0-9]{40}"),
    Vendor("octopus", ("API-",), r"[A-Z0-9]{26}\b"),
    Vendor("harness", ("pat.", "sat."), r"[\w-]{22}\.[A-Za-z0-9]{24}\.[A-Za-z0-9]{20}"),
    Vendor("launchdarkly", ("sdk-", "api-"), _UUID),
    Vendor(
        "youtrack", ("perm:", "perm-"), r"[A-Za-z0-9+/=]{4,}\.[A-Za-z0-9+/=]{4,}\.[A-Za-z0-9]{25,}"
    ),
    Vendor("linear", ("lin_api_", "lin_oauth_"), _ALNUM_30),
    Vendor("readme", ("rdme_",), r"[a-z0-9]{60,}"),
    Vendor("prefect", ("pnu_", "pnb_"), _ALNUM_30),
    Vendor("openvsx", ("ovsxat_",), _UUID),
    Vendor("expo", ("expo_",), _WORD_40),
    # Keys of clusters and secret stores
    Vendor("vault", ("hvs.", "hvb.", "hvr."), _WORD_20),
    Vendor("doppler", ("dp.",), r"(?:pt|st|ct|sa|scim|audit)\.[\w.-]{30,}"),
    Vendor("1password", ("ops_eyJ",), r"[A-Za-z0-9+/]{60,}={0,3}"),
    Vendor("1password", ("A3-",), r"[A-Z0-9]{6}-[A-Z0-9-]{25,}"),
    Vendor("swarm", ("SWMTKN-1-",), r"[a-z0-9]{30,}-[a-z0-9]{20,}"),
    Vendor("swarm", ("SWMKEY-1-",), r"[A-Za-z0-9+/=]{30,}"),
    Vendor("openshift", ("sha256~",), _WORD_40),
    Vendor("rancher", ("kubeconfig-user-", "kubeconfig-u-"), r"[a-z0-9.]{5,20}:[a-z0-9]{40,}"),
    Vendor("rancher", ("token-",), r"[a-z0-9]{5}:[a-z0-9]{40,}"),
    Vendor("k3s", ("K10",), r"[a-f0-9]{64}::[\w:.-]{8,}"),
    Vendor("portainer", ("ptr_",), r"[A-Za-z0-9+/]{40,}=?"),
    Vendor("age", ("AGE-SECRET-KEY-1",), r"[A-Z0-9]{40,}"),
    Vendor("age", ("AGE-PLUGIN-",), r"[A-Z0-9]{1,40}-1[A-Z0-9]{20,}"),
    Vendor("teleport", ("teleport-join-",), _WORD_20),
    Vendor("infisical", ("st.",), r"[a-f0-9]{24}\.[a-f0-9]{32}\.[a-f0-9]{32}"),
    Vendor("private-key", ("b3BlbnNzaC1rZXktdjE",), r"[A-Za-z0-9+/=]{40,}"),
    Vendor("private-key", ("MII",), r"[A-Za-z0-9+/]{2}[AQgw]IBA[A-Za-z0-9+/]{40,}={0,2}"),
    Vendor(
        "private-key",
        ("MHcCAQEEI", "MIGHAgEAM", "MC4CAQAwB", "MIGkAgEBBD", "MIHuAgEA"),
        r"[A-Za-z0-9+/]{30,}={0,2}",
    ),
    Vendor("ansible-vault", ("$ANSIBLE_VAULT;",), r"[^\n]{1,80}\n(?:[0-9a-f]{20,80}\s{1,40})+"),
    # Messages and mail
    Vendor("slack", _prefixes("xox", "abeposrc", "-"), r"[A-Za-z0-9-]{10,}"),
    Vendor("slack", ("xoxe.", "xapp-", "xwfp-"), r"[A-Za-z0-9.-]{20,}"),
    Vendor(
        "webhook",
        ("hooks.slack.com/services/", "hooks.slack.com/workflows/", "hooks.slack.com/triggers/"),
        r"[A-Za-z0-9+/_-]{20,}",
        keeps=True,
    ),
    Vendor(
        "webhook",
        ("discord.com/api/webhooks/", "discordapp.com/api/webhooks/"),
        r"\d+/[\w-]{20,}",
        keeps=True,
    ),
    Vendor(
        "webhook",
        ("webhook.office.com/webhookb2/", "outlook.office.com/webhook/"),
        r"[\w@/-]{40,}",
        keeps=True,
    ),
    Vendor("sendgrid", ("SG.",), r"[\w-]{16,}\.[\w-]{16,}"),
    Vendor("mailgun", ("key-",), r"[0-9a-f]{32}\b"),
    Vendor("sendinblue", ("xkeysib-", "xsmtpsib-"), r"[a-f0-9]{40,}-\w+"),
    Vendor("mandrill", ("md-",), r"[\w-]{22}\b"),
    Vendor("resend", ("re_",), r"[A-Za-z0-9]{8}_[A-Za-z0-9]{20,}"),
    Vendor("twilio", ("SK",), r"[0-9a-f]{32}\b"),
    Vendor("rootly", ("rootly_",), r"[a-f0-9]{60,}"),
    # Payment and shops
    Vendor(
        "stripe",
        tuple(f"{key}_{mode}_" for key in ("sk", "rk") for mode in ("live", "test", "prod")),
        r"[A-Za-z0-9]{10,}",
    ),
    Vendor("stripe", ("whsec_",), r"[A-Za-z0-9+/=]{20,}"),
    Vendor("square", ("sq0atp-", "sq0csp-"), _WORD_20),
    Vendor("square", ("EAAA",), r"[\w-]{50,}"),
    Vendor(
        "paypal",
        ("access_token$production$", "access_token$sandbox$"),
        r"[a-z0-9]{16}\$[a-f0-9]{32}",
    ),
    Vendor("shopify", ("shpat_", "shpca_", "shppa_", "shpss_", "shptka_"), r"[a-fA-F0-9]{32}"),
    Vendor("shippo", ("shippo_",), r"(?:live|test)_[a-f0-9]{40}"),
    Vendor("easypost", ("EZAK", "EZTK"), r"[A-Za-z0-9]{50,}"),
    Vendor("flutterwave", ("FLWSECK",), r"(?:_TEST)?-[\w-]{12,}"),
    Vendor("ramp", ("ramp_sec_",), _ALNUM_40),
    Vendor("duffel", ("duffel_",), r"(?:test|live)_[\w=-]{40,}"),
    Vendor("razorpay", ("rzp_live_", "rzp_test_"), r"[A-Za-z0-9]{14}\b"),
    Vendor("paystack", ("sk_",), r"(?:[a-f0-9]{40,}|(?:test|live)_[a-f0-9]{40})\b"),
    Vendor("adyen", ("AQE",), r"[a-zA-Z0-9+/]{60,}={0,2}"),
    Vendor("lob", ("live_", "test_"), r"[a-f0-9]{35}\b"),
    Vendor("twitch", ("live_",), r"\d{8,10}_[A-Za-z0-9]{30}\b"),
    # People and files
    Vendor("facebook", ("EAAC", "EAAM"), r"[A-Za-z0-9]{60,}"),
    Vendor("dropbox", ("sl.",), r"(?:u\.)?[\w-]{100,}"),
    Vendor("salesforce", ("00D",), r"[A-Za-z0-9]{12,15}![\w.]{60,}"),
    Vendor("salesforce", ("5AEP861",), r"[A-Za-z0-9._=]{80,}"),
    Vendor(
        "hubspot", tuple(f"pat-{place}-" for place in ("na1", "na2", "na3", "eu1", "ap1")), _UUID
    ),
    Vendor("adobe", ("p8e-",), r"[a-z0-9]{32}"),
    Vendor("figma", ("figd_", "figp_", "figo_", "figu_", "figoh_"), _WORD_30),
    Vendor("frameio", ("fio-u-",), r"[\w=-]{50,}"),
    Vendor("typeform", ("tfp_",), r"[\w.=-]{40,}"),
    Vendor("notion", ("ntn_",), _ALNUM_30),
    Vendor("notion", ("secret_",), r"[A-Za-z0-9]{43}\b"),
    Vendor("clickup", ("pk_",), r"\d{6,9}_[A-Z0-9]{32}\b"),
    Vendor("plex", ("claim-",), r"[\w-]{20}\b"),
    Vendor("adafruit", ("aio_",), r"[A-Za-z0-9]{28}\b"),
    Vendor("pterodactyl", ("ptla_", "ptlc_"), _ALNUM_40),
    Vendor("postman", ("PMAK-", "PMAT-"), r"[A-Za-z0-9]{24,}(?:-[a-f0-9]{30,})?"),
    Vendor("mapbox", ("sk.eyJ", "tk.eyJ"), r"[\w=-]{30,}\.[\w-]{20,}"),
    Vendor("intercom", ("dG9rOj",), r"[A-Za-z0-9+/]{40,}={0,2}"),
    Vendor("airtable", ("pat",), r"[A-Za-z0-9]{14}\.[a-f0-9]{60,}"),
    Vendor("sanity", ("skE", "skA"), r"[A-Za-z0-9]{80,}"),
    Vendor("contentful", ("CFPAT-",), _WORD_40),
    # Measurements and logs
    Vendor("grafana", ("glsa_",), r"[A-Za-z0-9_]{30,}"),
    Vendor("grafana", ("glc_",), r"[A-Za-z0-9+/=]{30,}"),
    Vendor("grafana", ("eyJrIjoi",), r"[A-Za-z0-9]{60,}={0,2}"),
    Vendor(
        "new-relic",
        ("NRAK-", "NRAA-", "NRRA-", "NRIQ-", "NRII-", "NRBR-", "NRSP-"),
        r"[A-Za-z0-9_-]{20,}",
    ),
    Vendor("new-relic", ("NRJS-",), r"[a-f0-9]{19}"),
    Vendor("new-relic", ("eu01xx",), r"[a-f0-9]{26,36}(?:F{4}NRAL|NRAL|-NRMA)"),
    Vendor("new-relic", ("px-api-", "px-dep-"), _UUID),
    Vendor(
        "dynatrace",
        ("dt0c01.", "dt0s01.", "dt0s02.", "dt0s08."),
        r"[A-Za-z0-9]{8,24}\.[A-Za-z0-9]{40,}",
    ),
    Vendor("sentry", ("sntrys_",), r"[\w+/=.-]{30,}"),
    Vendor("sentry", ("sntryu_", "sntrya_", "sntryi_"), r"[a-f0-9]{40,}"),
    Vendor("posthog", ("phx_", "phs_", "phr_", "pha_"), r"[A-Za-z0-9]{30,}"),
    Vendor("honeycomb", ("hcaik_", "hcbik_", "hcxik_", "hcamk_"), r"[a-z0-9]{30,}"),
    Vendor("logfire", ("pylf_",), r"v\d_[a-z]{2}_[A-Za-z0-9]{30,}"),
    Vendor("databricks", ("dapi", "dose"), r"[a-f0-9]{32}\b"),
    Vendor("settlemint", ("sm_",), r"[aps]at_[A-Za-z0-9]{16}"),
    Vendor("aiven", ("AVNS_",), r"[A-Za-z0-9_-]{15,}"),
    Vendor("tinybird", ("p.eyJ",), r"[\w-]{20,}\.[\w-]{20,}"),
    # Models
    Vendor("anthropic", ("sk-ant-",), _WORD_20),
    Vendor("openai", ("sk-",), r"(?!ant-)[\w-]{0,100}?[A-Za-z0-9]{20,}[\w-]*"),
    Vendor("openai", ("sess-",), r"[A-Za-z0-9]{40}\b"),
    Vendor("huggingface", ("hf_", "api_org_"), _ALNUM_30),
    Vendor("perplexity", ("pplx-",), _ALNUM_40),
    Vendor("groq", ("gsk_",), _ALNUM_40),
    Vendor("xai", ("xai-",), r"[A-Za-z0-9]{60,}"),
    Vendor("replicate", ("r8_",), _ALNUM_30),
    Vendor("nvidia", ("nvapi-",), _WORD_40),
    Vendor("langsmith", ("lsv2_",), r"(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10}"),
    Vendor("langfuse", ("sk-lf-",), _UUID),
    Vendor("pinecone", ("pcsk_",), r"[A-Za-z0-9_]{40,}"),
    Vendor("tavily", ("tvly-",), r"[A-Za-z0-9-]{30,}"),
    Vendor("together", ("tgp_v1_",), _WORD_40),
    Vendor("llamaindex", ("llx-",), _ALNUM_40),
    Vendor("firecrawl", ("fc-",), r"[a-f0-9]{32}\b"),
    Vendor("jina", ("jina_",), r"[A-Za-z0-9]{50,}"),
    Vendor("elevenlabs", ("sk_",), r"[a-f0-9]{48}\b"),
    Vendor("fireworks", ("fw_",), r"[A-Za-z0-9]{22,}\b"),
    Vendor("deepgram", ("dg_",), r"[a-f0-9]{40}\b"),
    Vendor("wandb", ("wandb_v1_",), _WORD_40),
    Vendor("exa", ("exa_",), _WORD_30),
    Vendor("apify", ("apify_api_",), _ALNUM_30),
    Vendor("e2b", ("e2b_",), r"[a-f0-9]{40}\b"),
    Vendor("modal", ("as-",), r"[A-Za-z0-9]{22}\b"),
    # Any
    Vendor(
        "jwt",
        ("eyJ",),
        r"[\w-]{8,1000}+={0,2}\.(?:[\w-]{4,}+={0,2}(?:\.[\w-]*+={0,2}){0,3}|(?:\.[\w-]{8,}+){3})",
    ),
)


class TokenShape(msgspec.Struct, frozen=True):
    """A token without a beginning of its own: what must be in a text at all, and the pattern.

    Its first group is the token.
    """

    kind: str
    sign: str
    pattern: LazyPattern


SHAPES: tuple[TokenShape, ...] = (
    TokenShape(
        "discord",
        ".",
        LazyPattern(r"\b([MNO][A-Za-z\d_-]{23,25}\.[A-Za-z\d_-]{6}\.[A-Za-z\d_-]{27,38})\b"),
    ),
    TokenShape(
        "vault", "s.", LazyPattern(r"(?<![\w.-])(s\.(?=[A-Za-z]{0,23}\d)[A-Za-z0-9]{24})(?![\w.])")
    ),
    TokenShape("azure", "Q~", LazyPattern(r"(?<![\w~.])([\w~.]{3}\dQ~[\w~.-]{31,34})")),
    TokenShape("azure", "AZDO", LazyPattern(r"\b([A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4})\b")),
    TokenShape("azure", "JQQJ99", LazyPattern(r"\b([A-Za-z0-9]{52}JQQJ99[A-Za-z0-9]{26})\b")),
    # In the address of its API the token follows `bot`.
    TokenShape(
        "telegram", ":AA", LazyPattern(r"(?:\bbot|(?<!\w))(\d{8,10}:AA[\w-]{32,34})(?![\w-])")
    ),
    TokenShape(
        "telegram", "3AAA", LazyPattern(r"(?:\bbot|(?<!\w))(\d{8,10}%3AAA[\w-]{32,34})(?![\w-])")
    ),
    TokenShape("facebook", "|", LazyPattern(r"(?<!\w)(\d{15,16}(?:\||%7C)[\w-]{27,40})(?![\w-])")),
    TokenShape("nats", "S", LazyPattern(r"(?<!\w)(S[ACNOUX][A-Z2-7]{56})(?!\w)")),
    TokenShape("terraform", "atlasv1.", LazyPattern(r"\b([A-Za-z0-9]{14}\.atlasv1\.[\w=-]{30,})")),
    TokenShape("mailchimp", "-us", LazyPattern(r"\b([0-9a-f]{32}-us\d{1,2})\b")),
    TokenShape("maxmind", "_mmk", LazyPattern(r"\b([A-Za-z0-9]{6}_[A-Za-z0-9]{29}_mmk)\b")),
    TokenShape(
        "new-relic", "NRAL", LazyPattern(r"\b([0-9a-f]{32}(?:FFFF)?NRAL|[0-9a-f]{36}NRAL)\b")
    ),
)
