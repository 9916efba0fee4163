"""What was changed recently: packages by the logs of their managers, files by their times,
events."""

from __future__ import annotations

from datetime import datetime

import pytest

from diagnose.evidence.containers.events import Event, Events
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.package_log import changed_packages
from diagnose.evidence.run.recent_changes import recent_changes
from diagnose.model import Failed, Json
from diagnose.phrases import rfc3339
from diagnose.questions import Question
from diagnose.questions.files import FileText, StatPaths
from diagnose.questions.run import Options
from tests.hosts import Made
from tests.inspected import container, of

AT = datetime.fromisoformat("2026-11-26T03:45:40+00:00").timestamp()
NOW = AT + 600
DPKG = """\
2026-11-26 04:45:37 startup archives unpack
2026-11-26 04:45:37 upgrade docker-ce:amd64 5:28.4.0-1~debian.12~bookworm 5:28.5.1-1~debian.12~bookworm
2026-11-26 04:45:38 status half-configured docker-ce:amd64 5:28.5.1-1~debian.12~bookworm
2026-11-26 04:45:39 upgrade tzdata:all 2025b-0+deb12u1 2025b-0+deb12u2
2026-11-26 04:45:40 install jq:amd64 <none> 1.7.1-3
2026-11-26 04:45:40 remove snapd:amd64 2.66-1 <none>
"""
DNF = """\
2026-11-26T03:45:37+0000 INFO --- logging initialized ---
2026-11-26T04:45:40+0100 SUBDEBUG Upgrade: docker-ce-3:28.5.1-1.el9.x86_64
2026-11-26T04:45:41+0100 SUBDEBUG Upgraded: docker-ce-3:28.4.0-1.el9.x86_64
"""
PACMAN = """\
[2026-11-26T04:45:39+0100] [PACMAN] starting full system upgrade
[2026-11-26T04:45:40+0100] [ALPM] upgraded docker (1:28.4.0-1 -> 1:28.5.1-1)
[2026-11-26T04:45:40+0100] [ALPM] running '30-systemd-update.hook'...
"""


@pytest.mark.parametrize(
    ("path", "text", "names"),
    [
        (
            "/var/log/dpkg.log",
            DPKG,
            [
                "docker-ce 28.4.0 to 28.5.1",
                "tzdata 2025b-0+deb12u1 to 2025b-0+deb12u2",
                "jq 1.7.1",
                "snapd (removed)",
            ],
        ),
        ("/var/log/dnf.rpm.log", DNF, ["docker-ce 28.5.1"]),
        ("/var/log/pacman.log", PACMAN, ["docker 28.4.0 to 28.5.1"]),
        (
            "/var/log/dpkg.log",
            f"2026-99-26 04:45:37 remove a:all 1 2\n{DPKG[-60:]}",
            ["snapd (removed)"],
        ),
        ("/var/log/dnf.rpm.log", DNF.replace("T04:45:40", "T04:85:40"), []),
        ("/var/log/pacman.log", PACMAN.replace("26T04:45:40", "36T04:45:40"), []),
        ("/var/log/dpkg.log", "", []),
        ("/var/log/dpkg.log", "\0\n2026-13-99 no line of dpkg\n", []),
    ],
)
def test_packages_of_a_log(path: str, text: str, names: list[str]):
    packages = changed_packages(path, FileText(text, mtime=AT + 0.4))
    assert [str(package) for package in packages] == names
    assert all(abs(package.at - AT) <= 3 for package in packages)


def failed(name: str, **parts: Json):
    state = {"Status": "exited", "ExitCode": 1, "FinishedAt": "2026-11-26T03:50:00Z", "Pid": 0}
    return container(name, State=state, **parts)


def mount(source: str, target: str, rw: bool) -> dict[str, Json]:
    return {"Type": "bind", "Source": source, "Destination": target, "RW": rw}


def statuses(files: dict[str, tuple[str, float]]):
    def answer(question: Question) -> Json:
        assert isinstance(question, StatPaths)
        return {
            path: {"type": files[path][0], "mtime": files[path][1]}
            if path in files
            else {"failed": "missing"}
            for path in question.paths
        }

    return answer


def changes(host: Made, *containers, events: Events | None = None) -> list[tuple[str, str]]:
    found = recent_changes(host, Clock(NOW, 0.0), Options(), of(*containers), events)
    return [(str(change.subject), change.text) for change in found.items]


