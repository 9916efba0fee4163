"""Containers that fail because of one setting, which their log names; engines started in a way that
cannot work."""

from __future__ import annotations

import json
import time

from tests.lab import Box, fault, healthy
from tests.lab.images import Recipe, load
from tests.lab.runner import BASE_CONFIG
from tests.lab.scenarios.daemon import DAEMON
from tests.lab.scenarios.everyday.helpers import first_command
from tests.lab.scenarios.programs.helpers import GOOD, MACHINE, POSTGRES, logs, run
from tests.lab.scenarios.real_servers import nginx

AT_START = "container.exits-at-start"
PYTHON = "/usr/bin/python3"
ROOMY = ["--memory=256m", "--pids-limit=64", "--user=1000:1000", "--cap-drop=ALL"]
LOG = "/var/log/docker.log"


def ended(box: Box, name: str) -> str:
    """What a container said, once it has ended with an error."""
    assert box.wait_state(name, "exited")["State"]["ExitCode"] != 0
    return logs(box, name)


@fault("container.exits-at-start", subject="container:retired7", shareable=True)
def variable_that_was_given_up(box: Box) -> None:
    """The start script of a newer image refuses a variable that the older one had."""
    script = (
        "[ -z \"$OLD_LIMIT\" ] || { echo 'error: OLD_LIMIT is set but deprecated' >&2; exit 1; }"
    )
    words = ("bb:1.36", "sh", "-c", f"{script}; exec sleep 1000")
    box.docker("run", "-d", "--name=retired7", *GOOD, "--env=OLD_LIMIT=0.4", *words)
    assert box.wait_state("retired7", "exited")["State"]["ExitCode"] == 1
    findings = box.diagnose("check", "container.exits-at-start", "--format", "json").findings
    (finding,) = [finding for finding in findings if finding["subject"]["name"] == "retired7"]
    command = "diagnose recreate retired7 --unset OLD_LIMIT | sh"
    assert finding["fix"][0]["command"] == command, finding["fix"]


_DIALECT = """
case $DATABASE_URL in
postgres://*)
    echo 'Traceback (most recent call last):'
    echo '  File "/app/wsgi.py", line 3, in <module>'
    echo "sqlalchemy.exc.NoSuchModuleError: Can't load plugin: sqlalchemy.dialects:postgres"
    exit 1 ;;
esac
exec sleep 1000
"""


@fault("container.exits-at-start", subject="container:alchemist7", shareable=True)
def address_with_a_scheme_that_was_given_up(box: Box) -> None:
    """SQLAlchemy 1.4 and later do not take postgres://, which older ones did."""
    address = "--env=DATABASE_URL=postgres://shop:made-up-blue@db/shop"
    box.docker("run", "-d", "--name=alchemist7", *GOOD, address, "bb:1.36", "sh", "-c", _DIALECT)
    assert "sqlalchemy.dialects:postgres" in ended(box, "alchemist7")
    assert " | awk " in first_command(box, AT_START, "alchemist7")


_SSHD = """
[ -d /run/sshd ] || { echo 'Missing privilege separation directory: /run/sshd'; exit 255; }
exec sleep 1000
"""


@fault("container.exits-at-start", subject="container:agent7", shareable=True)
def folder_below_run_that_nobody_made(box: Box) -> None:
    """sshd wants a folder that an init system makes, and the container has none."""
    limits = ["--memory=64m", "--pids-limit=64"]
    box.docker("run", "-d", "--name=agent7", *limits, "bb:1.36", "sh", "-c", _SSHD)
    assert "Missing privilege" in ended(box, "agent7")
    assert (
        first_command(box, AT_START, "agent7")
        == "diagnose recreate agent7 -- --tmpfs=/run/sshd:mode=755 | sh"
    )


_SESSION = """
[ -e /tmp/ended ] && exec sleep 1000
echo "[2018-08-28 05:47:34,119] ERROR Error while creating ephemeral at /brokers/ids/1001, node already \
exists and owner '1006' does not match current session '1007' (kafka.zk.KafkaZkClient)"
: >/tmp/ended
exit 1
"""


@fault("container.exits-at-start", subject="container:courier7", shareable=True)
def broker_whose_last_session_has_not_ended(box: Box) -> None:
    """Kafka was started again before ZooKeeper had given up its last session."""
    box.docker("run", "-d", "--name=courier7", *GOOD, "bb:1.36", "sh", "-c", _SESSION)
    assert "node already" in ended(box, "courier7")
    assert first_command(box, AT_START, "courier7") == "docker start courier7"


