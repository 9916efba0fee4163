"""Names of containers that are asked where nobody knows them, and names that two servers know
differently."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.provider import RESOLVER, SILENT, WEB
from tests.lab.runner import BASE_CONFIG, baseline, healthy_container
from tests.lab.scenarios.everyday.helpers import first_command

LIMITS = ("--memory=64m", "--pids-limit=64")
OF_SHOP = "--label=com.docker.compose.project=names"


def caller(box: Box, name: str, script: str, *options: str) -> None:
    """A program that ends where it cannot resolve a name, and is started again."""
    box.docker(
        "run", "-d", f"--name={name}", "--restart=always", *LIMITS, *options, "bb:1.36", "sh",
        "-c", script,
    )  # fmt: skip
    box.wait_for(lambda: box.inspect(name)["RestartCount"] >= 3, what=f"{name} to loop")


CALL_DB = (
    "nslookup -type=a {0} >/dev/null 2>&1 && exec sleep 1000;"
    " echo 'could not translate host name \"{0}\" to address: Name or service not known' >&2; exit 2"
)
"""A program that says as PostgreSQL's library does that a name does not resolve."""


@fault(
    "dns.service-on-other-network",
    subject="container:names-api-1",
    shareable=True,
    also=[("container.*", "container:names-api-1")],
)
def service_on_another_network(box: Box) -> None:
    """Two services of one project are on different networks: the one cannot resolve the other's
    name."""
    box.docker("network", "create", "names_front")
    box.docker("network", "create", "names_back")
    db = [
        "--net=names_back",
        "--network-alias=namedb",
        OF_SHOP,
        "--label=com.docker.compose.service=namedb",
    ]
    box.docker("run", "-d", "--name=names-db-1", *LIMITS, *db, "bb:1.36", "sleep", "1000")
    api = ["--net=names_front", OF_SHOP, "--label=com.docker.compose.service=api"]
    caller(box, "names-api-1", CALL_DB.format("namedb"), *api)


@fault(
    "dns.service-on-other-network",
    subject="container:lonecaller",
    shareable=True,
    also=[("container.*", "container:lonecaller")],
)
def name_on_the_default_network(box: Box) -> None:
    """Two containers on the default network: the engine resolves no names there."""
    box.docker("run", "-d", "--name=lonestore", *LIMITS, "bb:1.36", "sleep", "1000")
    caller(box, "lonecaller", CALL_DB.format("lonestore"))


@fault(
    "dns.service-on-other-network",
    subject="container:coldcaller",
    shareable=True,
    also=[("container.*", "container:coldcaller")],
)
def name_of_a_stopped_container(box: Box) -> None:
    """Two containers on the default network, and the one that is called does not run: a network
    alone does not help."""
    box.docker("run", "-d", "--name=coldstore", *LIMITS, "bb:1.36", "sleep", "1000")
    box.docker("stop", "-t", "0", "coldstore")
    caller(box, "coldcaller", CALL_DB.format("coldstore"))


MISS_NAME = (
    "while ! grep -q {0} /etc/hosts && ! nslookup -type=a {0} >/dev/null 2>&1;"
    " do echo '{1}' >&2; sleep 1; done; sleep 1000"
)
"""A program that runs on, and says each second that a name does not resolve. It reads its hosts
file first, as the C library does."""


def missing_caller(box: Box, name: str, called: str, line: str, *options: str) -> None:
    """A container whose program runs on while it misses a name."""
    script = MISS_NAME.format(called, line)
    box.docker("run", "-d", f"--name={name}", *LIMITS, *options, "bb:1.36", "sh", "-c", script)
    box.wait_for(
        lambda: box.docker("logs", name).stderr.count(line) >= 2, what=f"{name} to miss {called}"
    )


_NET = (
    "System.Net.Http.HttpRequestException: Name or service not known ({0}:8080) ---> "
    "System.Net.Sockets.SocketException (0xFFFDFFFF): Name or service not known"
)


