"""Failures that the table of known failures heals by a command of its own, made by the real
programs of this machine and of Debian."""

from __future__ import annotations

from tests.lab import Box, fault
from tests.lab.images import Recipe, load
from tests.lab.programs import load_server
from tests.lab.provider import BOX_ADDRESS
from tests.lab.scenarios.named_settings import AT_START, PYTHON, ended
from tests.lab.scenarios.programs.helpers import GOOD, MACHINE, POSTGRES, logs, run
from tests.lab.scenarios.real_servers import nginx
from tests.lab.scenarios.running_programs import JAVA

NODE = "/usr/bin/node"
ROOMY = ["--pids-limit=64", "--user=1000:1000", "--cap-drop=ALL", *MACHINE]


def folder(box: Box, name: str) -> str:
    """A folder of the host that user 1000 may write."""
    path = f"/srv/{name}"
    box.sh(f"mkdir -p {path} && chown 1000:1000 {path}")
    return path


def redis(box: Box, name: str, *words: str) -> None:
    """Redis with its data in a folder of the host."""
    load_server(box, "redis-server", "redis:7.0")
    run(
        box, name, *GOOD, "-v", f"/srv/{name}:/data", "--workdir=/data", "redis:7.0", *words,
    )  # fmt: skip


@fault(
    "network.listen-address-missing",
    subject="container:listener16",
    also=[AT_START],
    shareable=True,
)
def redis_on_an_address_of_another_machine(box: Box) -> None:
    """Redis is configured to listen at the address that the host had before."""
    box.write("/srv/listener16.conf", "bind 192.0.2.9\n")
    load_server(box, "redis-server", "redis:7.0")
    mount = ["-v", "/srv/listener16.conf:/etc/redis.conf:ro"]
    run(box, "listener16", *GOOD, *mount, "redis:7.0", "redis-server", "/etc/redis.conf")
    assert "bind: Cannot assign requested address" in ended(box, "listener16")


@fault(AT_START, subject="container:older16", shareable=True)
def redis_with_a_directive_of_a_newer_version(box: Box) -> None:
    """The mounted configuration has a word that this Redis does not know."""
    text = "bind 127.0.0.1\nrdb-del-synced-files no\nappendonly no\n"
    box.write("/srv/older16.conf", text)
    load_server(box, "redis-server", "redis:7.0")
    mount = ["-v", "/srv/older16.conf:/etc/redis.conf:ro"]
    run(box, "older16", *GOOD, *mount, "redis:7.0", "redis-server", "/etc/redis.conf")
    assert "Bad directive" in ended(box, "older16")


@fault(AT_START, subject="container:dumped16", shareable=True)
def redis_with_a_file_that_is_no_dump(box: Box) -> None:
    """The file dump.rdb holds something else."""
    box.write(f"{folder(box, 'dumped16')}/dump.rdb", "these are not keys\n")
    redis(box, "dumped16", "redis-server")
    assert "Wrong signature" in ended(box, "dumped16")


@fault(AT_START, subject="container:cut16", shareable=True)
def redis_with_a_damaged_append_only_file(box: Box) -> None:
    """The disk was full while Redis wrote: its append-only file ends with half a command."""
    data = folder(box, "cut16")
    redis(box, "cut16", "redis-server", "--appendonly", "yes")
    box.wait_for(lambda: "Ready to accept" in logs(box, "cut16"), what="Redis to be ready")
    box.docker(
        "exec", "cut16", "sh", "-c",
        "printf 'SET a 1\\r\\nSET b 2\\r\\n' | nc -w 1 127.0.0.1 6379",
    )  # fmt: skip
    box.docker("stop", "cut16")
    box.sh(f"printf 'no command\\r\\n' >>{data}/appendonlydir/appendonly.aof.1.incr.aof")
    box.docker("start", "cut16")
    assert "Bad file format reading the append only file" in ended(box, "cut16")