_WRAPPER = b'#!/bin/sh\nset -e\nexec "$@"\n'


@fault(AT_START, subject="container:reshaped7", shareable=True)
def command_that_an_update_took_away(box: Box) -> None:
    """An image changed its server, and the container was given the command of the old one."""
    recipe = Recipe(
        {"wrap.sh": (_WRAPPER, 0o755)}, ('ENTRYPOINT ["/wrap.sh"]', 'CMD ["sleep", "9"]')
    )
    load(box, "reshaped7:latest", recipe)
    box.docker("run", "-d", "--name=reshaped7", *GOOD, "reshaped7:latest", "apache2-foreground")
    assert "apache2-foreground: not found" in ended(box, "reshaped7")
    command = "diagnose recreate reshaped7 --command 'sleep 9' | sh"
    assert first_command(box, AT_START, "reshaped7") == command


@fault(AT_START, subject="container:rebuilt7", shareable=True)
def build_that_lacks_a_command(box: Box) -> None:
    """The newer build of an image has lost a command of its start script; the older has it."""
    script = b"#!/bin/sh\nset -e\n/tools/envsubst\nexec sleep 1000\n"
    old = Recipe(
        {"run.sh": (script, 0o755), "tools/envsubst": (b"#!/bin/sh\n", 0o755)},
        ('ENTRYPOINT ["/run.sh"]',),
    )
    load(box, "rebuilt7:1", old)
    time.sleep(1.5)  # the engine notes the second of a build
    load(
        box, "rebuilt7:2", Recipe({"run.sh": (script.replace(b"/tools/", b""), 0o755)}, old.changes)
    )
    box.docker("run", "-d", "--name=rebuilt7", *GOOD, "rebuilt7:2")
    assert "envsubst: not found" in ended(box, "rebuilt7")
    assert (
        first_command(box, AT_START, "rebuilt7")
        == "diagnose recreate rebuilt7 --image rebuilt7:1 | sh"
    )


@fault(AT_START, subject="container:typo8", shareable=True)
def wrong_port_in_a_mounted_file(box: Box) -> None:
    """nginx refuses a port in a configuration file that lies on the host."""
    nginx(box, "typo8", "server { listen 808081; }")
    assert 'invalid port in "808081"' in ended(box, "typo8")


@fault(
    "container.variable-malformed", subject="container:commented8", also=[AT_START], shareable=True
)
def comment_in_a_variable(box: Box) -> None:
    """`--env-file` keeps the comment behind a value; busybox's sleep repeats it."""
    box.write("/srv/commented8.env", "INTERVAL=5   # every 5 seconds\n")
    script = 'while :; do sleep "$INTERVAL" || exit 1; done'
    run(box, "commented8", *GOOD, "--env-file=/srv/commented8.env", "bb:1.36", "sh", "-c", script)
    assert "invalid number '5   # every 5 seconds'" in ended(box, "commented8")


_SQLITE = "import sqlite3; sqlite3.connect('/data/app.db').execute('create table items(id)')"


@fault("container.mount-forbidden", subject="container:sqlite8", also=[AT_START], shareable=True)
def database_file_in_a_folder_of_root(box: Box) -> None:
    """SQLite may not create its file, and its message names no path."""
    box.sh("mkdir -p /srv/sqlite8 && chmod 755 /srv/sqlite8")
    mount = ["-v", "/srv/sqlite8:/data"]
    run(box, "sqlite8", *GOOD, *MACHINE, *mount, "bb:1.36", PYTHON, "-c", _SQLITE)
    assert "unable to open database file" in ended(box, "sqlite8")


_SQL_SERVER = """
mkdir /var/opt/mssql/.system 2>/dev/null && exec sleep 1000
echo "/opt/mssql/bin/sqlservr: Error: The system directory [/.system] could not be created." >&2
exit 1
"""


@fault("container.mount-forbidden", subject="container:sql12", also=[AT_START], shareable=True)
def folder_that_its_program_calls_the_root(box: Box) -> None:
    """SQL Server may not write its mounted folder, and calls that folder `/`."""
    box.sh("mkdir -p /srv/sql12 && chmod 755 /srv/sql12")
    options = ["--memory=64m", "--pids-limit=64", "--user=10001:0"]
    mount = ["-v", "/srv/sql12:/var/opt/mssql"]
    run(box, "sql12", *options, *mount, "bb:1.36", "sh", "-c", _SQL_SERVER)
    assert "could not be created" in ended(box, "sql12")


