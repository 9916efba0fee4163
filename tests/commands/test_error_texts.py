"""Error messages that somebody pastes lead to what they mean, and to their page."""

from __future__ import annotations

import pytest

from diagnose.symptoms import error_texts, search
from tests.command_line import run

_OCI = (
    "docker: Error response from daemon: failed to create task for container: failed to create shim task: OCI runtime "
    "create failed: runc create failed: unable to start container process: "
)
PAGES = {
    "docker: Error response from daemon: failed to create task for container: failed to start shim: start failed: "
    'exec: "containerd-shim-runc-v2": executable file not found in $PATH: unknown': "container.start-refused",
    "Error response from daemon: driver failed programming external connectivity on endpoint web (abc): Error "
    "starting userland proxy: listen tcp4 10.9.9.9:80: bind: cannot assign requested address": "network.bind-address-missing",
    "WARNING: Error loading config file: /root/.docker/config.json: unexpected end of JSON "
    "input": "image.client-config-unreadable",
    "Error response from daemon: Client sent an HTTP request to an HTTPS server.": "daemon.tls-client-refused",
    f'{_OCI}exec: "nginx": executable file not found in $PATH: unknown.': "container.entrypoint-missing",
    f'{_OCI}exec: "/entrypoint.sh": permission denied: unknown.': "container.entrypoint-forbidden",
    f"{_OCI}error during container init: open sysctl net.ipv4.ip_unprivileged_port_start file: reopen fd 8: "
    "permission denied: unknown.": "security.sysctl-denied",
    "no space left on device": "storage.disk-full",
    'standard_init_linux.go:211: exec user process caused "exec format error"': "container.exec-format",
    "Error response from daemon: Get https://registry.lab.test/v2/: x509: certificate signed by unknown "
    "authority": "image.registry-tls",
    "Get https://registry.lab.test:5000/v2/: http: server gave HTTP response to HTTPS client": "image.registry-tls",
    "Get https://registry.lab.test/v2/: net/http: TLS handshake timeout": "image.registry-unreachable",
    "Job for docker.service failed because the control process exited with error code.": "daemon.not-running",
    "W: Failed to fetch http://deb.lab.test/ Temporary failure resolving 'deb.lab.test'": "dns.upstream-unreachable",
    "ERROR: for web Cannot start service web: network 3f2a7c9b1d5e not found": "container.network-gone",
    "kernel:unregister_netdevice: waiting for lo to become free. Usage count = 1": "kernel.netdevice-stuck",
    "Connection to node -1 (localhost/127.0.0.1:9092) could not be established. Broker may not be "
    "available.": "container.loopback-peer",
    "[error] 7#7: *29 connect() failed (111: Connection refused) while connecting to upstream, client: 172.18.0.1, "
    'server: shop, upstream: "http://127.0.0.1:3000/"': "container.loopback-peer",
    "docker: Error response from daemon: unknown or invalid runtime name: nvidia.": "daemon.runtime-missing",
    'failed to compute cache key: "/srv" not found: not found': "image.build-failed",
    "Got permission denied while trying to connect to the Docker daemon socket at "
    "unix:///var/run/docker.sock": "daemon.socket-forbidden",
    "cannot stop container: db: tried to kill container, but did not receive an exit event": "security.stop-denied",
}


@pytest.mark.parametrize("message", PAGES)
def test_a_message_leads_to_its_page_first(message: str) -> None:
    assert search.matching(message)[0].id == PAGES[message]


def test_a_message_that_no_page_is_about_leads_to_words_alone() -> None:
    message = "Error response from daemon: remove data: volume is in use - [13823e501c73]"
    assert search.matching(message) == ()
    known = error_texts.explained(message)
    assert known is not None
    assert "docker ps -a --filter volume=data" in known.fixes


UP = """\
time="2026-11-28T23:52:34Z" level=warning msg="The \\"DB_PASS\\" variable is not set. Defaulting to a blank string."
 Container p-web-1  Recreate
 Container p-web-1  Starting
Error response from daemon: {error}
"""


def test_a_warning_is_not_the_error_below_it() -> None:
    taken = 'Conflict. The container name "/web" is already in use by container "13823e501c73".'
    known = error_texts.explained(UP.format(error=taken))
    assert known is not None
    assert known.recognised.name == "name-taken"
    allocated = "Bind for 0.0.0.0:8081 failed: port is already allocated"
    assert search.matching(UP.format(error=allocated))[0].id == "network.port-allocated"


def test_a_warning_alone_is_explained() -> None:
    known = error_texts.explained(UP.partition("\n")[0])
    assert known is not None
    assert "DB_PASS" in known.recognised.cause


LOGS = {
    "java.nio.file.AccessDeniedException: /data/nodes": "container.mount-forbidden",
    "DETAIL:  The data directory was initialized by PostgreSQL version 12, which is not compatible with "
    "this version 13.3": "container.data-version-mismatch",
    "redis.exceptions.ConnectionError: Error 111 connecting to cache:6379. Connection refused.": "",
}


@pytest.mark.parametrize("line", LOGS)
def test_a_line_of_a_log_is_explained_as_where_it_is_read(line: str) -> None:
    known = search.known_error(line)
    assert known is not None
    assert known.page == (LOGS[line] or "container.exits-at-start")


def test_what_the_engine_gives_up_its_start_for_is_no_refused_command() -> None:
    lines = (
        "failed to start daemon: Error initializing network controller: could not delete the default bridge network: "
        "network bridge id 3f2a has active endpoints"
    )
    assert search.matching(lines)[0].id == "daemon.bridge-init-failed"


