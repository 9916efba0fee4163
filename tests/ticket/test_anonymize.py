"""A bundle without the names of a site: each name is replaced everywhere in the same way."""

from __future__ import annotations

import base64
import ipaddress
import json
import re
from collections.abc import Mapping

import pytest

from diagnose.model import Failed
from diagnose.questions import AnyQuestion
from diagnose.recording import answer_files
from diagnose.recording.recorder import RecordedAnswer
from diagnose.ticket.anonymize import Renaming
from diagnose.ticket.identities import image_parts
from tests.questions import question
from tests.ticket.anonymized import KEY
from tests.ticket.anonymized_shop import BRIDGE, DB, SHOP, WEB, restored
from tests.tickets import made


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
    assert image_parts(seen["Config"]["Image"]).tail == ":2.1"
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
