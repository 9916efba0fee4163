"""Cron inside containers and on the host, whose jobs fail without a word."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.images import Recipe, load
from tests.lab.scenarios.everyday.helpers import first_command
from tests.lab.scenarios.programs.helpers import run

CHECK = "container.cron-jobs-fail"
_SAFE = [
    "run", "-d", "--memory=64m", "--pids-limit=64", "--user=1000:1000", "--cap-drop=ALL",
    "--security-opt=no-new-privileges", "--read-only",
]  # fmt: skip
SPOOL = "var/spool/cron/crontabs"
_DUMP = b'#!/bin/sh\necho "dump of $DB_HOST"\n'
_CRON = b"#!/bin/sh\n# as Debian's cron, it starts its jobs with an environment of its own\nwhile :; do env -i PATH=/bin /dump.sh >/last; sleep 1; done\n"
"""No busybox has a cron that drops the environment."""


def _crond(box: Box, name: str, owner: str) -> None:
    """Real crond of busybox, with the crontab of this user."""
    files = {f"{SPOOL}/{owner}": (b"* * * * * echo done >/last\n", 0o600)}
    load(box, f"{name}:1", Recipe(files))
    run(box, name, "--memory=64m", f"{name}:1", "crond", "-f", "-l", "0", "-L", "/proc/1/fd/2")


@fault(CHECK, subject="container:sweeper8", shareable=True)
def crontab_of_nobody(box: Box) -> None:
    """A crontab is called after a user whom the image does not have."""
    _crond(box, "sweeper8", "docker")
    said = "ignoring file 'docker' (no such user)"
    box.wait_for(
        lambda: said in box.docker("logs", "sweeper8").stderr, what="crond to leave it out"
    )


@healthy(shareable=True)
def crontab_of_root(box: Box) -> None:
    """The same crontab is root's, and crond reads it."""
    _crond(box, "sweeper9", "root")
    said = "started, log level 0"
    box.wait_for(lambda: said in box.docker("logs", "sweeper9").stderr, what="crond to start")
    assert "no such user" not in box.docker("logs", "sweeper9").stderr


def _cron(box: Box, name: str, dump: bytes) -> None:
    """A program called cron, which runs one script without the container's variables."""
    table = b"0 4 * * * /dump.sh\n"
    files = {"sbin/cron": (_CRON, 0o755), "dump.sh": (dump, 0o755), f"{SPOOL}/root": (table, 0o600)}
    load(box, f"{name}:1", Recipe({**files, "etc/environment": (b"", 0o644)}))
    run(box, name, "--memory=64m", "--env=DB_HOST=db", f"{name}:1", "/sbin/cron")
    box.wait_for(
        lambda: "dump of" in box.docker("exec", name, "cat", "/last", check=False).stdout,
        what="a job to run",
    )


@fault(CHECK, subject="container:dumper8", shareable=True)
def job_without_the_variables_of_its_container(box: Box) -> None:
    """A script uses a variable of its container, and cron does not pass it on."""
    _cron(box, "dumper8", _DUMP)
    assert box.docker("exec", "dumper8", "cat", "/last").stdout == "dump of \n"


@healthy(shareable=True)
def job_that_names_what_it_needs(box: Box) -> None:
    """The same script has a value of its own for the variable."""
    _cron(box, "dumper9", _DUMP.replace(b"$DB_HOST", b"${DB_HOST:-db}"))
    assert box.docker("exec", "dumper9", "cat", "/last").stdout == "dump of db\n"


@healthy(shareable=True)
def crontab_that_a_container_of_the_same_image_runs(box: Box) -> None:
    """An image brings a crontab, as Nextcloud's does: its second container runs `busybox crond`,
    which the kernel calls busybox."""
    load(box, "cloud9:1", Recipe({f"{SPOOL}/root": (b"*/5 * * * * /bin/true\n", 0o600)}))
    run(box, "cloud9", "--memory=64m", "cloud9:1", "busybox", "httpd", "-f", "-p", "8081")
    run(box, "cloud9-jobs", "--memory=64m", "cloud9:1", "busybox", "crond", "-f", "-L", "/dev/null")
    box.wait_state("cloud9-jobs", "running")