@healthy(shareable=True)
def database_file_in_a_folder_of_its_user(box: Box) -> None:
    """The same program on a folder of its user."""
    box.sh("mkdir -p /srv/sqlite9 && chown 1000 /srv/sqlite9")
    mount = ["-v", "/srv/sqlite9:/data"]
    lasting = f"{_SQLITE}; import time; time.sleep(1000)"
    run(box, "sqlite9", *GOOD, *MACHINE, *mount, "bb:1.36", PYTHON, "-c", lasting)
    box.wait_for(lambda: (box.path("/srv/sqlite9/app.db")).exists(), what="the database")


@fault("container.option-missing", subject="container:disk8", also=[AT_START], shareable=True)
def data_folder_with_lost_and_found(box: Box) -> None:
    """PostgreSQL's data folder is a disk of its own, which is never empty; the refusal is real."""
    box.sh("mkdir -p /srv/disk8/lost+found && chown 1000 /srv/disk8 && chmod 700 /srv/disk8")
    options = [*ROOMY, *MACHINE, "-v", "/srv/disk8:/pgdata", "-e", "PGDATA=/pgdata"]
    script = f"{POSTGRES}/initdb -A trust && exec {POSTGRES}/postgres -k /tmp -c listen_addresses="
    run(box, "disk8", *options, "bb:1.36", "sh", "-c", script)
    assert "exists but is not empty" in ended(box, "disk8")


@fault("container.option-missing", subject="container:disk9", also=[AT_START], shareable=True)
def data_folder_with_a_hidden_file(box: Box) -> None:
    """PostgreSQL's data folder looks empty; the report names the file that `ls` hides."""
    box.sh("mkdir -p /srv/disk9 && touch /srv/disk9/.DS_Store")
    box.sh("chown 1000 /srv/disk9 && chmod 700 /srv/disk9")
    options = [*ROOMY, *MACHINE, "-v", "/srv/disk9:/pgdata", "-e", "PGDATA=/pgdata"]
    run(box, "disk9", *options, "bb:1.36", f"{POSTGRES}/initdb", "-A", "trust")
    assert "exists but is not empty" in ended(box, "disk9")
    args = ("check", "container.option-missing", "--format", "json", "--budget", "60")
    found = box.diagnose(*args).findings
    assert any(
        '/srv/disk9 on the host holds ".DS_Store"' in finding["summary"] for finding in found
    )


@fault("container.option-missing", subject="container:chowner8", also=[AT_START], shareable=True)
def start_script_that_changes_owners(box: Box) -> None:
    """The start script of an image gives its folder to its user, and the capability was dropped."""
    box.sh("mkdir -p /srv/chowner8")
    options = ["--memory=64m", "--pids-limit=64", "--cap-drop=ALL", "-v", "/srv/chowner8:/config"]
    script = "chown 911:911 /config && exec sleep 1000"
    run(box, "chowner8", *options, "bb:1.36", "sh", "-c", script)
    assert "Operation not permitted" in ended(box, "chowner8")


_CACHE = "import os; os.makedirs('/data/cache'); import time; time.sleep(1000)"


@fault("container.own-files-refused", subject="container:cacher8", also=[AT_START], shareable=True)
def user_that_the_image_does_not_plan_for(box: Box) -> None:
    """An image built for root is run as user 1000, who may not write to its folder."""
    limits = ["--memory=64m", "--pids-limit=64", "--user=1000:1000"]
    run(box, "cacher8", *limits, *MACHINE, "bb:1.36", PYTHON, "-c", _CACHE)
    assert "Permission denied: '/data/cache'" in ended(box, "cacher8")


_AGENT = Recipe(changes=("USER 1000",))
_MAKE = 'mkdir -p "$2" && echo connected && exec sleep 1000'


@fault("container.own-files-refused", subject="container:agent10", also=[AT_START], shareable=True)
def option_that_names_a_folder_of_root(box: Box) -> None:
    """An agent is told by an option to work in a folder that its user may not create."""
    load(box, "agent10:1", _AGENT)
    limits = ["--memory=64m", "--pids-limit=64"]
    run(box, "agent10", *limits, "agent10:1", "sh", "-c", _MAKE, "--", "-workDir", "/agent10")
    assert "can't create directory '/agent10': Permission denied" in ended(box, "agent10")


