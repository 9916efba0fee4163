"""A bundle with other names: the same findings, the same connections, and none of the old names in
its bytes."""

from __future__ import annotations

import base64
import ipaddress
import itertools
import json
import random
import re
import stat
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from diagnose.document import document
from diagnose.judgement import engine
from diagnose.model import Failed
from diagnose.questions import AnyQuestion
from diagnose.questions.run import Options
from diagnose.recording import answer_files, source
from diagnose.recording.budget import Budget
from diagnose.recording.recorder import RecordedAnswer, Replay
from diagnose.ticket import vocabulary, write
from diagnose.ticket.addresses import Addresses
from diagnose.ticket.anonymize import Renaming
from diagnose.ticket.identities import image_parts, registrable
from tests.questions import question
from tests.tickets import DATA, KNOWN, made, opener_of, taken, unpacked

ROOT = Path(__file__).parents[2]
KEY = b"a key for tests" + b"\0" * 17
WEB, DB, NET = "3f" * 32, "4e" * 32, "5d" * 32
BRIDGE = f"br-{NET[:12]}"


def inspect(id: str, name: str, **more: Any) -> dict[str, Any]:
    networks = {
        "acme-shop_backend": {
            "NetworkID": NET,
            "IPAddress": "172.23.7.5",
            "Aliases": ["web", id[:12]],
        }
    }
    return {
        "Id": id,
        "Name": f"/{name}",
        "State": {
            "Status": "exited",
            "ExitCode": 3,
            "Error": "",
            "FinishedAt": "2026-11-23T10:00:00Z",
        },
        "Config": {
            "Image": "registry.acme.internal:5000/payroll/api:2.1",
            "Hostname": id[:12],
            "Env": [
                "DB_HOST=acme-shop-db-1",
                "HOME=/home/alice",
                "URL=https://bob@git.acme.internal/x",
            ],
            "Labels": {
                "de.acme-gmbh.team": "x",
                "com.docker.compose.project": "acme-shop",
                "com.docker.compose.service": "web",
            },
        },
        "HostConfig": {
            "Binds": ["/home/alice/shop:/app", "acme-shop_data:/data"],
            "NetworkMode": "acme-shop_backend",
        },
        "NetworkSettings": {"Networks": networks},
        "Mounts": [
            {
                "Type": "volume",
                "Name": "acme-shop_data",
                "Source": "/var/lib/docker/volumes/acme-shop_data/_data",
            }
        ],
        **more,
    }


SHOP = made(
    {
        question("endpoint"): {
            "url": "ssh://carol@buildhost7",
            "source": "context",
            "named": True,
            "context": "acme-prod",
        },
        question("sysctl", names=["net.ipv4.conf.acmenet0.forwarding", "net.ipv4.ip_forward"]): {
            "net.ipv4.conf.acmenet0.forwarding": "1"
        },
        question("uname"): {
            "nodename": "buildhost7",
            "release": "6.1.0",
            "version": "",
            "machine": "x86_64",
        },
        question("api.containers", all=True): [
            {
                "Id": WEB,
                "Names": ["/acme-shop-web-1"],
                "Image": "registry.acme.internal:5000/payroll/api:2.1",
            },
            {"Id": DB, "Names": ["/search"], "Image": "postgres:16"},
        ],
        question("api.container", id=WEB): inspect(WEB, "acme-shop-web-1"),
        question("api.container", id=DB): {
            "Id": DB,
            "Name": "/search",
            "Config": {"Image": "postgres:16"},
        },
        question("api.logs", id=WEB, tail=200): {
            "text": "cannot reach acme-shop-db-1.acme-shop_backend at 172.23.7.9\n"
        },
        question("api.events", since_s=86400.0): [
            {
                "Type": "container",
                "Action": "die",
                "Actor": {"ID": WEB, "Attributes": {"name": "acme-shop-web-1"}},
            }
        ],
        question("api.networks"): [
            {
                "Name": "acme-shop_backend",
                "Id": NET,
                "Options": {"com.docker.network.bridge.name": "acmenet0"},
                "IPAM": {"Config": [{"Subnet": "172.23.0.0/16", "Gateway": "172.23.0.1"}]},
            }
        ],
        question("net.links"): [{"index": 4, "name": BRIDGE, "mac": "02:42:ac:17:07:05"}],
        question("net.addresses"): [
            {"index": 4, "address": "172.23.0.1", "prefix": 16, "family": "inet"}
        ],
        question("iptables", family="ip", flavour="nft"): {
            "text": f"*nat\n-A DOCKER ! -i {BRIDGE} -p tcp --dport 80 -j DNAT --to-destination 172.23.7.5:80\n"
            f"-A POSTROUTING -s 172.23.0.0/16 ! -o {BRIDGE} -j MASQUERADE\n-A INPUT -s 2001:db8:7::/48 -j ACCEPT\nCOMMIT\n"
        },
        question("nftables"): {
            "rules": [
                {
                    "expressions": [
                        {"kind": "cmp", "data": "ac170705"},
                        {"kind": "immediate", "data": "ac170705"},
                    ]
                }
            ]
        },
        question("file.read", path="/etc/resolv.conf"): {
            "text": "search corp.acme.internal\nnameserver 198.51.100.53\n"
        },
        question("file.stats", paths=["/a/acme-shop_data", "/a/x", "/srv/zz"]): {
            "/a/acme-shop_data": {"size": 1}
        },
        question("kernel.log"): {
            "records": [{"text": f"oom-kill: task_memcg=/docker/{WEB},task=payroll"}]
        },
        question("api.info"): {
            "Name": "buildhost7",
            "HttpProxy": "http://proxy.acme.internal:3128",
        },
        question("fs.usage", path="/home/alice"): Failed("missing", "no /home/alice on buildhost7"),
    }
)