_DEBIANS = b"#!/bin/sh\nwhile :; do sleep 60; done\n"
_JOB = "0 3 * * * root /dump.sh\n"
_UNUSED = {
    "namer8": ("etc/cron.d/dump.sh", _JOB, 0o644),
    "opened8": ("etc/cron.d/dump", _JOB, 0o666),
    "endless8": ("etc/cron.d/dump", _JOB.strip(), 0o644),
    "userless8": ("etc/cron.d/dump", "0 3 * * * /dump.sh\n", 0o644),
    "rooted8": (f"{SPOOL}/root", _JOB, 0o600),
    "dated8": ("etc/cron.d/dump", "0 3 * * * root /dump.sh >/dump-$(date +%F).sql\n", 0o644),
    "windows8": ("etc/cron.d/dump", _JOB.replace("\n", "\r\n"), 0o644),
}
"""A crontab with one defect each, as Debian's cron takes it."""


def _with_table(box: Box, name: str, path: str, table: str, mode: int, program: str) -> None:
    files = {program: (_DEBIANS, 0o755), "dump.sh": (b"#!/bin/sh\n", 0o755)}
    load(box, f"{name}:1", Recipe({**files, path: (table.encode(), mode)}))
    run(box, name, "--memory=64m", f"{name}:1", f"/{program}")
    box.wait_state(name, "running")


@fault(CHECK, subject="container:namer8", expect=[(CHECK, f"container:{n}") for n in _UNUSED])
def crontabs_that_cron_does_not_use(box: Box) -> None:
    """Dots, modes, ends, users, percent signs: cron tells syslog, which no container has; the first
    command of the report mends each."""
    for name, (path, table, mode) in _UNUSED.items():
        _with_table(box, name, path, table, mode, "sbin/cron")
    for name in _UNUSED:
        box.sh(first_command(box, CHECK, name))
    assert not box.diagnose("check", CHECK, "--format", "json").findings
    mended = box.docker("exec", "userless8", "cat", "/etc/cron.d/dump").stdout
    assert mended == _JOB
    for name, (path, table, mode) in _UNUSED.items():
        box.docker("rm", "-f", name)
        _with_table(box, name, path, table, mode, "sbin/cron")


@fault(CHECK, subject="container:night8-cron")
def crontab_without_a_cron(box: Box) -> None:
    """An image has a crontab, and its command starts another program alone."""
    _with_table(box, "night8-cron", "etc/cron.d/dump", _JOB, 0o644, "app")
    box.sh("sleep 10")


@fault(CHECK, subject="container:feeds8", exit_code=0)
def crontab_of_an_image_that_runs_no_cron(box: Box) -> None:
    """An image has cron and a job for it, and its command starts the server alone."""
    _with_table(box, "feeds8", "etc/cron.d/feeds", _JOB, 0o644, "apache2")
    box.sh("sleep 10")


@healthy(advice=None)
def crontab_that_the_host_runs_in_its_place(box: Box) -> None:
    """A job of the host runs the work of the image's crontab by docker exec."""
    _with_table(box, "feeds9", "etc/cron.d/feeds", _JOB, 0o644, "apache2")
    box.sh("mkdir -p /etc/cron.d")
    box.write("/etc/cron.d/feeds", "0 3 * * * root docker exec feeds9 /dump.sh\n")
    box.sh("sleep 10")


@healthy(shareable=True)
def crontabs_as_cron_takes_them(box: Box) -> None:
    """The same jobs as they should be, a copy of an editor, and a table for another scheduler."""
    _with_table(
        box,
        "tidy9",
        "etc/cron.d/dump",
        _JOB.replace("root /", "root date +\\%F; /"),
        0o644,
        "sbin/cron",
    )
    _with_table(box, "copied9", "etc/cron.d/dump.2026-01-01", _JOB, 0o644, "sbin/cron")
    _with_table(box, "other9", "etc/cron.d/dump", _JOB, 0o644, "supercronic")


