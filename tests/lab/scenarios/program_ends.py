"""Programs that end, or turn their callers away, in words that the table of known failures has: by
the real programs of this machine where it has them, and by their lines elsewhere."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.faults import Engines
from tests.lab.images import Recipe, load
from tests.lab.scenarios.everyday.helpers import first_command
from tests.lab.scenarios.known_rows import NODE, ROOMY, folder
from tests.lab.scenarios.named_settings import AT_START, PYTHON, ended
from tests.lab.scenarios.programs.helpers import GOOD, MACHINE, POSTGRES, logs, run
from tests.lab.scenarios.running_programs import JAVA

OPTION = "container.option-missing"
VARIABLE = "container.variable-missing"
PID_FILE = "container.pid-file-stale"
_JAVA = ["--memory=256m", *ROOMY, "-v", "/etc/java-17-openjdk:/etc/java-17-openjdk:ro"]


def means(box: Box, check: str, name: str) -> str:
    """All that the finding says of a container."""
    findings = box.diagnose("check", check, "--format", "json").findings
    found = [
        finding
        for finding in findings
        if (finding["id"], finding["subject"]["name"]) == (check, name)
    ]
    (finding,) = found
    return f"{finding['summary']} {finding['evidence']}"


@fault(AT_START, subject="container:heap24", shareable=True)
def java_with_a_first_heap_above_the_largest(box: Box) -> None:
    """Somebody lowered -Xmx for a smaller host, and not -Xms."""
    options = ["-Xms128m", "-Xmx64m", "-version"]
    run(box, "heap24", *_JAVA, "bb:1.36", JAVA, *options)
    assert "larger value than the maximum heap size" in ended(box, "heap24")
    assert "(-Xms)" in means(box, AT_START, "heap24")


_REFLECTION = b"""public class Main {
    public static void main(String[] words) throws Exception {
        Class<?>[] kinds = {String.class, byte[].class, int.class, int.class};
        ClassLoader.class.getDeclaredMethod("defineClass", kinds).setAccessible(true);
    }
}
"""


@fault(AT_START, subject="container:older24", shareable=True)
def java_that_hides_what_an_old_library_uses(box: Box) -> None:
    """A program of Java 8 reaches into java.lang, which Java 17 refuses."""
    box.write("/srv/older24/Main.java", _REFLECTION)
    mount = ["-v", "/srv/older24:/app:ro"]
    run(box, "older24", *_JAVA, *mount, "bb:1.36", JAVA, "-Xmx96m", "/app/Main.java")
    box.wait_state("older24", "exited", 90)  # Java compiles it first
    assert "InaccessibleObjectException" in ended(box, "older24")
    assert "package java.lang" in means(box, AT_START, "older24")


_WINDOW = b"""public class Main {
    public static void main(String[] words) {
        new java.awt.Frame("orders").setVisible(true);
    }
}
"""


@fault(AT_START, subject="container:window24", shareable=True)
def java_that_wants_a_display(box: Box) -> None:
    """A program with windows in a container, which has no display."""
    box.write("/srv/window24/Main.java", _WINDOW)
    mount = ["-v", "/srv/window24:/app:ro"]
    run(box, "window24", *_JAVA, *mount, "bb:1.36", JAVA, "-Xmx96m", "/app/Main.java")
    box.wait_state("window24", "exited", 90)
    assert "HeadlessException" in ended(box, "window24")
    assert "has no display" in means(box, AT_START, "window24")


@fault(AT_START, subject="container:module24", shareable=True)
def node_with_the_other_kind_of_module(box: Box) -> None:
    """package.json says "type": "module", and the program uses require."""
    box.write("/srv/module24/package.json", '{"name": "shop", "type": "module"}\n')
    box.write("/srv/module24/server.js", 'const http = require("http");\n')
    mount = ["-v", "/srv/module24:/app:ro"]
    run(box, "module24", "--memory=256m", *ROOMY, *mount, "bb:1.36", NODE, "/app/server.js")
    assert "require is not defined in ES module scope" in ended(box, "module24")
    assert "the other kind of module" in means(box, AT_START, "module24")


@fault(AT_START, subject="container:global24", shareable=True)
def node_without_what_a_later_one_has(box: Box) -> None:
    """The program uses WebSocket, which this Node.js does not have."""
    box.write("/srv/global24/server.js", 'new WebSocket("ws://feed:8080");\n')
    mount = ["-v", "/srv/global24:/app:ro"]
    # Node.js 22 has it, unless it is told to leave it out
    program = [NODE, "--no-experimental-websocket", "/app/server.js"]
    if box.run([*program[:2], "--version"], check=False).returncode != 0:
        del program[1]
    run(box, "global24", "--memory=256m", *ROOMY, *mount, "bb:1.36", *program)
    assert "WebSocket is not defined" in ended(box, "global24")
    assert "does not have WebSocket" in means(box, AT_START, "global24")


_LIBRARY = """class Client:
    def __init__(self, transport=None):
        self.transport = transport