@pytest.fixture(scope="module")
def shop() -> tuple[Renaming, Mapping[AnyQuestion, RecordedAnswer]]:
    renaming = Renaming(SHOP, KEY)
    return renaming, renaming.recording(SHOP)


def test_nothing_that_was_named_is_left(shop):
    _, renamed = shop
    whole = "\n".join(answer_files.files(renamed).values())
    assert "acmenet0" in json.dumps([entry.answer for entry in SHOP.values()], default=str)
    old = r"acme|alice|carol|bob\b|buildhost7|payroll|172\.23\.7|198\.51\.100\.53|02:42:ac:17:07|2001:db8:7|ac170705"
    assert re.findall(old, whole) == []


def test_a_name_in_other_letters_or_in_base64_is_not_left():
    plain = "https://git.acme.internal/acme-shop-web-1"
    encoded = base64.b64encode(plain.encode()).decode()
    text = f"ACME-SHOP-WEB-1 up, Acme-shop-web-1 too; peer=BUILDHOST7 shop_of=ACME-SHOP config={encoded} sum={'Ab1/' * 8}"
    entries = {**SHOP, question("api.logs", id=DB, tail=200): RecordedAnswer({"text": text})}
    renaming = Renaming(entries, KEY)
    new = renaming.recording(entries)[question("api.logs", id=DB, tail=200)].answer["text"]
    web, host = renaming.names["acme-shop-web-1"], renaming.names["buildhost7"]
    assert new.startswith(f"{web.upper()} up, {web.capitalize()} too; peer={host.upper()} ")
    assert not re.search("acme|buildhost7", new, re.IGNORECASE)
    assert base64.b64decode(new.split("config=")[1].split()[0]).decode().endswith(f"/{web}")
    assert new.endswith(f"sum={'Ab1/' * 8}")
    assert restored(renaming.names, renaming.addresses.seen, new).startswith(
        "ACME-SHOP-WEB-1 up, Acme-shop-web-1 too; peer=BUILDHOST7 "
    )


def test_what_everybody_has_stays(shop):
    _, renamed = shop
    whole = "\n".join(answer_files.files(renamed).values())
    for kept in (
        "postgres:16",
        WEB,
        BRIDGE,
        "search ",
        "nameserver 198.51.100.",
        ":2.1",
        "172.23.0.1",
    ):
        assert kept in whole, kept