@fault(AT_START, subject="container:garnish16", shareable=True)
def java_with_an_option_that_was_removed(box: Box) -> None:
    """An option of an older Java in a variable."""
    options = "--env=JAVA_TOOL_OPTIONS=-Xmx32m -XX:+UseConcMarkSweepGC"
    mount = ["-v", "/etc/java-17-openjdk:/etc/java-17-openjdk:ro", "--memory=256m"]
    script = f"{JAVA} -version && exec sleep 1000"
    run(box, "garnish16", *ROOMY, *mount, options, "bb:1.36", "sh", "-c", script)
    assert "Unrecognized VM option" in ended(box, "garnish16")


_FILL = "const held = []; while (held.length < 300) held.push(Array(131072).fill(held.length)); setInterval(() => {}, 1000)"
"""Holds 300 MiB in the heap of Node.js, and then waits."""


@fault(AT_START, subject="container:heap16", shareable=True)
def node_whose_heap_is_too_small(box: Box) -> None:
    """Node.js gives its heap a part of the container's memory, and the program needs more."""
    run(box, "heap16", *ROOMY, "--memory=480m", "bb:1.36", NODE, "-e", _FILL)
    assert "JavaScript heap out of memory" in ended(box, "heap16")


@fault(AT_START, subject="container:bare16", shareable=True)
def node_modules_below_a_mounted_application(box: Box) -> None:
    """The source is mounted over the image's folder, and hides the modules that the image has."""
    main = b"console.log(require('shelf').name); setInterval(() => {}, 1000)\n"
    shelf = b"exports.name = 'shelf'\n"
    files = {"app/main.js": (main, 0o644), "app/node_modules/shelf/index.js": (shelf, 0o644)}
    load(box, "bare:16", Recipe(files=files, changes=("WORKDIR /app",)))
    box.write("/srv/bare16/main.js", main.decode())
    mount = ["-v", "/srv/bare16:/app", "--memory=128m"]
    run(box, "bare16", *ROOMY, *mount, "bare:16", NODE, "main.js")
    assert "Cannot find module 'shelf'" in ended(box, "bare16")


@fault("resources.pids-exhausted", subject="container:threads16", also=[AT_START], shareable=True)
def threads_beyond_the_limit_of_processes(box: Box) -> None:
    """A pool of forty threads in a container that may have twenty."""
    program = (
        "import threading, time\n"
        "for _ in range(40): threading.Thread(target=time.sleep, args=(999,), daemon=True).start()\n"
        "time.sleep(999)\n"
    )
    limits = ["--pids-limit=20", "--memory=128m", "--user=1000:1000", "--cap-drop=ALL"]
    run(box, "threads16", *limits, *MACHINE, "bb:1.36", PYTHON, "-c", program)
    assert "can't start new thread" in ended(box, "threads16")


@fault(AT_START, subject="container:door16", shareable=True)
def certificate_behind_a_link_that_leads_out(box: Box) -> None:
    """Only certbot's live/ is mounted, and its links lead to archive/ beside it."""
    box.sh(
        "mkdir -p /srv/le16/letsencrypt/archive/shop /srv/le16/letsencrypt/live/shop && cd /srv/le16/letsencrypt && "
        "openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=shop.example "
        "-keyout archive/shop/key1.pem -out archive/shop/chain1.pem 2>/dev/null && chmod 644 archive/shop/key1.pem && "
        "ln -s ../../archive/shop/key1.pem live/shop/privkey.pem && "
        "ln -s ../../archive/shop/chain1.pem live/shop/fullchain.pem"
    )
    live = "/etc/letsencrypt/live"
    body = f"server {{ listen 8443 ssl; ssl_certificate {live}/shop/fullchain.pem; ssl_certificate_key {live}/shop/privkey.pem; }}"
    nginx(box, "door16", body, "-v", f"/srv/le16/letsencrypt/live:{live}:ro")
    assert "cannot load certificate" in ended(box, "door16")