"""
_CALLER = """from library import Client

Client(proxies={})
"""


@fault(AT_START, subject="container:argument24", shareable=True)
def python_library_that_dropped_an_argument(box: Box) -> None:
    """A library was updated with the image, and what calls it was not."""
    box.write("/srv/argument24/library.py", _LIBRARY)
    box.write("/srv/argument24/main.py", _CALLER)
    options = ["--memory=256m", *ROOMY, "-v", "/srv/argument24:/app:ro"]
    run(box, "argument24", *options, "bb:1.36", PYTHON, "-B", "/app/main.py")
    assert "unexpected keyword argument 'proxies'" in ended(box, "argument24")
    assert "the argument proxies" in means(box, AT_START, "argument24")


def _made(box: Box, name: str) -> list[str]:
    """The options of a PostgreSQL whose data is made."""
    load(box, "database:24", Recipe(changes=("USER 1000:1000",)))
    data = folder(box, name)
    place = "/var/lib/postgresql/data"
    options = ["--memory=256m", "--pids-limit=100", *MACHINE, "-v", f"{data}:{place}"]
    make = [f"{POSTGRES}/initdb", "-N", "-D", place]
    box.docker("run", "--rm", "--network=none", *options, "database:24", *make, timeout=90)
    return [*options, "database:24", f"{POSTGRES}/postgres", "-D", place, "-k", "/tmp"]


@fault(PID_FILE, subject="container:power24", also=[AT_START], shareable=True)
def postgres_with_an_empty_pid_file(box: Box) -> None:
    """The host lost its power while PostgreSQL wrote its postmaster.pid."""
    options = _made(box, "power24")
    box.sh("install -o 1000 -g 1000 -m 600 /dev/null /srv/power24/postmaster.pid")
    run(box, "power24", *options)
    assert 'lock file "postmaster.pid" is empty' in ended(box, "power24")
    box.sh(first_command(box, PID_FILE, "power24"))
    box.docker("start", "power24")
    box.wait_for(lambda: "ready to accept" in logs(box, "power24"), what="PostgreSQL to be ready")
    box.docker("rm", "-f", "power24")
    box.sh("install -o 1000 -g 1000 -m 600 /dev/null /srv/power24/postmaster.pid")
    run(box, "power24", *options)
    ended(box, "power24")


_LISTENER = """import socket, time

listener = socket.socket(socket.AF_INET6)
try:
    listener.bind(("::1", 2525))
except OSError as reason:
    raise SystemExit(f"fatal: bind [::1]:2525: {reason.strerror}")
time.sleep(1000)
"""


@fault(
    OPTION, subject="container:loop24", also=[AT_START], engines=Engines(until=25), shareable=True
)
def server_at_the_loopback_of_ipv6(box: Box) -> None:
    """A server shall listen at ::1, which these engines take from a container without IPv6."""
    box.write("/srv/loop24.py", _LISTENER)
    options = ["--memory=256m", *ROOMY, "-v", "/srv/loop24.py:/app.py:ro"]
    run(box, "loop24", *options, "bb:1.36", PYTHON, "/app.py")
    assert "Cannot assign requested address" in ended(box, "loop24")
    assert "disable_ipv6=0" in first_command(box, OPTION, "loop24")


_BROKER = """
open=$(ulimit -n)
[ "$open" -le 1000 ] || { echo "OOM allocating $open fds"; echo "ZERO RANDOM FD"; exit 1; }
exec sleep 1000
"""


@fault(OPTION, subject="container:fds24", also=[AT_START], shareable=True)
def broker_that_makes_room_for_each_descriptor(box: Box) -> None:
    """libwebsockets' words: the limit of open files is above what the program has memory for."""
    options = [*GOOD, "--ulimit=nofile=2000:2000"]
    script = _BROKER.replace("$open fds", "1073741816 fds")
    run(box, "fds24", *options, "bb:1.36", "sh", "-c", script)
    assert "OOM allocating" in ended(box, "fds24")
    assert "--ulimit=nofile=65536:65536" in first_command(box, OPTION, "fds24")


_LARAVEL = """
[ -d storage/framework/views ] && exec sleep 1000
printf '   InvalidArgumentException  \\n\\n  Please provide a valid cache path.\\n' >&2
exit 1
"""


@fault(AT_START, subject="container:views24", shareable=True)
def laravel_with_an_empty_storage(box: Box) -> None:
    """Laravel's words: a new volume lies over storage, and has none of its folders."""
    folder(box, "views24")
    options = [*GOOD, "--workdir=/var/www", "-v", "/srv/views24:/var/www/storage"]
    run(box, "views24", *options, "bb:1.36", "sh", "-c", _LARAVEL)
    assert "valid cache path" in ended(box, "views24")
    assert "storage/framework/views" in means(box, AT_START, "views24")