def test_files_of_a_failed_container_and_packages():
    who = failed(
        "web",
        Mounts=[
            mount("/srv/web.conf", "/etc/web.conf", True),
            mount("/srv/conf.d", "/etc/web/conf.d", False),
            mount("/srv/data", "/data", True),
        ],
    )
    files = {
        "/srv/web.conf": ("file", NOW - 60),
        "/srv/conf.d": ("folder", NOW - 50),
        "/srv/conf.d/a.conf": ("file", NOW - 40),
        "/srv/conf.d/b.conf": ("file", NOW - 40 - Options().since_s),
        "/srv/data": ("folder", NOW - 30),
        "/var/log/dpkg.log": ("file", AT),
    }
    host = Made(
        {
            "file.stats": statuses(files),
            "file.read": {"text": DPKG, "mtime": AT},
            "file.list": {
                "entries": [{"name": "a.conf", "type": "file"}, {"name": "b.conf", "type": "file"}]
            },
        }
    )
    assert changes(host, who) == [
        ("host:host", "package docker-ce 28.4.0 to 28.5.1 and 3 other packages"),
        ("container:web", "/srv/web.conf (mounted at /etc/web.conf)"),
        ("container:web", "/srv/conf.d/a.conf (its folder is mounted at /etc/web/conf.d)"),
    ]


@pytest.mark.parametrize(
    ("path", "is_shown"),
    [
        ("/srv/Caddyfile", True),
        ("/srv/prometheus.yml", True),
        ("/srv/.env.prod", True),
        ("/srv/site.key", True),
        ("/srv/home-assistant.log", False),
        ("/srv/home-assistant_v2.db-wal", False),
        ("/srv/app.pid", False),
        ("/var/log/syslog", False),
        ("/var/run/settings.json", False),
    ],
)
def test_files_that_programs_write_are_no_change(path: str, is_shown: bool):
    host = Made({"file.stats": statuses({path: ("file", NOW - 9)})})
    found = changes(host, failed("web", Mounts=[mount(path, "/x", True)]))
    assert bool(found) == is_shown


def test_containers_without_files_of_the_host_cost_one_question():
    host = Made({"file.stats": statuses({})})
    assert changes(host, container("web"), failed("job")) == []
    assert len(host.asked) == 1


def test_containers_in_trouble_come_first_where_there_are_too_many_files(monkeypatch):
    monkeypatch.setattr("diagnose.evidence.run.recent_changes.MOST_PATHS", 1)
    mounts = {name: [mount(f"/srv/{name}", "/x", True)] for name in ("api", "web")}
    host = Made(
        {"file.stats": statuses({f"/srv/{name}": ("file", NOW - 9) for name in ("api", "web")})}
    )
    running = container("api", Mounts=mounts["api"])
    assert changes(host, running, failed("web", Mounts=mounts["web"])) == [
        ("container:web", "/srv/web (mounted at /x)")
    ]


def test_the_order_of_answers_makes_no_other_question(monkeypatch):
    """A recording knows a question by all of its paths, in their order."""
    folders = [mount(f"/srv/{name}", f"/etc/{name}", False) for name in ("a", "b", "c")]
    listing = {"entries": [{"name": "x.conf", "type": "file"}]}
    forward, backward = (Made({"file.stats": statuses({}), "file.list": listing}) for _ in range(2))
    in_order = backward.source.ask_many
    monkeypatch.setattr(
        backward.source, "ask_many", lambda questions: reversed(list(in_order(questions)))
    )
    for host in (forward, backward):
        changes(host, failed("web", Mounts=folders))
    assert forward.asked[-1] == backward.asked[-1]
    assert len(forward.asked[-1].paths) == 6


def test_nothing_is_known_where_nothing_can_be_read():
    host = Made({"file.stats": Failed("forbidden", "as root")})
    assert changes(host, failed("web", Mounts=[mount("/srv/a", "/etc/a", False)])) == []


def event(at: float, type_: str, action: str, **attributes: str) -> Event:
    return Event(at, type_, action, "", attributes.pop("id", ""), attributes)


def test_pulled_images_and_networks_that_a_running_container_lost():
    web = failed("web")
    running = container("api", State={"StartedAt": "2026-11-26T03:45:00Z"})
    events = Events(
        (
            event(NOW - 300, "image", "pull", id="shop:1.4", name="shop"),
            event(NOW - 299, "image", "pull", id="other:1", name="other"),
            event(NOW - 200, "network", "disconnect", name="shop", container=running.id),
            event(NOW - 190, "network", "disconnect", name="shop", container=web.id),
            event(NOW - 9000, "network", "disconnect", name="old", container=running.id),
        )
    )
    host = Made({"file.stats": statuses({})})
    assert changes(host, web, running, events=events) == [
        ("container:api", 'image "shop:1.4" was pulled'),
        ("container:web", 'image "shop:1.4" was pulled'),
        ("container:api", 'container "api" was disconnected from network "shop"'),
    ]


def test_containers_that_were_created_one_after_the_other_are_one_deployment() -> None:
    ages = {"old": 7200, "db": 600, "web": 550, "shell": 500}
    made = [
        container(name, Created=rfc3339(NOW - age), HostConfig={"AutoRemove": name == "shell"})
        for name, age in ages.items()
    ]
    changes = recent_changes(Made({}), Clock(NOW, 0.0), Options(), of(*made), None)
    assert [(change.text, NOW - change.at) for change in changes.items] == [
        ('container "old" was created', 7200),
        ('containers "db" and "web" were created', 550),
    ]