def _media(box: Box) -> None:
    """A download client that uses the network of a VPN client, and a program that calls it."""
    box.docker("network", "create", "media_net")
    alias = ("--net=media_net", "--network-alias=films", "--label=com.docker.compose.service=films")
    box.docker("run", "-d", "--name=vpn9", *LIMITS, "--net=media_net", "bb:1.36", "sleep", "1000")
    torrent = ("run", "-d", "--name=torrent9", *LIMITS, "--net=container:vpn9")
    box.docker(*torrent, "bb:1.36", "nc", "-ll", "-p", "8080", "-e", "cat")
    missing_caller(box, "films9", "torrent9", _NET.format("torrent9"), *alias)


@fault("dns.service-on-other-network", subject="container:films9")
def name_of_a_container_behind_a_vpn(box: Box) -> None:
    """A program of .NET calls a container by its name, which uses the network of a VPN client."""
    _media(box)


@healthy()
def link_to_a_container_behind_a_vpn(box: Box) -> None:
    """The same program, after the first command of the report."""
    _media(box)
    findings = box.diagnose("check", "dns.service-on-other-network", "--format", "json").findings
    assert [finding["subject"]["name"] for finding in findings] == ["films9"]
    box.sh(findings[0]["fix"][0]["command"])
    called = ("exec", "films9", "nc", "-w", "2", "torrent9", "8080")
    assert box.docker(*called, check=False).returncode == 0
    assert box.docker("exec", "films9", "nslookup", "-type=a", "torrent9").returncode == 0


@fault("dns.name-only-on-host", subject="container:erpclient", shareable=True)
def name_of_the_hosts_own_file(box: Box) -> None:
    """A program runs on, and calls a name that only the host's /etc/hosts has."""
    box.sh("echo '192.0.2.80 erp.corp.example erp # until the move' >>/etc/hosts")
    missing = "curl: (6) Could not resolve host: erp.corp.example"
    missing_caller(box, "erpclient", "erp.corp.example", missing)


@fault(
    "dns.name-only-on-host",
    subject="container:gateclient",
    also=[("container.*", "container:gateclient")],
    shareable=True,
)
def name_that_docker_desktop_defines(box: Box) -> None:
    """A server loops, because nothing gave its container the name host.docker.internal."""
    upstream = 'nginx: [emerg] host not found in upstream "host.docker.internal" in default.conf:8'
    given = "grep -q host.docker.internal /etc/hosts && exec sleep 1000"
    caller(box, "gateclient", f"{given}; echo '{upstream}' >&2; exit 1")


@healthy(shareable=True)
def names_that_extra_hosts_give(box: Box) -> None:
    """Containers that were given the names of the host, and one that missed a name once."""
    box.sh("echo '192.0.2.80 stock.corp.example' >>/etc/hosts")
    line = "Could not resolve host: stock.corp.example"
    given = "--add-host=stock.corp.example:192.0.2.80"
    script = f"for i in 1 2 3; do echo '{line}'; done; sleep 1000"
    box.docker("run", "-d", "--name=stocked", *LIMITS, given, "bb:1.36", "sh", "-c", script)
    script = f"echo '{line}'; sleep 1000"
    box.docker("run", "-d", "--name=oncemissed", *LIMITS, "bb:1.36", "sh", "-c", script)


@fault("dns.service-on-other-network", subject="container:hostcaller", shareable=True)
def container_name_from_the_hosts_network(box: Box) -> None:
    """A program on the host's network calls a container by its name, and runs on."""
    box.docker("network", "create", "--subnet=10.233.6.0/24", "storenet")
    healthy_container(box, "hoststore", 18793, "--network=storenet")
    url = "--env=STORE_URL=http://hoststore:8080/"
    line = "Error: getaddrinfo ENOTFOUND hoststore"
    place = "place=${STORE_URL#http://}; place=${place%/}"
    known = "[ ${place%:*} = 127.0.0.1 ] || nslookup -type=a ${place%:*} >/dev/null 2>&1"
    script = f"{place}; while :; do {{ {known}; }} || echo '{line}' >&2; sleep 1; done"
    box.docker(
        *("run", "-d", "--name=hostcaller", *LIMITS, "--network=host", url),
        *("bb:1.36", "sh", "-c", script),
    )
    box.wait_for(lambda: box.docker("logs", "hostcaller").stderr.count(line) >= 2, what="its calls")