def test_one_name_is_one_other_name_everywhere(shop):
    renaming, renamed = shop
    name, network = renaming.names["acme-shop-web-1"], renaming.names["acme-shop_backend"]
    listed = renamed[question("api.containers", all=True)].answer
    assert listed[0]["Names"] == [f"/{name}"]
    seen = renamed[question("api.container", id=WEB)].answer
    assert seen["Name"] == f"/{name}"
    assert listed[0]["Image"] == seen["Config"]["Image"]
    assert image_parts(seen["Config"]["Image"])[2] == ":2.1"
    assert (
        list(seen["NetworkSettings"]["Networks"])
        == [network]
        == [seen["HostConfig"]["NetworkMode"]]
    )
    assert renamed[question("api.networks")].answer[0]["Name"] == network
    events = renamed[question("api.events", since_s=86400.0)].answer
    assert events[0]["Actor"]["Attributes"]["name"] == name
    address = seen["NetworkSettings"]["Networks"][network]["IPAddress"]
    rules = renamed[question("iptables", family="ip", flavour="nft")].answer["text"]
    assert f"--to-destination {address}:80" in rules
    assert "-s 172.23.0.0/16" in rules
    register = ipaddress.ip_address(address).packed.hex()
    told = json.dumps(renamed[question("nftables")].answer)
    assert told.count(register) == 2
    mac = renamed[question("net.links")].answer[0]["mac"]
    assert bytes.fromhex(mac.replace(":", ""))[2:] == ipaddress.ip_address(address).packed
    volume = renaming.names["acme-shop_data"]
    assert seen["HostConfig"]["Binds"][1] == f"{volume}:/data"
    assert seen["Mounts"][0]["Source"] == f"/var/lib/docker/volumes/{volume}/_data"


def test_a_name_that_is_a_word_of_everybody_is_renamed_where_it_is_a_name(shop):
    renaming, renamed = shop
    assert (
        renamed[question("api.container", id=DB)].answer["Name"] == f"/{renaming.names['search']}"
    )
    assert (
        renamed[question("file.read", path="/etc/resolv.conf")].answer["text"].startswith("search ")
    )


def test_a_swarm_task_stays_one_of_its_service():
    task = "payroll-api.2." + "z14yjrh7pxywuni7n96n7aa7c"
    labels = {"com.docker.swarm.service.name": "payroll-api", "com.docker.swarm.task.name": task}
    entries = made(
        {
            question("api.containers", all=True): [{"Id": WEB, "Names": [f"/{task}"]}],
            question("api.container", id=WEB): {
                "Id": WEB,
                "Name": f"/{task}",
                "Config": {"Labels": labels},
            },
        }
    )
    renamed = Renaming(entries, KEY).recording(entries)[question("api.container", id=WEB)].answer
    service = renamed["Config"]["Labels"]["com.docker.swarm.service.name"]
    assert service.startswith("service")
    assert renamed["Name"] == f"/{service}.2.z14yjrh7pxywuni7n96n7aa7c"
    assert renamed["Config"]["Labels"]["com.docker.swarm.task.name"] == renamed["Name"].strip("/")


def test_questions_are_found_under_their_new_names(shop):
    renaming, renamed = shop
    user = renaming.names["alice"]
    assert isinstance(renamed[question("fs.usage", path=f"/home/{user}")].answer, Failed)
    bridge = renaming.names["acmenet0"]
    assert any(
        f"net.ipv4.conf.{bridge}.forwarding" in name.args.get("names", []) for name in renamed
    )
    paths = next(name.args["paths"] for name in renamed if name.kind == "file.stats")
    assert paths == sorted(paths)


def restored(new_names: Mapping[str, str], new_addresses: Mapping[str, str], value: Any) -> Any:
    """A report of the renamed host with the old names: the way back is one to one for what the
    renaming made. Both mappings lead from the old name to the new one."""
    names = {new: old for old, new in new_names.items()}
    addresses = {new: old for old, new in new_addresses.items()}
    new = {**names, **addresses}
    made_up, placed = (
        "|".join(sorted(map(re.escape, each), key=len, reverse=True)) or "(?!)"
        for each in (names, addresses)
    )
    spot = re.compile(
        rf"(?<![0-9A-Za-z])(?:(?:{placed})(?![0-9A-Za-z]|\.\d)|(?:{made_up})(?![0-9A-Za-z]))"
    )

    def back(value: Any) -> Any:
        if isinstance(value, str):
            return spot.sub(lambda found: new[found[0]], value)
        if isinstance(value, list):
            return [back(item) for item in value]
        if isinstance(value, dict):
            return {back(key): back(item) for key, item in value.items()}
        return value

    return back(value)


def judged(entries: Mapping[AnyQuestion, RecordedAnswer]) -> dict[str, Any]:
    what = engine.Run(KNOWN, tuple(KNOWN))
    return document(
        engine.run(Replay(entries), what, began=0.0, budget=Budget(time.monotonic() + 60))
    )


