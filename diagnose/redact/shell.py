"""Secrets in shell lines that stand under no option.

What is piped, redirected, or taken at a place of its own.
"""

import re

from diagnose.lazy_pattern import LazyPattern
from diagnose.redact.lines import has_sign
from diagnose.redact.patterns import Mark, verbose
from diagnose.redact.values import mark_password, mark_word, raw_replaced

_PASS_ARGUMENT = LazyPattern(r"\bpass:(?P<secret>[^\s\"']+)")
_READERS = (
    r"(?:--(?:password|token|passphrase)-stdin|sudo -S|passwd --stdin|cryptsetup|-pass stdin"
    r"|(?:docker|podman) secret create"
    r"|auth login --with-token|--passphrase-fd 0|mkpasswd|htpasswd -[a-zA-Z]{0,5}i|openssl passwd)"
)
"""Programs and options that read a secret from a pipe."""
_PIPED = verbose(
    rf"""
    \b(?:echo|printf)\s (?:-n\s|-e\s|'%s'\s|"%s"\s|%s\s)? ["']?
    (?P<secret>[^\s"'|;]{{1,400}})
    ["']?\s{{0,9}}\|[^|\n]{{0,80}}?{_READERS.replace(" ", "[ ]")}
    """
)
_HERE = LazyPattern(
    r"(?:--(?:password|token|passphrase)-stdin|sudo -S|passwd --stdin|(?:docker|podman) secret create"
    r"|vncpasswd|smbpasswd|realm join|cryptsetup)"
    r"[^\n|;<]{0,80}<<<\s{0,9}[\"']?(?P<secret>[^\s\"']+)"
)
"""A secret that a here-string (<<<) gives a command: docker login --password-stdin <<< secret."""
_HERE_DOCUMENT = verbose(
    rf"""
    {_READERS.replace(" ", "[ ]")} [^\n|;<]{{0,80}} <<-?[ \t]?["']?(\w{{1,40}}+)["']?[ \t]*+\r?\n
    [ \t]*+ (?P<secret>[^\s][^\r\n]{{0,400}}) \r?\n [ \t]*+ \1\b
    """
)
"""A secret that a document in the script gives a command."""
_PIPED_DOCUMENT = verbose(
    rf"""
    <<-?[ \t]?["']?(\w{{1,40}}+)["']?[ \t]*+ \|[^|\n]{{0,80}}?{_READERS.replace(" ", "[ ]")}[^\n]{{0,200}}\n
    [ \t]*+ (?P<secret>[^\s][^\r\n]{{0,400}}) \r?\n [ \t]*+ \1\b
    """
)
"""The same through a pipe: cat <<EOF | docker secret create db -"""
_ACL = verbose(
    r"""
    (?i: (?: \bacl[ ]setuser[ ]\S{1,80}[ ](?:[^\s>\#]{1,40}[ ]){0,9}
           | \b(?:user[ ]\S{1,80}|default)[ ](?:[^\s>\#]{1,40}[ ]){0,9}(?=[>\#]\S{1,200}[ ][^\n]{0,80}?[~&+%]) )
         [>\#] )
    (?P<secret>\S+)
    """
)
"""A user of Redis with a password."""
_PIPED_TO_CHPASSWD = LazyPattern(
    r"\b[\w.-]{1,64}:(?P<secret>[^\s\"'|:]{1,200})(?=[\"']?\s{0,9}\|\s{0,9}(?:sudo\s{1,9})?chpasswd)"
)
"""echo user:secret | sudo chpasswd"""
_HERE_FOR_CHPASSWD = LazyPattern(r"\bchpasswd <<<\s?[\"']?[\w.-]{1,64}:(?P<secret>[^\s\"']+)")
_FED = LazyPattern(
    r"\b(?:echo|printf) [^|]{1,200}\|\s{0,9}(?:sudo )?(?:smbpasswd|passwd|cryptsetup)\b"
)
_FED_WORD = LazyPattern(r"[^\s\"'();|\\]{6,}")
_WRITTEN = verbose(
    r"""
    \b(?:echo|printf)[ ](?:-n[ ]|-e[ ])?["']?(?P<secret>[^\s"'|;>]{6,400})
    (?=["']?\s{0,9} (?:>>?|\|\s{0,9}(?:sudo[ ])?tee[ ]) \s{0,9}\S{0,99}?(?:secret|passw|token|credential|private|\.key))
    """
)
_PLACE = verbose(
    r"""
    (?: (?P<certain> \bhttp-basic\.\S{1,100}[ ]\S{1,100}[ ]                          # composer
      | \bConvertTo-SecureString[ ](?:-\w{1,20}[ ]){0,3}["']                         # PowerShell
      | \bradtest[ ](?:-\w{1,9}[ ]){0,5}[^\s-]\S{0,99}[ ]
      | \bopenssl[ ]passwd[ ](?:-salt[ ]\S{1,60}[ ]|-\w{1,20}[ ]){0,3}(?!-)
      | \b(?:cargo[ ]login|ngrok[ ]config[ ]add-authtoken)[ ](?!-) )
    | \bbundle[ ]config[ ](?:set[ ])?(?:--\w{1,20}[ ]){0,3}[\w.-]{1,100}\.[a-z]{2,20}[ ]
    | \bdb2[ ]connect[ ][^\n]{1,80}[ ]using[ ]
    | \bsend(?:[ ]--)?[ ]["']                                                     # expect
    | \bopen[ ]-u[ ][^\s,]{1,80},                                                 # lftp
    | \bvault[ ](?:kv[ ]put|write)[ ]\S{1,100}[ ]\w{1,60}=
    | \bsqlplus[ ](?:-\w{1,20}[ ]){0,5}[\w.-]{1,80}/
    | \bcurl[ ][^|\n]{0,200}?(?:-b|--cookie)[ =]["']?[\w.-]{1,80}= )
    (?P<secret>[^\s"'\\@;)]+)
    """
)
"""Commands that take a secret at a place of its own."""
PLACE_SIGNS = (
    "http-basic",
    "bundle config",
    "openssl passwd",
    "db2 connect",
    "send ",
    "open -u ",
    "vault ",
    "sqlplus ",
    "curl ",
    "convertto-securestring",
    "radtest ",
    "cargo login",
    "ngrok config",
)