def test_a_long_message_may_be_pasted_in_part() -> None:
    part = "client version 1.24 is too old. Minimum supported API version is 1.44"
    assert search.matching(part)[0].id == "daemon.client-api-too-old"


VOICES = {
    'ERROR: failed to solve: failed to authorize: failed to fetch anonymous token: Get "https://auth.docker.io/token": dial tcp '
    "10.0.0.9:443: i/o timeout": "token-not-fetched",
    "failed to register layer: Error processing tar file(exit status 1): archive/tar: invalid tar header": "layer-altered",
    "failed to load listeners: failed to allocate daemon listening port 2375 (err: bind: address already in use)": "api-port-taken",
    'failed to resolve reference "registry.lan/app:1": failed to load host config: invalid type int64 for "ca"': "hosts-file-invalid",
    "ERROR: failed to solve: docker.io/library/alpine:3.20: could not resolve image due to policy": "source-policy",
    "failed to start containerd: open /var/lib/containerd/metadata.db: read-only file system": "database-on-read-only",
    'cannot take exclusive lock for project "shop": process with PID 4242 is still running': "compose-watch-running",
    'ERROR: failed to solve: invalid user index: "app": user app not found': "user-not-in-stage",
    "OCI runtime create failed: runc create failed: error during container init: create device inode /dev/kvm: "
    "operation not permitted: unknown": "file-not-permitted",
    "could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network": "pools-used-up",
    "2026-11-29T20:11:02 ERROR open /data/app.db: read-only file system": "read-only-root",
}
"""Docker, its builder and compose are not programs in a container; the last line is of one."""


@pytest.mark.parametrize("message", VOICES)
def test_what_docker_says_is_not_taken_for_a_program_in_a_container(message: str) -> None:
    known = search.known_error(message)
    assert known is not None
    assert known.recognised.name == VOICES[message]


OF_PROGRAMS = (
    "level=error msg=plugin example-datasource not found",
    "connection error: transport: authentication handshake failed: x509: certificate has expired or is not yet valid",
    "readdirent: input/output error",
    "gzip: unpigz: skipping: /backup.gz: corrupted",
    "indexer: You have exceeded your download limit",
    "config: open /app/.env: permission denied",
    "/bin/sh: 1: docker: not found",
    "pg_restore: invalid tar header",
)
OF_DOCKER = frozenset(
    {
        "agent-without-docker",
        "archive-cut-off",
        "compose-file-forbidden",
        "folder-not-listed",
        "manager-certificate",
        "plugin-not-there",
        "registry-quota",
        "unpacker-too-old",
    }
)


@pytest.mark.parametrize("line", OF_PROGRAMS)
def test_what_a_program_says_is_not_taken_for_docker(line: str) -> None:
    known = error_texts.explained(line)
    assert known is None or known.recognised.name not in OF_DOCKER


def test_a_message_that_a_page_quotes_may_mean_what_the_page_is_about() -> None:
    quoted = "rpc error: code = Unknown desc = The swarm does not have a leader"
    assert search.known_error(quoted) is None
    means, decides = search.meaning(quoted)
    assert means.startswith("the message may mean: ")
    assert decides.startswith("what decides: diagnose explain swarm.quorum-lost")
    assert search.meaning("failed to create endpoint web on network shop: hnsCall failed") == ()
    assert run("explain", quoted).stdout.startswith("the message may mean: ")


def test_a_general_form_leaves_the_pages_that_have_the_words() -> None:
    message = "Error response from daemon: open /srv/db/pg.conf: permission denied"
    known = search.known_error(message)
    assert known is not None
    assert known.is_general
    assert search.matching(message)


def test_names_of_services_before_the_lines_are_no_part_of_them() -> None:
    """As `docker compose up` prints it: what stands indented below a line belongs to it."""
    known = search.known_error(
        "web-1  | psycopg2.OperationalError: could not connect to server: Connection refused\n"
        'web-1  | \tIs the server running on host "postgres" (172.18.0.2) and accepting\n'
        "web-1  | \tTCP/IP connections on port 5432?\n"
    )
    assert known is not None
    assert "postgres refuses the connection" in known.means


TALK = (
    "my container keeps restarting",
    "port 8080 does not answer",
    "docker ps hangs",
    "web cannot reach db",
)


@pytest.mark.parametrize("question", TALK)
def test_words_of_a_person_are_no_known_error(question: str) -> None:
    assert search.known_error(question) is None


def test_explain_says_what_a_message_means() -> None:
    done = run("explain", "nginx: [emerg] bind() to 0.0.0.0:80 failed (13: Permission denied)")
    assert done.returncode == 0
    assert done.stdout.startswith(
        "the message means: the program's user may not open a port below 1024\nwhat fixes it: "
    )
    assert "\n\ncontainer.kernel-setting-low: " in done.stdout


def test_explain_reads_a_message_from_stdin() -> None:
    message = UP.format(error="Pool overlaps with other one on this address space")
    done = run("explain", "-", stdin=message)
    assert done.returncode == 0
    assert "another network of this engine has this subnet" in done.stdout
    fixes = done.stdout.partition("what fixes it: ")[2]
    assert fixes
    assert "\n\n" not in fixes, "no page is about it"
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_words_need_no_quotes() -> None:
    answer = run("explain", "exec", "format", "error").stdout
    assert answer.endswith("read a page: diagnose explain container.exec-format\n")


def test_ask_says_what_a_message_means() -> None:
    done = run(
        "ask", "--budget", "2m", "--from", "demo", "-", stdin="the input device is not a TTY\n"
    )
    assert "the message means: the option -t asks for a terminal" in done.stdout
    assert "what fits these words" not in done.stdout