def essence(report: Mapping[str, Any]) -> dict[str, Any]:
    """What must be equal up to the renaming; words in any order, since lists are in the order of
    their names."""

    def loose(value: Any) -> Any:
        if isinstance(value, str):
            return sorted(re.split(r"[\s,]+", value))
        if isinstance(value, list):
            return sorted(json.dumps(loose(item), sort_keys=True) for item in value)
        if isinstance(value, dict):
            return {key: loose(item) for key, item in value.items()}
        return value

    findings = {
        f["key"]: {
            name: loose(f[name]) for name in ("severity", "summary", "evidence", "fix", "root")
        }
        for f in report["findings"]
    }
    checks = {
        c["id"]: (c["verdict"], loose(c["why"]), c["examined"], loose(c["unexamined"]))
        for c in report["checks"]
    }
    return {**findings, **checks}


def firewalled(name: str) -> dict[AnyQuestion, RecordedAnswer]:
    """The recorded host with the packet filter of another recording, native rules and sets
    included."""
    entries = dict(source.read(DATA / "fifteen-faults-28.5.2.tar.gz")[0])
    rules = json.loads((ROOT / f"tests/data/firewall/{name}.json").read_text())
    entries[question("nftables")] = RecordedAnswer(rules["nftables"])
    return entries


TAPES = {
    "fifteen faults": lambda: source.read(DATA / "fifteen-faults-28.5.2.tar.gz")[0],
    "the demo": lambda: source.read(ROOT / "fixtures/demo")[0],
    "native sets": lambda: firewalled("28.5-native-sets"),
    "a subnet dropped": lambda: firewalled("26.1-docker-user-drops-a-subnet"),
    "a shop": lambda: SHOP,
}


@pytest.mark.parametrize("name", TAPES)
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.fuzz
def test_findings_are_equal_up_to_the_renaming(name: str, seed: int):
    entries = TAPES[name]()
    renaming = Renaming(entries, seed.to_bytes(32, "big"))
    plain, renamed = judged(entries), judged(renaming.recording(entries))
    assert essence(restored(renaming.names, renaming.addresses.seen, renamed)) == essence(plain)


@pytest.mark.parametrize("name", ["fifteen faults", "the demo"])
@pytest.mark.fuzz
def test_no_old_name_is_in_the_bytes(name: str):
    entries = TAPES[name]()
    _, sealed = taken(entries, anonymize=True)
    files = unpacked(sealed.data)
    renaming = Renaming(entries, KEY)
    telling = [each for each in renaming.names if each not in vocabulary.known() and len(each) > 3]
    assert len(telling) >= 20
    head = json.loads(files["manifest.json"])
    assert head["anonymized"] == {"checks_that_say_something_else": []}
    assert head["host"].startswith("host")
    # in what the tool says, "report" and "store" are words of its own
    ours = ("report.md", "report.json", "report.html", "manifest.json", "answers/options.json")
    whole = b"\n".join(data for name, data in files.items() if name not in ours).decode()
    drawn = re.findall(r"<text [^>]*>([^<]*)</text>", files["report.html"].decode())
    assert len(drawn) > 20
    # the time line names checks, and the outside has a name too
    whole += "\n".join(
        label for label in drawn if "." not in label and label not in ("other hosts", "outside")
    )
    left = [
        each
        for each in telling
        if re.search(rf"(?<![A-Za-z0-9]){re.escape(each)}(?![A-Za-z0-9])", whole)
    ]
    assert left == []


def test_the_names_are_kept_only_where_the_user_asks(tmp_path: Path):
    for name, order in {
        "without": write.Order(tmp_path / "a.tar.gz", anonymize=True),
        "with": write.Order(tmp_path / "b.tar.gz", anonymize=True, map=tmp_path / "names.json"),
    }.items():
        write.deliver(
            KNOWN, Options(), order, began=time.monotonic(), open_recorder=opener_of(SHOP)
        )
        assert (tmp_path / "names.json").exists() == (name == "with")
    names = json.loads((tmp_path / "names.json").read_text())
    assert names["names"]["buildhost7"] == "host01"
    assert "172.23.7.5" in names["addresses"]
    assert stat.S_IMODE((tmp_path / "names.json").stat().st_mode) == 0o600
    assert b"buildhost7" not in b"".join(unpacked((tmp_path / "b.tar.gz").read_bytes()).values())