def in_shell(text: str, low: str, mark: Mark) -> str:
    """The text without the secrets that its shell lines feed to programs."""

    def password(match: re.Match[str]) -> str:
        return raw_replaced(match, "secret", mark_password(match["secret"], match[0], mark))

    def word(match: re.Match[str]) -> str:
        return raw_replaced(match, "secret", mark_word(match["secret"], match[0], mark))

    def words_of_line(match: re.Match[str]) -> str:
        line = match[0]
        return _FED_WORD.sub(lambda word: mark_word(word[0], line, mark), line)

    def at_place(match: re.Match[str]) -> str:
        return raw_replaced(match, "secret", _replaced_at(match, mark))

    if "pass:" in low:
        text = _PASS_ARGUMENT.sub(password, text)
    if "<<" in text:
        text = _HERE.sub(password, text)
        text = _HERE_DOCUMENT.sub(password, text)
        text = _PIPED_DOCUMENT.sub(password, text)
    if "echo " in low or "printf " in low:
        text = _PIPED.sub(password, text)
        text = _FED.sub(words_of_line, text)
        text = _WRITTEN.sub(word, text)
    if " >" in text or " #" in text:
        text = _ACL.sub(password, text)
    if "chpasswd" in low:
        text = _PIPED_TO_CHPASSWD.sub(password, text)
        text = _HERE_FOR_CHPASSWD.sub(password, text)
    if has_sign(low, PLACE_SIGNS):
        text = _PLACE.sub(at_place, text)
    return text


def at_places_in_words(words: list[str], mark: Mark) -> list[str]:
    """The words of a command line without what is at a secret's place."""
    line = " ".join(words)
    if not has_sign(line.lower(), PLACE_SIGNS):
        return words
    for match in _PLACE.finditer(line):
        old = match["secret"]
        new = _replaced_at(match, mark)
        if new != old:
            words = [word.replace(old, new) for word in words]
    return words


def _replaced_at(match: re.Match[str], mark: Mark) -> str:
    """The mark for a secret in its place. The text itself where it is not a secret."""
    # bundle takes 8 and 8 hexadecimal digits
    is_certain = match["certain"] is not None or match[0].startswith("bundle")
    replace = mark_password if is_certain else mark_word
    return replace(match["secret"], match[0], mark)
