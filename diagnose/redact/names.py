"""The names of settings, and whether they name a secret.

`DB_PASSWORD` names a password, `PASSWORD_FILE` and `TOKEN_TTL` name none.

The vocabulary follows detect-secrets 1.5 (`KeywordDetector.DENYLIST`) and gitleaks
(`generic-api-key` with its allow-list: `public_key`, `key_id`, `token_file`, `token_url` and the
like name no secret), read for names of environment variables, flags, labels, headers and keys in
configuration.
"""

import re
from collections.abc import Callable
from functools import lru_cache

import msgspec

from diagnose.lazy_pattern import LazyPattern
from diagnose.redact import looks
from diagnose.redact.looks import unpacked
from diagnose.redact.patterns import TOKEN
from diagnose.word_sets import vocabulary

__all__ = ["TOKEN", "kind_of", "names_users", "unexplained", "unpacked"]

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_LONGEST_NAME = 200
"""So much of the end of a name is read."""

# The last word of a name says what the value is: a token's lifetime is not a token.
_ABOUT = vocabulary(
    "file files path paths dir directory folder name names id ids uid gid url urls uri uris "
    "endpoint endpoints host hosts "
    "hostname addr address ip port ports ttl expiry expires expire expired expiration exp lifetime "
    "duration timeout interval "
    "length len size min max count limit limits algorithm alg algo type types kind policy enabled "
    "enable disabled disable "
    "required require optional version format prefix suffix header headers field fields param "
    "params parameter provider "
    "issuer audience method methods mode store storage cache rotation days hours minutes seconds "
    "secs sec ms millis "
    "milliseconds env var variable label labels regex pattern rounds cost strength retries "
    "attempts history age class iterations "
    "driver plugin plugins manager service services server backend usage budget window validity "
    "leeway check checks "
    "validation validator strategy scheme schema encoding charset chars map mapping ref reference "
    "source src template "
    "location bucket region arn realm db database user username users usernames email group groups "
    "role roles module proxy "
    "domain domains origin origins cert certs certificate certificates ca pub public fingerprint "
    "thumbprint checksum digest "
    "sum stdin sock socket rule rules middleware middlewares entrypoints samesite secure httponly "
    "status state error errors "
    "message reason exists valid present changed updated created opts options flags level image "
    "tag title description "
    "prompt hint per reset parallelism grant grants scope scopes mount mounts target strict app "
    "application pass_env "
    "separator delimiter weight priority quota rate resolver extension extensions program command "
    "cmd helper helpers hasher "
    "encoder decoder filter generator handler factory encryption hashing"
)
_OWNERS = vocabulary("db database user email app application service server")
"""What a secret is for, after its own word: `PASSWORD_DB`, `DB_PASS_APP`, `TOKEN_SERVICE`."""
# A number, a switch or something made for everybody's eyes, whatever follows.
_NOT = vocabulary(
    "public pub publishable max min num number total per allow disallow minimum maximum"
)
_ALSO_A_SCOPE = vocabulary("public pub per total number")
"""Of these, what may also say whose secret it is: `PUBLIC_API_PASSWORD`, `PUB_SUB_SECRET`."""
_UNMISTAKABLE = vocabulary("password passwd passphrase pass pwd secret")
_STRONG = (
    ("passphrase", "password"),
    ("password", "password"),
    ("passwd", "password"),
    ("passwort", "password"),
    ("pasword", "password"),
    ("passwrd", "password"),
    ("contrasen", "password"),
    ("kennwort", "password"),
    ("wachtwoord", "password"),
    ("requirepass", "password"),
    ("masterauth", "password"),
    ("connectionstring", "secret"),
    ("privatekey", "private-key"),
    ("privkey", "private-key"),
    ("apikey", "api-key"),
    ("secretkey", "secret"),
    ("accesskey", "api-key"),
    ("accountkey", "api-key"),
    ("authkey", "api-key"),
    ("licensekey", "api-key"),
    ("servicekey", "api-key"),
    ("secret", "secret"),
    ("credential", "credential"),
    ("token", "token"),
)
"""Words inside a name that make its value a secret wherever they stand, and the kind of secret."""
_WORD = {
    "pass": "password",
    **dict.fromkeys(vocabulary("pwd pswd psswd psswrd pwrd pword passwds pswrd"), "password"),
    "psw": "password",
    "passcode": "password",
    "pw": "password",
    "creds": "credential",
    "cred": "credential",
    "salt": "secret",
    "pepper": "secret",
    "psk": "secret",
    "jwt": "token",
    "bearer": "token",
    "otpauth": "secret",
    **dict.fromkeys(vocabulary("phpsessid jsessionid"), "cookie"),
    "authorization": "auth",
    **dict.fromkeys(
        vocabulary("passe mdp senha clave haslo heslo parola passord adgangskode salasana"),
        "password",
    ),
}
"""Words of a name that make its value a secret, and the kind of secret."""
_FOREIGN = (
    "contraseñ",
    "hasło",
    "lösenord",
    "şifre",
    "пароль",
    "密码",
    "密碼",
    "口令",
    "パスワード",
    "비밀번호",
)
"""Password, in letters that are not ASCII."""
_LAST = {
    "auth": "auth",
    "cookie": "cookie",
    "pin": "pin",
    "community": "password",
    "seed": "random",
    "sas": "secret",
    "pat": "token",
    "access": "random",
    "encrypt": "random",
}
"""Words that make a value a secret where they end a name, and the kind of secret."""
_KEY_OF = vocabulary(
    "api secret private priv access auth account encryption encrypt signing sign master shared "
    "session license licence app "
    "jwt hmac crypto cipher data token service admin write read root unseal recovery fernet cookie "
    "webhook deploy ingest "
    "integration db database storage client consumer server security instrumentation subscription "
    "aes rsa vapid user hash "
    "ssl tls ssh wg wireguard age barrier"
)
_KEY_NOT = vocabulary(
    "gpg pgp foreign partition sort cache routing group index object "
    "hot row map keyboard bucket sandbox issue project i18n shard dedup "
    "idempotency host known authorized trusted verify verification recv"
)
_NO_KEYS = vocabulary(
    "monkey donkey turkey hockey jockey whiskey hotkey pubkey publickey hostkey sortkey rowkey "
    "mapkey objectkey indexkey cachekey "
    "partitionkey foreignkey routingkey primarykey keykey passkey"
)
"""Words that end like one."""
# What a generated value is, beside a secret.
_HARMLESS = vocabulary(
    "sha sha1 sha256 sha512 md5 hash commit rev revision etag nonce "
    "site measurement publishable integrity sri cert crt ca cluster node "
    "machine instance build trace span request session serial hostkey"
)
_NOT_A_TOKEN = LazyPattern(
    r"tokeni[sz]|secretar|tokenlimit|(?:load|import)credential|jsonwebtoken(?=s?$)|passwordless"
    r"|tokenless"
)
"""Words that hold the word of a secret, and name none."""
_WHEN = vocabulary("in at on until after before by since from")
_EVENTS = vocabulary(
    "expires expire expiry expiring valid created issued "
    "updated rotated changed refreshed refresh renew renewed used"
)
"""`EXPIRES_IN`, `VALID_UNTIL`: when something happens to a secret."""
_KNOWN = {
    "etcd_initial_cluster_token": "",
    "initial_cluster_token": "",
    "salt_master": "",
    "salt_minion": "",
    "site_key": "",
    "recaptcha_site_key": "",
}
"""Names whose words mislead: a cluster's name, the host of a configuration tool, a key that every
page shows."""