@fault("container.option-in-the-way", subject="container:rooted16", also=[AT_START], shareable=True)
def postgres_as_root(box: Box) -> None:
    """A real PostgreSQL refuses to run as root, which somebody made of the image's own user."""
    load(box, "database:16", Recipe(changes=("USER 1000:1000",)))
    data = folder(box, "rooted16")
    options = [
        "--network=none", "--memory=256m", "--pids-limit=100", *MACHINE, "-v", f"{data}:/data",
    ]  # fmt: skip
    box.docker(
        "run", "--rm", *options, "database:16", f"{POSTGRES}/initdb", "-N", "-D", "/data",
        timeout=90,
    )  # fmt: skip
    server = [f"{POSTGRES}/postgres", "-D", "/data", "-k", "/tmp"]
    run(box, "rooted16", *options, "--user=root", "database:16", *server)
    assert "execution of the PostgreSQL server is not permitted" in ended(box, "rooted16")


CLIENT = ["--memory=256m", "--pids-limit=100", "--user=1000:1000", *MACHINE]


def postgres(box: Box, name: str, *options: str, auth: str) -> None:
    """A real PostgreSQL as the official image has it: a superuser of the environment, who needs no
    password inside. auth: what callers need."""
    data = folder(box, name)
    load(box, "postgres:15", Recipe(changes=(f"ENV PATH=/bin:/usr/bin:{POSTGRES}",)))
    env = ["--env=POSTGRES_USER=shop", "--env=PGHOST=/tmp", "--env=PGDATA=/data"]
    server = [*CLIENT, *env, *options, "-v", f"{data}:/data", "postgres:15"]
    made = "echo made-up-blue >/tmp/word && initdb --no-sync -A trust -U shop --pwfile=/tmp/word"
    box.docker("run", "--rm", *server, "sh", "-c", made, timeout=90)
    box.sh(f"echo 'host all all all {auth}' >>{data}/pg_hba.conf")
    run(box, name, *server, "postgres", "-k", "/tmp", "-c", "listen_addresses=*")
    box.wait_for(lambda: "ready to accept" in logs(box, name), what="PostgreSQL to be ready")
    box.docker("exec", name, "createdb", "-U", "shop", "shop")


_LIQUIBASE = """
[ "$(psql -h $DB_HOST -U shop -At -c 'SELECT locked FROM databasechangeloglock')" = f ] && exec sleep 1000
echo 'liquibase.exception.LockException: Could not acquire change log lock.  Currently locked by app-7 since 9:41 AM'
exit 1
"""


@fault(AT_START, subject="container:locked16", shareable=True)
def migration_that_left_its_lock(box: Box) -> None:
    """Liquibase was killed in a migration: the lock stays in a real PostgreSQL."""
    box.docker("network", "create", "lock16net")
    postgres(box, "ledger16", "--network=lock16net", auth="trust")
    made = "CREATE TABLE databasechangeloglock AS SELECT 1 AS id, true AS locked"
    box.docker("exec", "ledger16", "psql", "-U", "shop", "-c", made)
    caller = [*CLIENT, "--network=lock16net", "--env=DB_HOST=ledger16", "postgres:15"]
    run(box, "locked16", *caller, "sh", "-c", _LIQUIBASE)
    assert "Could not acquire change log lock" in ended(box, "locked16")


def _refused_password(box: Box, client: str, server: str, *, servers: str, clients: str) -> None:
    """A client that a PostgreSQL refuses, each with the password of its environment."""
    network = f"--network={client}net"
    box.docker("network", "create", f"{client}net")
    postgres(box, server, network, f"--env=POSTGRES_PASSWORD={servers}", auth="scram-sha-256")
    script = "psql -h $DB_HOST -U shop -c 'SELECT 1' && exec sleep 1000"
    env = [f"--env=DB_HOST={server}", f"--env=PGPASSWORD={clients}"]
    run(box, client, *CLIENT, network, *env, "postgres:15", "sh", "-c", script)
    assert "password authentication failed" in ended(box, client)