@healthy(shareable=True)
def option_that_names_a_folder_of_its_user(box: Box) -> None:
    """An agent is told by an option to work in a folder that everybody may create."""
    load(box, "agent11:1", _AGENT)
    limits = ["--memory=64m", "--pids-limit=64", "--tmpfs=/work"]
    run(box, "agent11", *limits, "agent11:1", "sh", "-c", _MAKE, "--", "-workDir", "/work/a")
    box.wait_for(lambda: "connected" in box.docker("logs", "agent11").stdout, what="the agent")


_WORKER = Recipe({"work/tasks.py": (b"", 0o644)}, ("WORKDIR /work", "USER 1000"))
_BEAT = "touch beat-schedule && echo ticking && exec sleep 1000"


@fault("container.own-files-refused", subject="container:beat10", also=[AT_START], shareable=True)
def folder_of_the_image_that_its_user_may_not_write(box: Box) -> None:
    """A scheduler keeps a file in its working folder, which the image leaves to root."""
    load(box, "beat10:1", _WORKER)
    limits = ["--memory=64m", "--pids-limit=64"]
    run(box, "beat10", *limits, "beat10:1", "sh", "-c", _BEAT)
    assert "beat-schedule: Permission denied" in ended(box, "beat10")


@healthy(shareable=True)
def folder_of_the_host_in_the_place_of_the_images(box: Box) -> None:
    """The same scheduler, and its working folder is one of the host where all may write."""
    load(box, "beat10:1", _WORKER)
    box.sh("mkdir -p /srv/beat11 && chmod 777 /srv/beat11")
    limits = ["--memory=64m", "--pids-limit=64", "--volume=/srv/beat11:/work"]
    run(box, "beat11", *limits, "beat10:1", "sh", "-c", _BEAT)
    box.wait_for(lambda: "ticking" in box.docker("logs", "beat11").stdout, what="the scheduler")


_STRICT = Recipe({"opt/serve.py": (b"", 0o640)}, ("USER 1000:1000",))
_SERVE = "cat /opt/serve.py && exec sleep 1000"


@fault("container.own-files-refused", subject="container:serve12", also=[AT_START], shareable=True)
def image_built_under_a_strict_umask(box: Box) -> None:
    """The build has copied a script that root's group may read, and the image's user may not."""
    load(box, "serve12:1", _STRICT)
    run(box, "serve12", "--memory=64m", "--pids-limit=64", "serve12:1", "sh", "-c", _SERVE)
    assert "/opt/serve.py: Permission denied" in ended(box, "serve12").replace("'", "")


@healthy(shareable=True)
def image_with_a_file_for_root(box: Box) -> None:
    """The same image, and a program that says so and does without the file."""
    load(box, "serve12:1", _STRICT)
    limits = ["--memory=64m", "--pids-limit=64"]
    run(box, "serve13", *limits, "serve12:1", "sh", "-c", "cat /opt/serve.py; exec sleep 1000")
    box.wait_for(lambda: "denied" in box.docker("logs", "serve13").stderr, what="the line")


@fault("container.restart-loop", subject="container:workshop8", shareable=True)
def shell_without_a_terminal(box: Box) -> None:
    """A shell is the command of a container in the background; its input is empty."""
    limits = ["--memory=64m", "--pids-limit=64", "--user=1000:1000"]
    run(box, "workshop8", *limits, "--restart=always", "bb:1.36", "sh")
    box.wait_for(lambda: box.inspect("workshop8")["RestartCount"] >= 4, what="it to loop")


@fault("container.unhealthy", subject="container:sixprobe8", shareable=True)
def probe_by_ipv6_of_a_server_on_ipv4(box: Box) -> None:
    """The probe calls a name that is ::1, and the server listens on IPv4 alone. busybox with musl
    does so for localhost; with glibc ip6-localhost shows the same."""
    probe = "wget -q -O /dev/null http://ip6-localhost:8080/index.html"
    health = [f"--health-cmd={probe}", "--health-interval=1s", "--health-retries=1"]
    server = ["httpd", "-f", "-p", "0.0.0.0:8080", "-h", "/www"]
    run(box, "sixprobe8", *GOOD, *health, "bb:1.36", *server)
    box.wait_health("sixprobe8", "unhealthy")
    state = json.dumps(box.inspect("sixprobe8")["State"]["Health"])
    assert "refused" in state or "Cannot assign" in state, state