class _Name(msgspec.Struct, frozen=True):
    """A name cut into its words, in lower case and without a number at its end."""

    text: str
    parts: list[str]

    @property
    def last(self) -> str:
        """The word that says what the value is."""
        return self.parts[-1]

    @property
    def before(self) -> str:
        """The word before the last one, or nothing."""
        return self.parts[-2] if len(self.parts) > 1 else ""

    @property
    def flat(self) -> str:
        """All words in one: `api_key` and `apiKey` are the same.

        Without a word that only looks like a secret's: `TOKENIZER_API_KEY` names a key,
        `TOKENIZERS_PARALLELISM` nothing.
        """
        return _NOT_A_TOKEN.sub("", "".join(self.parts))


@lru_cache(maxsize=8192)
def kind_of(name: str) -> str | None:
    """The kind of secret that a value under this name is.

    None: no secret. "random": only a value that looks generated would be one. The name is an
    environment variable, a flag, a header, a JSON key, or a dotted label key, whose last segment
    says what the value is.
    """
    if name.endswith("sonar.login"):
        return "token"
    text = _last_segment(name[-_LONGEST_NAME:])
    if not text.isascii() and any(word in text.lower() for word in _FOREIGN):
        return "password"
    parts = [word.lower() for word in _WORDS.findall(text)]
    while len(parts) > 1 and parts[-1].isdigit():
        parts.pop()
    if not parts:
        return None
    parsed = _Name(text, parts)
    for judge in _JUDGES:
        kind = judge(parsed)
        if kind is not None:
            return kind or None
    return None


def _last_segment(name: str) -> str:
    """`com.example.db.password` says what it is by its last segment.

    `password.value` by the one before.
    """
    segment = name.strip("-\"'[] ").rstrip("_.")
    if "." not in segment:
        return segment
    head, _, tail = segment.rpartition(".")
    if tail in ("value", "plain", "default", "data", "content"):
        return head.rpartition(".")[2]
    return tail


