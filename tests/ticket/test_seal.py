"""A bundle for one reader: age and gpg read it again, ssh-keygen knows who wrote it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from diagnose.live.commands import run
from diagnose.questions.run import Options
from diagnose.recording import archive, source
from diagnose.recording.answer_files import RecordingError
from diagnose.ticket import seal, write
from diagnose.ticket.write import STDOUT, NotWrittenError, Order
from tests.tickets import FEW, made, opener_of, unpacked

HOST = made({})


def needs(program: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"{program} is not installed")


def given(order: Order, opener: object = None) -> str:
    opener = opener or opener_of(HOST)
    return write.deliver(FEW, Options(), order, began=time.monotonic(), open_recorder=opener)  # type: ignore[arg-type]


def out(*argv: str, data: bytes = b"") -> bytes:
    return subprocess.run(argv, input=data, capture_output=True, check=True).stdout


@pytest.fixture
def age_key(tmp_path: Path) -> tuple[Path, str]:
    """A file with a private key, and the public one."""
    path = tmp_path / "age.key"
    out("age-keygen", "-o", str(path))
    found = re.search(r"age1\w+", path.read_text())
    assert found
    return path, found[0]


@pytest.fixture
def gpg_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The fingerprint of a key in a key ring of its own."""
    home = tmp_path / "gnupg"
    home.mkdir(mode=0o700)
    monkeypatch.setenv("GNUPGHOME", str(home))
    batch = ("gpg", "--batch", "--quiet", "--passphrase", "", "--pinentry-mode", "loopback")
    out(*batch, "--quick-generate-key", "Made Up <made-up@example.test>", "rsa2048", "encrypt")
    listed = out("gpg", "--batch", "--with-colons", "--list-keys").decode()
    yield next(line for line in listed.splitlines() if line.startswith("fpr:")).split(":")[9]
    subprocess.run(["gpgconf", "--kill", "all"], check=False)


@needs("age")
def test_age_reads_it_again(age_key: tuple[Path, str], tmp_path: Path) -> None:
    target = tmp_path / "t.tar.gz.age"
    said = given(Order(target, recipients=(age_key[1],)))
    assert "encrypted by age" in said
    sealed = target.read_bytes()
    assert sealed.startswith(b"age-encryption.org/v1")
    assert "manifest.json" in unpacked(out("age", "-d", "-i", str(age_key[0]), data=sealed))
    with pytest.raises(RecordingError, match="encrypted by age"):
        archive.read(target)


@needs("age")
def test_several_recipients_from_a_file(age_key: tuple[Path, str], tmp_path: Path) -> None:
    others = tmp_path / "recipients"
    others.write_text(f"# the team\n{age_key[1]}\n")
    target = tmp_path / "t.age"
    given(Order(target, recipients=(str(others), age_key[1])))
    assert unpacked(out("age", "-d", "-i", str(age_key[0]), data=target.read_bytes()))


@needs("gpg")
def test_gpg_reads_it_again(gpg_home: str, tmp_path: Path) -> None:
    target = tmp_path / "t.tar.gz.gpg"
    said = given(Order(target, recipients=(gpg_home,)))
    assert "encrypted by gpg" in said
    batch = ("gpg", "--batch", "--quiet", "--passphrase", "", "--pinentry-mode", "loopback")
    assert "manifest.json" in unpacked(out(*batch, "-d", data=target.read_bytes()))
    with pytest.raises(RecordingError, match="encrypted by gpg"):
        archive.read(target)


@needs("gpg")
def test_a_key_that_gpg_does_not_know(gpg_home: str, tmp_path: Path) -> None:
    assert gpg_home
    with pytest.raises(NotWrittenError, match=r"gpg: .*nobody@example\.test"):
        given(Order(tmp_path / "t", recipients=("nobody@example.test",)), unasked)


def unasked(*_: object) -> object:
    raise AssertionError("the host was asked")


@needs("ssh-keygen")
def test_the_signature_is_verified_by_ssh_keygen(tmp_path: Path) -> None:
    key = tmp_path / "id"
    out("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "made-up", "-f", str(key))
    target = tmp_path / "t.tar.gz"
    said = given(Order(target, signer=key))
    assert f"its signature {target}.sig" in said
    allowed = tmp_path / "allowed"
    allowed.write_text(f"me {key.with_suffix('.pub').read_text()}")
    verify = ("ssh-keygen", "-Y", "verify", "-f", str(allowed), "-I", "me", "-n", seal.NAMESPACE)
    out(*verify, "-s", f"{target}.sig", data=target.read_bytes())
    with pytest.raises(subprocess.CalledProcessError):
        out(*verify, "-s", f"{target}.sig", data=target.read_bytes() + b"x")
    assert source.read(target)[0]


REFUSED: dict[str, tuple[Order, str]] = {
    "no recipient": (Order(recipients=("bob",)), "'bob' is not a recipient"),
    "an option": (Order(recipients=("--output=x@y",)), "is not a recipient"),
    "both programs": (
        Order(recipients=("age1qqqqqqqqqqqqqqqq", "made-up@example.test")),
        "all of gpg",
    ),
    "a signature of a stream": (Order(STDOUT, signer=Path("/etc/hostname")), "name one with -o"),
    "no such key": (Order(signer=Path("/nonexistent/key")), "no key /nonexistent/key"),
    "no key at all": (Order(recipients=("age1qqqqqqqqqqqqqqqq",)), "age: "),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_before_the_host_is_asked(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name == "no key at all" and shutil.which("age") is None:
        pytest.skip("age is not installed")
    monkeypatch.chdir(tmp_path)
    order, why = REFUSED[name]
    with pytest.raises(NotWrittenError, match=re.escape(why)):
        given(order, unasked)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("recipient", ["age1qqqqqqqqqqqqqqqq", "made-up@example.test"])
def test_without_the_program(
    recipient: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "FOLDERS", ("/nonexistent",))
    with pytest.raises(NotWrittenError, match=r"(age|gpg) is not installed"):
        given(Order(tmp_path / "t", recipients=(recipient,)), unasked)


def test_a_key_that_cannot_sign_leaves_nothing(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("no key")
    with pytest.raises(NotWrittenError, match="could not be signed"):
        given(Order(tmp_path / "t.tar.gz", signer=key))
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


@needs("age")
@needs("strace")
def test_the_clear_text_is_in_no_file(age_key: tuple[Path, str], tmp_path: Path) -> None:
    """Every file that the tool and its children open for writing: the archive alone, encrypted."""
    trace, target = tmp_path / "trace", tmp_path / "t.age"
    tool = [sys.executable, "-m", "diagnose", "bundle", "--from", "demo", "-o", str(target)]
    out("strace", "-f", "--seccomp-bpf", "-qq", "-e",
        "trace=openat,creat,memfd_create", "-o", str(trace),
        *tool, "--encrypt-to", age_key[1])  # fmt: skip
    written = set(_written_in(trace.read_text().splitlines()))
    folders = {str(Path(path).parent) for path in written if "__pycache__" not in path}
    assert folders - {"/dev"} == {str(tmp_path)}, written
    assert target.read_bytes().startswith(b"age-encryption.org/v1")


def _written_in(lines: Sequence[str]) -> list[str]:
    opened = re.compile(r'openat\(\w+, "([^"]+)", [^)]*O_(?:WRONLY|RDWR)')
    return [found[1] for line in lines for found in opened.finditer(line)] + [
        found[1]
        for line in lines
        for found in re.finditer(r'(?:creat|memfd_create)\("(.+?)"', line)
    ]