@fault("daemon.not-running", subject=DAEMON, engine_started=False, baseline=False, exit_code=2)
def socket_that_systemd_does_not_hand_over(box: Box) -> None:
    """dockerd is started with `-H fd://`, and nothing has opened a socket for it."""
    box.start_engine("-H", "fd://", config=BASE_CONFIG, wait=False)
    box.wait_for(lambda: "socket activation" in box.read(LOG), what="the engine to give up")


_LEGACY = """#!/bin/sh
[ "$1" = --version ] && { echo 'iptables v1.8.10 (legacy)'; exit 0; }
echo 'modprobe: FATAL: Module ip_tables not found in directory /lib/modules/5.14.0-503.16.1.el9_5.x86_64' >&2
echo "iptables v1.8.10 (legacy): can't initialize iptables table \\`nat': Table does not exist (do you need to insmod?)" >&2
echo 'Perhaps iptables or your kernel needs to be upgraded.' >&2
exit 3
"""


@fault(
    "daemon.bridge-init-failed",
    subject=DAEMON,
    also=["daemon.not-running", "kernel.*"],
    engine_started=False,
    baseline=False,
    exit_code=2,
)
def legacy_iptables_without_its_module(box: Box) -> None:
    """iptables is the legacy program, and the kernel has no module for it; its words are those of
    such a host, for this kernel has them."""
    box.sh("rm -f /usr/sbin/iptables /sbin/iptables")
    box.write("/usr/sbin/iptables", _LEGACY, 0o755)
    box.sh("mkdir -p /lib/modules/$(uname -r)")
    box.start_engine(config=BASE_CONFIG, wait=False)
    box.wait_for(lambda: "failed to start daemon" in box.read(LOG), what="the engine to give up")
    report = box.diagnose("check", "daemon.bridge-init-failed", "--format", "json").report
    assert "its legacy variant" in report["findings"][0]["summary"], report["findings"]


@fault("container.option-in-the-way", subject="container:ledger9", also=[AT_START], shareable=True)
def files_that_may_not_grow(box: Box) -> None:
    """A container may write files of 100 KB, and its program writes a larger one."""
    run(box, "ledger9", *ROOMY, "--ulimit=fsize=102400", *MACHINE, "bb:1.36", "sh", "-c",
        "dd if=/dev/zero of=/tmp/book bs=1k count=200 || exit 1; exec sleep 1000")  # fmt: skip
    assert "File size limit exceeded" in ended(box, "ledger9")


@fault("container.option-in-the-way", subject="container:mailer9", also=[AT_START], shareable=True)
def program_that_may_not_become_root(box: Box) -> None:
    """A program with a setuid bit is to become root, and the container may not gain privileges."""
    load(box, "mailer9:1", Recipe({"rise/su": (box.path("/bin/busybox").read_bytes(), 0o4755)}))
    limits = ["--memory=64m", "--pids-limit=64", "--user=1000:1000"]
    box.docker("run", "-d", "--name=mailer9", *limits, "--security-opt=no-new-privileges",
               "mailer9:1", "/rise/su", "-c", "true")  # fmt: skip
    assert "must be suid" in ended(box, "mailer9")


@fault("container.option-in-the-way", subject="container:boot9", also=[AT_START], shareable=True)
def program_on_a_tmpfs(box: Box) -> None:
    """A start script copies its program to a tmpfs, from which no program can be run."""
    run(box, "boot9", *ROOMY, "--tmpfs=/run", "bb:1.36", "sh", "-c",
        "cp /bin/busybox /run/app && chmod 755 /run/app && exec /run/app sleep 1000")  # fmt: skip
    assert "ermission denied" in ended(box, "boot9")


@fault("container.device-forbidden", subject="container:video9", also=[AT_START], shareable=True)
def device_of_another_group(box: Box) -> None:
    """A transcoder gets a device that only its owner and the group 104 may open."""
    device = "/srv/video9/renderD128"
    box.sh(f"mkdir /srv/video9; mknod {device} c 1 3; chown 0:104 {device}; chmod 660 {device}")
    inside = "/dev/dri/renderD128"
    run(box, "video9", *ROOMY, f"--device={device}:{inside}", "bb:1.36", "sh", "-c",
        f"cat {inside} >/dev/null || exit 1; exec sleep 1000")  # fmt: skip
    assert "ermission denied" in ended(box, "video9")