@fault("container.cron-wants-terminal", subject="container:ledger81")
def host_job_that_asks_for_a_terminal(box: Box) -> None:
    """A backup was tried by hand and put into cron as it was; the report's command mends it."""
    box.docker(*_SAFE, "--name=ledger81", "bb:1.36", "sleep", "1000")
    call = "docker exec -it ledger81 cat /etc/passwd"
    box.sh("mkdir -p /etc/cron.d")
    box.write("/etc/cron.d/backup", f"# nightly\n0 1 * * * root {call} >/var/ledger.sql 2>&1\n")
    assert "not a TTY" in box.sh(f"setsid {call} </dev/null 2>&1 || true")
    check = "container.cron-wants-terminal"
    box.sh(first_command(box, check, "ledger81"))
    assert f"root {call.replace('-it', '-i')} >" in box.read("/etc/cron.d/backup")
    assert not box.diagnose("check", check, "--format", "json").findings
    box.write("/etc/cron.d/backup", f"0 1 * * * root {call} >/var/ledger.sql 2>&1\n")


@healthy(advice=None)
def host_job_without_a_terminal(box: Box) -> None:
    """The same backup without -t, and a copy of the file before."""
    box.docker(*_SAFE, "--name=ledger82", "bb:1.36", "sleep", "1000")
    box.sh("mkdir -p /etc/cron.d")
    line = "0 1 * * * root docker exec {} ledger82 cat /etc/passwd >/var/ledger.sql\n"
    box.write("/etc/cron.d/backup", line.format("-i"))
    box.write("/etc/cron.d/backup.2026-01-01", line.format("-it"))


_LACKS = "container.cron-lacks-program"


@fault(_LACKS, subject="host:host")
def host_job_with_a_program_that_cron_does_not_find(box: Box) -> None:
    """docker-compose lies in /usr/local/bin, where cron does not look; the report's command writes
    its path into the line."""
    box.sh("mkdir -p /etc/cron.d /usr/local/bin; rm -f /usr/bin/docker-compose")
    box.write("/usr/local/bin/docker-compose", "#!/bin/sh\n", 0o755)
    box.write("/etc/cron.d/pull", "0 1 * * * root docker-compose -f /srv/a.yml pull\n")
    box.sh(first_command(box, _LACKS, "host"))
    assert "root /usr/local/bin/docker-compose -f" in box.read("/etc/cron.d/pull")
    assert not box.diagnose("check", _LACKS, "--format", "json").findings
    box.write("/etc/cron.d/pull", "0 1 * * * root docker-compose -f /srv/a.yml pull\n")


@healthy(advice=None)
def host_job_with_the_path_of_its_program(box: Box) -> None:
    """The same job with a line PATH= above it, and a job that names the path."""
    box.sh("mkdir -p /etc/cron.d /usr/local/bin; rm -f /usr/bin/docker-compose")
    box.write("/usr/local/bin/docker-compose", "#!/bin/sh\n", 0o755)
    job = "0 1 * * * root {}docker-compose -f /srv/a.yml pull\n"
    box.write("/etc/cron.d/pull", f"PATH=/usr/local/bin:/usr/bin:/bin\n{job.format('')}")
    box.write("/etc/cron.d/push", job.format("/usr/local/bin/"))


NOBODY, UNIT = "container.job-names-nobody", "container.stopped-by-unit"
_STARTED = """[Unit]
After=docker.service
[Service]
ExecStart=/usr/bin/docker start {options}{name}
ExecStop=/usr/bin/docker stop {name}
"""