_NUMBERS = ",".join(
    str(byte) for byte in b"environment variable DATABASE_URL is missing.\nFor example:"
)
_RELEASE = f"""
[ -n "$DATABASE_URL" ] && exec sleep 1000
echo 'ERROR! Config provider Config.Reader failed with:'
echo '{{"init terminating in do_boot",{{#{{message=><<{_NUMBERS}>>}},[{{erl_eval,do_apply,6,[]}}]}}}}'
echo 'Crash dump is being written to: erl_crash.dump...done'
exit 1
"""


@fault(VARIABLE, subject="container:numbers24", also=[AT_START], shareable=True)
def release_of_elixir_that_prints_its_reason_as_numbers(box: Box) -> None:
    """Erlang's words: the variable that is missing stands in a list of bytes."""
    run(box, "numbers24", *GOOD, "bb:1.36", "sh", "-c", _RELEASE)
    assert "<<101,110,118" in ended(box, "numbers24")
    assert "DATABASE_URL" in first_command(box, VARIABLE, "numbers24")


_MODEL = """#!/bin/sh
case "$*" in
*--max-model-len=68080*) exec sleep 1000 ;;
esac
echo 'Traceback (most recent call last):'
echo "ValueError: The model's max seq len (131072) is larger than the maximum number of tokens that can be"\\
    "stored in KV cache (68080). Try increasing gpu_memory_utilization."
exit 1
"""


@fault(AT_START, subject="container:model24", shareable=True)
def model_whose_context_does_not_fit(box: Box) -> None:
    """vLLM's words: the context of the model is larger than the memory of the GPU."""
    load(box, "model:24", Recipe({"app/serve": (_MODEL.encode(), 0o755)}))
    run(box, "model24", *GOOD, "model:24", "/app/serve", "--model=shop")
    assert "KV cache" in ended(box, "model24")
    assert "--max-model-len=68080" in first_command(box, AT_START, "model24")


_MAIL = """
[ ! -e /run/dovecot/master.pid ] || {
    echo 'Fatal: Dovecot is already running with PID 7 (read from /run/dovecot/master.pid)'; exit 89; }
mkdir -p /run/dovecot && echo 7 >/run/dovecot/master.pid
exec sleep 1000
"""


@fault(PID_FILE, subject="container:mail24", also=[AT_START], shareable=True)
def mail_server_that_was_killed(box: Box) -> None:
    """Dovecot's words: it was killed, and its pid file is left in its container's layer."""
    options = ["--memory=64m", "--pids-limit=64", "--user=0"]
    run(box, "mail24", *options, "bb:1.36", "sh", "-c", _MAIL)
    pid_file = ["exec", "mail24", "test", "-e", "/run/dovecot/master.pid"]
    box.wait_for(lambda: box.docker(*pid_file, check=False).returncode == 0, what="the pid file")
    box.docker("kill", "mail24")
    box.wait_state("mail24", "exited")
    box.docker("start", "mail24")
    assert "already running with PID 7" in ended(box, "mail24")


def _repeats(box: Box, name: str, line: str) -> None:
    """A container that runs and prints a line every second."""
    script = 'while sleep 1; do echo "$LINE"; done'
    run(box, name, *GOOD, f"--env=LINE={line}", "bb:1.36", "sh", "-c", script)
    box.wait_for(lambda: logs(box, name).count(line) >= 4, what="the line to be repeated")


@fault("container.errors-in-log", subject="container:guest24", shareable=True)
def broker_that_turns_guest_away(box: Box) -> None:
    """RabbitMQ's words: another container logs in as guest, who may do so from inside alone."""
    _repeats(
        box,
        "guest24",
        "[error] <0.9.0> PLAIN login refused: user 'guest' can only connect via localhost",
    )
    assert "logs in to RabbitMQ as guest" in means(box, "container.errors-in-log", "guest24")


@fault("container.errors-in-log", subject="container:leader24", shareable=True)
def servers_without_a_leader(box: Box) -> None:
    """Consul's words: fewer servers run than bootstrap_expect says."""
    line = '[ERROR] agent.anti_entropy: failed to sync remote state: error="No cluster leader"'
    _repeats(box, "leader24", line)
    assert "have no leader" in means(box, "container.errors-in-log", "leader24")


@healthy()
def cluster_that_elects_its_leader(box: Box) -> None:
    """A node had no leader at its start, and has one."""
    script = """
for second in 1 2 3 4; do echo '[WARN] agent: error="No cluster leader"'; sleep 1; done
while sleep 1; do echo '[INFO] agent: Synced service: service=shop'; done
"""
    run(box, "elected24", *GOOD, "bb:1.36", "sh", "-c", script)
    box.wait_for(lambda: logs(box, "elected24").count("Synced") >= 13, what="its work to go on")