@fault("dns.service-on-other-network", subject="container:quiet-api-1", shareable=True)
def service_in_an_environment_variable(box: Box) -> None:
    """A service names another one of its project in a URL, and shares no network with it; it has
    not called yet."""
    box.docker("network", "create", "quiet_front")
    box.docker("network", "create", "quiet_back")
    project = "--label=com.docker.compose.project=quiet"
    db = [
        "--net=quiet_back",
        "--network-alias=quietdb",
        project,
        "--label=com.docker.compose.service=quietdb",
    ]
    box.docker("run", "-d", "--name=quiet-db-1", *LIMITS, *db, "bb:1.36", "sleep", "1000")
    url = "--env=DATABASE_URL=postgres://shop@quietdb:5432/shop"
    api = ["--net=quiet_front", project, "--label=com.docker.compose.service=api", url]
    box.docker("run", "-d", "--name=quiet-api-1", *LIMITS, *api, "bb:1.36", "sleep", "1000")


@healthy(shareable=True)
def services_that_share_a_network(box: Box) -> None:
    """Services of one project on two networks, with one in common; a third is named in its hosts
    file."""
    box.docker("network", "create", "sound_front")
    box.docker("network", "create", "sound_back")
    project = "--label=com.docker.compose.project=sound"
    db = [
        "--net=sound_back",
        "--network-alias=sounddb",
        project,
        "--label=com.docker.compose.service=sounddb",
    ]
    box.docker(
        "run", "-d", "--name=sound-db-1", *LIMITS, *db, "--user=1000:1000", "bb:1.36", "sleep",
        "1000",
    )  # fmt: skip
    variables = [
        "--env=DATABASE_URL=postgres://shop@sounddb:5432/shop",
        "--env=POSTGRES_DB=sounddb",
    ]
    api = ["--net=sound_front", project, "--label=com.docker.compose.service=api", *variables]
    box.docker(
        "run", "-d", "--name=sound-api-1", *LIMITS, *api, "--user=1000:1000", "bb:1.36", "sleep",
        "1000",
    )  # fmt: skip
    box.docker("network", "connect", "sound_back", "sound-api-1")
    address = box.inspect("sound-db-1")["NetworkSettings"]["Networks"]["sound_back"]["IPAddress"]
    hosts = [
        "--net=sound_front",
        project,
        "--label=com.docker.compose.service=job",
        f"--add-host=sounddb:{address}",
    ]
    box.docker(
        "run", "-d", "--name=sound-job-1", *LIMITS, *hosts, variables[0], "--user=1000:1000",
        "bb:1.36", "sleep", "1000",
    )  # fmt: skip


@fault(
    "dns.servers-disagree",
    subject="host:host",
    engine_started=False,
    args=("--resolve", "pay.office.test"),
)
def second_server_knows_the_name(box: Box) -> None:
    """The first of the host's two servers says that a name does not exist; the second, of a VPN,
    knows the name."""
    _second_server(box)
    box.write("/etc/resolv.conf", f"nameserver {RESOLVER}\nnameserver 192.0.2.54\n")
    box.start_engine(config=BASE_CONFIG)
    baseline(box)


@fault(
    "dns.servers-disagree",
    subject="container:payer",
    engine_started=False,
    also=[("container.*", "container:payer")],
)
def second_server_of_a_failing_container(box: Box) -> None:
    """A container loops because the first of its servers denies a name that the second knows."""
    _second_server(box)
    box.write("/etc/resolv.conf", f"nameserver {RESOLVER}\nnameserver 192.0.2.54\n")
    box.start_engine(config=BASE_CONFIG)
    script = "echo 'lookup pay.office.test on 192.0.2.53:53: no such host' >&2; sleep 1; exit 1"
    caller(box, "payer", script)