@fault(NOBODY, subject="container:shop-web-1")
def host_job_with_a_former_name(box: Box) -> None:
    """A crontab has the name that compose 1 gave; the first command corrects the line."""
    load(box, "shop:1.4")
    box.docker(*_SAFE, "--restart=always", "--name=shop-web-1", "shop:1.4")
    job = "*/5 * * * * root docker exec shop_web_1 /bin/true >>/var/log/job.log 2>&1\n"
    box.write("/etc/cron.d/shop", job)
    assert "No such container" in box.docker("exec", "shop_web_1", "true", check=False).stderr
    box.sh(first_command(box, NOBODY, "shop-web-1"))
    assert "docker exec shop-web-1 /bin/true" in box.sh("cat /etc/cron.d/shop")
    box.write("/etc/cron.d/shop", job)


@healthy(advice=None)
def host_job_with_the_present_name(box: Box) -> None:
    """Jobs that name a container rightly, look whether it is there, or are comments."""
    load(box, "shop:1.4")
    box.docker(*_SAFE, "--restart=always", "--name=shop-web-1", "shop:1.4")
    box.write(
        "/etc/cron.d/shop",
        "0 1 * * * root docker exec shop-web-1 true\n# docker exec shop_web_1 true\n"
        "0 2 * * * root docker exec shop_web_1 true || true\n",
    )
    box.write("/etc/systemd/system/web.service", _STARTED.format(options="-a ", name="shop-web-1"))
    assert box.docker("exec", "shop-web-1", "true").returncode == 0


@healthy(advice=None)
def host_jobs_of_other_engines(box: Box) -> None:
    """Jobs that call a container of another machine, of another engine, or of a user's own."""
    load(box, "shop:1.4")
    box.docker(*_SAFE, "--restart=always", "--name=shop-web-1", "shop:1.4")
    box.write(
        "/etc/cron.d/shop",
        "0 1 * * * root pct exec 101 -- docker exec shop_web_1 true\n"
        "0 2 * * * root DOCKER_HOST=ssh://ops@store docker exec shop_web_1 true\n"
        "0 3 * * * root docker --context=store restart shop_web_1\n",
    )
    own = "DOCKER_HOST=unix:///run/user/1000/docker.sock\n0 1 * * * docker exec shop_web_1 true\n"
    box.write("/var/spool/cron/crontabs/ops", own, 0o600)
    unit = _STARTED.format(options="-a ", name="shop_web_1") + "Environment=DOCKER_HOST=ssh://a\n"
    box.write("/etc/systemd/system/far.service", unit)
    assert "No such container" in box.docker("exec", "shop_web_1", "true", check=False).stderr


@fault(
    UNIT,
    subject="container:web61",
    first_command=("heals", "where systemd is the first process, as in no box of the lab"),
)
def unit_that_stops_what_it_starts(box: Box) -> None:
    """A unit starts a container with a client that ends; it is stopped as systemd does it."""
    load(box, "shop:1.4")
    box.write("/etc/systemd/system/web61.service", _STARTED.format(options="", name="web61"))
    box.docker("create", *_SAFE[2:], "--init", "--name=web61", "shop:1.4")
    box.docker("start", "web61")
    box.docker("stop", "web61")
    assert not box.inspect("web61")["State"]["Running"]


TAKEN = "container.run-name-taken"
_RUN = (
    "ExecStart=/usr/bin/docker run --name {name} shop:1.4\nExecStop=/usr/bin/docker stop {name}\n"
)


def _unit_with_run(box: Box, name: str, before: str = "") -> None:
    """An enabled unit that runs a container under a name; its container of before has ended."""
    load(box, "shop:1.4")
    box.write(f"/etc/systemd/system/{name}.service", f"[Service]\n{before}{_RUN.format(name=name)}")
    box.sh(
        "mkdir -p /etc/systemd/system/multi-user.target.wants && "
        f"ln -s ../{name}.service /etc/systemd/system/multi-user.target.wants/"
    )
    box.docker("run", "-d", *_SAFE[2:], "--init", f"--name={name}", "shop:1.4")
    box.docker("stop", "-t", "1", name)