def test_no_map_is_left_where_the_bundle_could_not_be_written(tmp_path: Path):
    order = write.Order(tmp_path / "x.tar.gz", anonymize=True, map=tmp_path / "names.json")

    def late(*given: Any) -> Any:
        (tmp_path / "x.tar.gz").write_bytes(b"mine")
        return opener_of(SHOP)(*given)

    with pytest.raises(write.NotWrittenError):
        write.deliver(KNOWN, Options(), order, began=time.monotonic(), open_recorder=late)
    assert [path.name for path in tmp_path.iterdir()] == ["x.tar.gz"]


NETWORKS = [
    ipaddress.ip_network(each)
    for each in (
        "172.28.0.0/16",
        "172.28.5.0/24",
        "10.0.0.0/8",
        "10.0.0.0/24",
        "fd00:5::/64",
        "192.0.2.0/24",
    )
]
KEPT = (
    *(
        "127.0.0.1",
        "127.0.0.11",
        "0.0.0.0",
        "255.255.0.0",
        "255.255.255.255",
        "169.254.169.254",
        "224.0.0.1",
        "8.8.8.8",
    ),
    *("::", "::1", "fe80::1", "ff02::1"),
)


@pytest.mark.parametrize("address", KEPT)
def test_special_addresses_stay(address: str):
    assert Addresses(KEY, NETWORKS).rename(address) == address


@pytest.mark.parametrize("network", NETWORKS, ids=str)
@pytest.mark.parametrize("seed", range(5))
def test_networks_stay_networks(network: Any, seed: int):
    """A network's own address and its broadcast keep their zeros and ones, and its members stay in
    it."""
    renamed = Addresses(bytes([seed]) * 32, NETWORKS)
    first = ipaddress.ip_address(renamed.rename(str(network.network_address)))
    new = ipaddress.ip_network(f"{first}/{network.prefixlen}")
    assert str(new.broadcast_address) == renamed.rename(str(network.broadcast_address))
    rnd = random.Random(seed)
    for _ in range(50):
        member = network.network_address + rnd.randrange(2**16 if network.prefixlen == 16 else 256)
        assert ipaddress.ip_address(renamed.rename(str(member))) in new


@pytest.mark.parametrize("seed", range(5))
def test_prefixes_are_kept_exactly_and_no_two_become_one(seed: int):
    rnd = random.Random(seed)
    renamed = Addresses(bytes([seed]) * 32, NETWORKS)
    base = rnd.getrandbits(31)
    olds = [ipaddress.IPv4Address(base ^ rnd.getrandbits(rnd.randrange(1, 31))) for _ in range(300)]
    pairs = [(int(old), int(ipaddress.IPv4Address(renamed.rename(str(old))))) for old in set(olds)]
    assert len({new for _, new in pairs}) == len(pairs)
    for (old, new), (other_old, other_new) in itertools.pairwise(pairs):
        if not any(each in NETWORKS[2] for each in map(ipaddress.IPv4Address, (old, other_old))):
            assert (old ^ other_old).bit_length() == (new ^ other_new).bit_length()


@pytest.mark.parametrize("private", ["10.7.8.9", "172.19.3.4", "192.168.3.4", "100.64.7.7"])
def test_private_addresses_stay_private(private: str):
    old, new = (
        ipaddress.ip_address(private),
        ipaddress.ip_address(Addresses(KEY, []).rename(private)),
    )
    assert old != new
    assert old.is_private == new.is_private
    assert str(old).split(".")[0] == str(new).split(".")[0]


OWNED = {
    "registry.acme.internal": "acme.internal",
    "a.b.acme.co.uk": "acme.co.uk",
    "web.acme.ne.jp": "acme.ne.jp",
    "www.acme.gouv.fr": "acme.gouv.fr",
    "acme.github.io": "acme.github.io",
    "co.uk": "",
    "registry-1.docker.io": "",
    "123.dkr.ecr.eu-west-1.amazonaws.com": "",
    "localhost": "",
    "10.0.0.1": "",
}


@pytest.mark.parametrize("name", OWNED)
def test_the_part_that_somebody_owns(name: str):
    assert registrable(name) == OWNED[name]


def test_words_that_checks_look_for_are_known():
    assert {
        "search",
        "nameserver",
        "json-file",
        "overlay2",
        "DOCKER-USER",
    } <= vocabulary.known()
    assert not {"acme", "billing", "payroll", "buildhost7"} & vocabulary.known()