@fault("container.database-refused", subject="container:till16", also=[AT_START], shareable=True)
def password_that_was_changed_after_the_data_was_made(box: Box) -> None:
    """The new password is in both environments, and a real PostgreSQL has the old one."""
    _refused_password(box, "till16", "store16", servers="made-up-green", clients="made-up-green")


@fault("container.database-refused", subject="container:typo16", also=[AT_START], shareable=True)
def password_that_is_misspelt_in_the_program(box: Box) -> None:
    """A real PostgreSQL has the password of its environment, and its client was given another."""
    _refused_password(box, "typo16", "keeper16", servers="made-up-blue", clients="made-up-bleu")
    report = box.diagnose("check", "container.database-refused", "--format", "json").report
    said = {f["subject"]["name"]: f["summary"] for f in report["findings"]}
    assert "in its PGPASSWORD is not the POSTGRES_PASSWORD" in said["typo16"], said


@fault("container.database-refused", subject="container:guest16", also=[AT_START], shareable=True)
def network_that_a_database_does_not_let_in(box: Box) -> None:
    """A real PostgreSQL has no line for the network of the container that calls it."""
    box.docker("network", "create", "guest16net")
    postgres(box, "closed16", "--network=guest16net", auth="trust")
    box.sh("sed -i '/host all all all/d' /srv/closed16/pg_hba.conf")
    box.docker("restart", "closed16")
    script = "sleep 2; psql -h $DB_HOST -U shop -c 'SELECT 1' && exec sleep 1000"
    env = ["--env=DB_HOST=closed16", "--env=PGPASSWORD=made-up-blue"]
    run(
        box, "guest16", *CLIENT, "--network=guest16net", *env, "postgres:15", "sh", "-c", script,
    )  # fmt: skip
    assert "no pg_hba.conf entry" in ended(box, "guest16")


_UPLOADS = """server { listen 8080; location / { return 200 ok; } location /up { proxy_pass http://127.0.0.1:8080/; } }
include /etc/nginx/conf.d/*.conf;"""


@fault("container.errors-in-log", subject="container:narrow16", shareable=True)
def nginx_that_takes_only_small_uploads(box: Box) -> None:
    """A real nginx answers 413 to what its users upload."""
    conf = folder(box, "narrow16conf")
    path = "--env=PATH=/bin:/usr/bin:/usr/sbin"
    nginx(
        box, "narrow16", _UPLOADS, path, "-p", "8416:8080", "-v", f"{conf}:/etc/nginx/conf.d",
    )  # fmt: skip
    url = f"http://{BOX_ADDRESS}:8416/up"
    box.wait_for(lambda: box.provider.curl(url, check=False), what="nginx to answer")
    box.provider.sh("head -c 2000000 /dev/zero >/tmp/photo16")
    for _ in range(6):
        box.provider.sh(f"curl -s -o /dev/null --data-binary @/tmp/photo16 {url}")
    assert "client intended to send too large body" in logs(box, "narrow16")


_TRACE = """
public class App {
  static void load(int depth) {
    if (depth > 0) load(depth - 1);
    else throw new IllegalStateException("no connection to the ledger");
  }
  public static void main(String[] words) throws Exception {
    while (true) {
      try { load(18); } catch (IllegalStateException error) { error.printStackTrace(); }
      Thread.sleep(500);
    }
  }
}
"""


@fault("container.errors-in-log", subject="container:deep16", exit_code=0)
def java_that_prints_long_traces(box: Box) -> None:
    """A real Java program runs on and prints one trace of twenty lines after the other."""
    box.write("/srv/deep16/App.java", _TRACE)
    mounts = [
        "-v", "/srv/deep16:/app:ro", "-v", "/etc/java-17-openjdk:/etc/java-17-openjdk:ro",
    ]  # fmt: skip
    limits = [*ROOMY[1:], "--memory=512m", "--pids-limit=200", "--restart=unless-stopped"]
    run(box, "deep16", *limits, *mounts, "bb:1.36", JAVA, "/app/App.java")
    box.wait_for(lambda: logs(box, "deep16").count("no connection") > 5, what="some traces")