@fault(TAKEN, subject="container:core63")
def unit_whose_last_container_has_the_name(box: Box) -> None:
    """After a boot the unit runs its container again, and the one of before is still there."""
    _unit_with_run(box, "core63")
    said = box.docker("run", "--name", "core63", "shop:1.4", check=False).stderr
    assert "is already in use by container" in said, said


@fault(TAKEN, subject="container:dump64", exit_code=1)
def job_of_cron_that_runs_once(box: Box) -> None:
    """A job of cron runs a container under a name; the first command lets it run again."""
    load(box, "shop:1.4")
    box.sh("mkdir -p /etc/cron.d")
    job = "0 3 * * * root docker run --name dump64 shop:1.4 true\n"
    box.write("/etc/cron.d/dump64", job)
    box.docker("run", "--name=dump64", *_SAFE[2:], "--init", "shop:1.4", "true")
    box.sh(first_command(box, TAKEN, "dump64"))
    assert "docker run --rm --name dump64" in box.sh("cat /etc/cron.d/dump64")
    for _ in range(2):
        box.sh("docker run --rm --name dump64 shop:1.4 true")
    box.write("/etc/cron.d/dump64", job)
    box.docker("run", "--name=dump64", *_SAFE[2:], "--init", "shop:1.4", "true")


@healthy(advice=None)
def units_that_make_room_for_their_container(box: Box) -> None:
    """Units that remove the container of before, that start it, and whose container runs."""
    _unit_with_run(box, "core65", "ExecStartPre=-/usr/bin/docker rm -f core65\n")
    box.write("/etc/systemd/system/core66.service", _STARTED.format(options="-a ", name="core66"))
    _unit_with_run(box, "core67")
    box.docker("start", "core67")
    found = box.diagnose("check", TAKEN, "--format", "json").findings
    assert not found, found


PRUNE = "storage.prune-takes-data"
_PRUNE = "0 3 * * * root docker volume prune -{}f >/dev/null 2>&1\n"


def _volume_of_a_project_that_is_down(box: Box, name: str) -> None:
    """A volume with a file, whose container was removed as `docker compose down` does it."""
    box.docker("volume", "create", "--label=com.docker.compose.project=shop", name)
    box.docker(
        "run", "--rm", f"--volume={name}:/data", box.image("bb:1.36"), "touch", "/data/ibdata1"
    )


@fault(PRUNE, subject="host:host", also=["storage.*"])
def job_that_takes_the_volumes_of_a_project(box: Box) -> None:
    """A project is down for maintenance, and cron removes its data at night; the report's command
    ends that."""
    _volume_of_a_project_that_is_down(box, "shop_data")
    box.write("/etc/cron.d/prune", "SHELL=/bin/sh\n" + _PRUNE.format("a"))
    box.sh(first_command(box, PRUNE, "host"))
    assert "# 0 3" in box.read("/etc/cron.d/prune")
    assert not box.diagnose("check", PRUNE, "--format", "json").findings
    box.write("/etc/cron.d/prune", _PRUNE.format("a"))


@fault(PRUNE, subject="container:db", also=["container.*"])
def volume_that_a_job_has_removed(box: Box) -> None:
    """The job has run while the project was down, and its database begins anew."""
    _volume_of_a_project_that_is_down(box, "shop_data")
    box.write("/etc/cron.d/prune", _PRUNE.format("a"))
    box.docker("volume", "rm", "shop_data")
    box.docker(
        *_SAFE, "--name=db", "--restart=always", "-v", "shop_data:/data", "bb:1.36", "sleep", "1000"
    )


@healthy(advice=None)
def job_that_takes_no_volume_of_a_project(box: Box) -> None:
    """The project runs; another job removes images, and one chooses volumes by a label."""
    box.docker(
        *_SAFE, "--name=db", "--restart=always", "-v", "shop_data:/data", "bb:1.36", "sleep", "1000"
    )
    lines = (_PRUNE.format("a"), "0 4 * * * root docker image prune -af\n",
             "0 5 * * * root docker volume prune -af --filter label=temporary\n")  # fmt: skip
    box.write("/etc/cron.d/prune", "".join(lines))