@healthy(engine_started=False, args=("--resolve", "pay.office.test", "--resolve", "www.lab.test"))
def two_servers_that_agree(box: Box) -> None:
    """Two servers that know the same names."""
    _second_server(box)
    box.write("/etc/resolv.conf", f"nameserver 192.0.2.54\nnameserver {RESOLVER}\n")
    box.provider.dns_stop()
    box.provider.dns_start("--address=/pay.office.test/192.0.2.81")
    box.start_engine(config=BASE_CONFIG)
    baseline(box)


@healthy(args=("--resolve", "shelf", "--resolve", "www.lab.test"))
def service_name_of_a_container(box: Box) -> None:
    """The user asks for the name of a container, which the engine resolves and the host's servers
    do not know."""
    box.docker("network", "create", "shelves")
    healthy_container(box, "shelf", 8081, "--net=shelves")
    healthy_container(box, "reader", 8082, "--net=shelves")
    assert WEB in box.run(["busybox", "nslookup", "-type=a", "www.lab.test"]).stdout


def _second_server(box: Box) -> None:
    """A DNS server of its own address, which alone knows a name of the office.

    A host record answers a question for IPv6 addresses with nothing; beside `--local`, `--address`
    answers NXDOMAIN, which is a fault of its own.
    """
    box.provider.dns_stop()
    box.provider.dns_start("--local=/test/")
    box.provider.sh("ip addr add 192.0.2.54/24 dev uplink")
    box.provider.spawn(
        ["dnsmasq", "--keep-in-foreground", "--listen-address=192.0.2.54", "--bind-interfaces", "--no-hosts", "--no-resolv",
         "--conf-file=/dev/null", "--user=root", "--pid-file=", "--local=/test/",
         "--host-record=pay.office.test,192.0.2.81", f"--host-record=www.lab.test,{WEB}"]
    )  # fmt: skip
    box.wait_for(
        lambda: "192.0.2.54:53" in box.provider.run(["ss", "-lnu"]).stdout, what="the second server"
    )


def _two_projects(box: Box, number: int, *more: str) -> None:
    """Two compose projects with a service `db`, on one shared network."""
    shared = f"proxy{number}net"
    box.docker("network", "create", f"--subnet=10.233.{number}.0/24", shared)
    for project in ("blue", "green"):
        labels = (
            f"--label=com.docker.compose.project={project}{number}",
            "--label=com.docker.compose.service=db",
        )
        name = f"{project}{number}-db-1"
        healthy_container(
            box,
            name,
            18900 + 2 * number + (project == "green"),
            f"--network={shared}",
            "--network-alias=db",
            *labels,
        )
    labels = (
        f"--label=com.docker.compose.project=blue{number}",
        "--label=com.docker.compose.service=api",
    )
    box.docker(
        *("run", "-d", f"--name=blue{number}-api-1", *LIMITS, f"--network={shared}", *labels),
        *(*more, "bb:1.36", "sleep", "1000"),
    )


@fault("dns.name-shared-by-projects", subject="network:proxy1net", shareable=True)
def one_service_name_in_two_projects(box: Box) -> None:
    """Two projects have a service `db` on a reverse proxy's network, and one of them calls it."""
    _two_projects(box, 1, "-e=DATABASE_URL=postgres://db:5432/shop")
    answer = box.docker("exec", "blue1-api-1", "nslookup", "-type=a", "db").stdout
    assert answer.count("Address: 10.233.1.") == 2


@healthy(shareable=True)
def one_service_name_that_nobody_calls(box: Box) -> None:
    """The same two projects, which call their databases by the names of their containers."""
    _two_projects(box, 2, "-e=DATABASE_URL=postgres://blue2-db-1:5432/shop")
    answer = box.docker("exec", "blue2-api-1", "nslookup", "-type=a", "blue2-db-1").stdout
    assert answer.count("Address: 10.233.2.") == 1


_SPEAKS = """
while :; do
    peer=$(nslookup -type=a db | sed -n 's/^Address: //p' | head -n 1)
    owner=$(timeout 2 nc $peer 5432 </dev/null)
    [ "$owner" = {project} ] ||
        echo "connection to server at \\"db\\" ($peer), port 5432 failed: FATAL: role \\"{project}\\" does not exist"
    sleep 1
done
"""
_ANSWERS = "while :; do echo {project} | nc -l -p 5432 >/dev/null; done"