_NO_SECRET = ""
"""What a judge of a name says where nobody else is to be asked.

Otherwise it gives the kind of the secret, or None for "ask the next one" of `_JUDGES`.
"""


def _known_name(name: _Name) -> str | None:
    """Names that say something else than their words do.

    `ETCD_INITIAL_CLUSTER_TOKEN` is an id that everybody sees.
    """
    return _KNOWN.get("_".join(name.parts))


def _about_a_secret(name: _Name) -> str | None:
    """`TOKEN_TTL`, `PASSWORD_FILE`: something about a secret.

    `PASSWORD_DB` is what the database's password is called.
    """
    is_time = name.last in _WHEN and name.before in _EVENTS
    if name.last not in _ABOUT and not is_time:
        return None
    if name.parts[-2:] == ["secret", "id"] or name.parts[-3:] == ["root", "token", "id"]:
        return None
    if name.last not in _OWNERS or not name.before:
        return _NO_SECRET
    if kind_of(name.before) == "password":
        return "password"
    return "random" if name.before in ("secret", "token") else _NO_SECRET


def _kind_of_bundler(name: _Name) -> str | None:
    """`BUNDLE_GEMS__EXAMPLE__COM` holds the login of a gem server."""
    is_host = name.last in ("com", "org", "net", "io", "dev")
    return (
        "credential" if is_host and name.text.startswith("BUNDLE_") and "__" in name.text else None
    )


def _kind_of_public_name(name: _Name) -> str | None:
    """`_NO_SECRET` for a name of a number, of a switch, or of what everybody may see."""
    marks = _NOT.intersection(name.parts)
    if name.last in _UNMISTAKABLE:
        marks -= _ALSO_A_SCOPE
    return _NO_SECRET if marks else None


def _kind_by_strong_word(name: _Name) -> str | None:
    """A word that makes any name a secret's, also inside other words: `mysqlpassword`."""
    flat = name.flat
    if name.parts[-2:] == ["api", "key"]:
        return "api-key"
    for part, kind in _STRONG:
        if part in flat and (kind != "api-key" or _KEY_NOT.isdisjoint(name.parts[:-1])):
            return kind
    return None


def _word(name: _Name) -> str | None:
    """A word that makes a name a secret's when it stands by itself: `DB_PASS`."""
    for word in name.parts:
        if word in _WORD:
            return _WORD[word]
    return None


def _last_word(name: _Name) -> str | None:
    """A word that does so only at the end of a name: `NEO4J_AUTH`."""
    if name.last in _LAST:
        return _LAST[name.last]
    is_ending = name.last.endswith(("pass", "pwd", "pw", "community")) and name.last not in (
        "bypass",
        "compass",
    )
    return "password" if is_ending else None


def _key(name: _Name) -> str | None:
    """`ENCRYPTION_KEY` is a key.

    `STEAM_KEY` is one if its value looks generated; `PARTITION_KEY` is none.
    """
    last = name.last
    if last in ("key", "keys") or (last in ("base", "data") and name.before == "key"):
        is_foreign = not _KEY_NOT.isdisjoint(name.parts)
        if is_foreign:
            return _NO_SECRET
        return "random" if _KEY_OF.isdisjoint(name.parts) else "key"
    if not last.endswith("key") or last in _NO_KEYS:
        return None
    return "key" if last[:-3] in _KEY_OF else "random"


def _likely_kind(name: _Name) -> str | None:
    """The kind for a name that may be a secret or only belong to one."""
    is_one = name.last in ("signature", "sig", "webhook", "dsn", "cookies", "otp", "totp")
    return "random" if is_one else None


_JUDGES: tuple[Callable[[_Name], str | None], ...] = (
    _known_name,
    _about_a_secret,
    _kind_of_bundler,
    _kind_of_public_name,
    _kind_by_strong_word,
    _word,
    _last_word,
    _key,
    _likely_kind,
)


def unexplained(name: str, value: str) -> bool:
    """Whether a value is a generated key that its name says nothing of.

    No id, digest, public key or base64 of a text.
    """
    if len(value) < 24:
        return False
    parts = {word.lower() for word in _WORDS.findall(name)}
    if (
        not parts.isdisjoint(_HARMLESS)
        or not parts.isdisjoint(_NOT)
        or not parts.isdisjoint(_ABOUT)
    ):
        return False
    return looks.unexplained(value)


def names_users(name: str) -> bool:
    """Whether a value under this name is an account, or several, perhaps with their passwords."""
    last = _WORDS.findall(name)[-1:]
    return bool(last) and last[0].lower() in ("user", "users", "username", "login", "account")
