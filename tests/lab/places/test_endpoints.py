"""Every way to one real engine: docker-py is loaded for each but the default socket, and all say
the same of its containers."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator

import pytest

from tests.lab.box import Box
from tests.lab.places import loaded
from tests.lab.runner import BASE_CONFIG

SSHD = "/usr/sbin/sshd"
AUTHORITY = """
mkdir -p /root/tls /root/other && cd /root/tls
new="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
openssl req -x509 $new -subj /CN=ca -keyout ca-key.pem -out ca.pem
for name in server client; do
    openssl req -x509 $new -CA ca.pem -CAkey ca-key.pem -subj /CN=$name \\
        -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout $name-key.pem -out $name.pem
done
cp client.pem cert.pem && cp client-key.pem key.pem
"""
SERVE_SSH = f"""
mkdir -p -m 755 /run/sshd && mkdir -p -m 700 /root/.ssh
ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_made_up
ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/made_up_host_key
cp /root/.ssh/id_made_up.pub /root/.ssh/authorized_keys
cat >/etc/ssh/made_up_config <<END
Port 2222
ListenAddress 127.0.0.1
HostKey /etc/ssh/made_up_host_key
PermitRootLogin yes
PasswordAuthentication no
UsePAM no
StrictModes no
END
cat >/root/.ssh/config <<END
Host behind
    HostName 127.0.0.1
    Port 2222
    User root
    IdentityFile /root/.ssh/id_made_up
    StrictHostKeyChecking accept-new
END
{SSHD} -f /etc/ssh/made_up_config
"""
TLS = {
    "DOCKER_HOST": "tcp://127.0.0.1:2376",
    "DOCKER_TLS_VERIFY": "1",
    "DOCKER_CERT_PATH": "/root/tls",
}
WAYS: dict[str, tuple[list[str], dict[str, str], bool]] = {
    "default socket": ([], {}, False),
    "TLS": ([], TLS, True),
    "TLS by a context": (["--context", "safe"], {}, True),
    "the current context": ([], {"DOCKER_CONFIG": "/root/current"}, True),
    "ssh": (["-H", "ssh://behind"], {}, True),
    "ssh, and the socket's path": (["-H", "ssh://root@behind/run/other.sock"], {}, True),
    "another socket": (["-H", "unix:///run/other.sock"], {}, True),
}


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    if not shutil.which("sshd", path="/usr/sbin:/usr/bin"):
        pytest.skip("openssh-server is not installed")
    with Box("distro", provider=False) as box:
        box.sh(AUTHORITY)
        sockets = [
            "-H", "unix:///run/docker.sock", "-H", "unix:///run/other.sock", "-H",
            "tcp://127.0.0.1:2376",
        ]  # fmt: skip
        pem = [
            "--tlscacert=/root/tls/ca.pem",
            "--tlscert=/root/tls/server.pem",
            "--tlskey=/root/tls/server-key.pem",
        ]
        box.start_engine(*sockets, "--tlsverify", *pem, config=BASE_CONFIG)
        box.sh(SERVE_SSH)
        files = "ca=/root/tls/ca.pem,cert=/root/tls/cert.pem,key=/root/tls/key.pem"
        box.docker("context", "create", "safe", "--docker", f"host=tcp://127.0.0.1:2376,{files}")
        box.sh(
            "cp -r /root/.docker /root/current && docker --config /root/current context use safe"
        )
        box.image("shop:1.4")
        for name in ("one", "two", "three"):
            box.docker("run", "-d", f"--name={name}", "shop:1.4", "sleep", "1000")
        box.docker("run", "-d", "--name=fails", "shop:1.4", "/none", check=False)
        yield box


@pytest.mark.parametrize(("options", "env", "by_docker_py"), WAYS.values(), ids=WAYS)
def test_way_to_the_engine(
    box: Box, options: list[str], env: dict[str, str], by_docker_py: bool
) -> None:
    report, modules = loaded.run(box, "check", "container", *options, env=env, cwd="/root/other")
    found = {finding["subject"]["name"]: finding["id"] for finding in report["findings"]}
    assert found["fails"] == "container.entrypoint-missing"
    assert ("docker" in modules) == by_docker_py
    assert "paramiko" not in modules


def test_ssh_ends_with_the_tool(box: Box) -> None:
    box.wait_for(lambda: not box.pids_of("ssh"), what="ssh to end")


def test_engine_that_hangs_behind_ssh_and_tls(box: Box) -> None:
    """Within the budget; the TLS engine is seen to be on this machine, whose disk still mentions
    its containers."""
    pid = box.engine_pid
    box.kill(pid, signal.SIGSTOP)
    try:
        for way, code in (("TLS", 2), ("ssh", 3)):
            options, env, _ = WAYS[way]
            run = box.diagnose("check", "container", "--format=json", *options, env=env)
            assert run.wall < 10.5
            assert run.code == code, run.out
            assert "/_ping" in run.out, run.out
    finally:
        box.kill(pid, signal.SIGCONT)