@fault(
    "dns.name-shared-by-projects",
    subject="network:all",
    also=["container.errors-in-log", "network.calls-failing"],
)
def one_service_name_that_two_projects_call(box: Box) -> None:
    """Two projects have a database `db` each, on a network of their own and on a shared one. Their
    programs reach either, and only their logs name it.

    The engine asks networks in the order of their names: the shared one comes first here.
    """
    box.docker("network", "create", "all")
    for project in ("blue", "green"):
        box.docker("network", "create", f"{project}_default")
        for service, script in (("db", _ANSWERS), ("api", _SPEAKS)):
            name = f"{project}-{service}-1"
            labels = (
                f"--label=com.docker.compose.project={project}",
                f"--label=com.docker.compose.service={service}",
            )
            place = (f"--network={project}_default", f"--network-alias={service}")
            run = ("run", "-d", f"--name={name}", *LIMITS, *labels, *place, "bb:1.36", "sh", "-c")
            box.docker(*run, script.format(project=project))
            box.docker("network", "connect", f"--alias={service}", "all", name)
    box.wait_for(
        lambda: all(
            "role" in box.docker("logs", f"{project}-api-1").stdout for project in ("blue", "green")
        ),
        what="a stranger for each",
    )


_STORE = """
while :; do
    nc -w 5 {0} 6379 </dev/null || echo 'cannot connect to {0}:6379: No route to host' >&2
    sleep 0.3
done
"""


def _pinned_caller(box: Box, name: str, store: str, *options: str, edit: str = "") -> None:
    """A program that calls its neighbour by its name, with a line of its own in the hosts file."""
    box.docker("network", "create", f"{store}net")
    limits = (*LIMITS, f"--network={store}net")
    serve = ("sh", "-c", "while :; do nc -l -p 6379 </dev/null; done")
    box.docker("run", "-d", f"--name={store}", *limits, "bb:1.36", *serve)
    script = ("sh", "-c", _STORE.format(store))
    box.docker("run", "-d", f"--name={name}", *limits, *options, "bb:1.36", *script)
    if edit:
        box.docker("exec", "--user=0", name, "sh", "-c", f"echo '{edit}' >>/etc/hosts")


def _misses(box: Box, name: str) -> None:
    box.wait_for(
        lambda: box.docker("logs", name).stderr.count("No route to host") >= 4, what="failed calls"
    )


@fault(
    "dns.name-pinned",
    subject="container:till74",
    also=["network.calls-failing", "container.errors-in-log", "network.call-unanswered"],
)
def neighbour_in_an_edited_hosts_file(box: Box) -> None:
    """Somebody wrote another address for a neighbour into a container's hosts file."""
    _pinned_caller(box, "till74", "store74", edit=f"{SILENT} store74")
    _misses(box, "till74")
    assert first_command(box, "dns.name-pinned", "till74") == "docker restart till74"


@fault(
    "dns.name-pinned",
    subject="container:till75",
    also=["network.calls-failing", "container.errors-in-log", "network.call-unanswered"],
)
def neighbour_in_extra_hosts(box: Box) -> None:
    """A container was created with an address for its neighbour that is not the neighbour's."""
    _pinned_caller(box, "till75", "store75", f"--add-host=store75:{SILENT}")
    _misses(box, "till75")
    command = first_command(box, "dns.name-pinned", "till75")
    assert command == "diagnose recreate till75 --without add-host | sh", command


@healthy()
def neighbour_in_a_hosts_file_by_its_own_address(box: Box) -> None:
    """Somebody wrote a neighbour's right address into a container's hosts file."""
    _pinned_caller(box, "till76", "store76")
    address = box.inspect("store76")["NetworkSettings"]["Networks"]["store76net"]["IPAddress"]
    line = f"echo '{address} store76' >>/etc/hosts"
    box.docker("exec", "--user=0", "till76", "sh", "-c", line)
    assert address in box.docker("exec", "till76", "cat", "/etc/hosts").stdout
