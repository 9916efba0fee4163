"""Brokers that lose their data or send clients elsewhere."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.images import Recipe, load
from tests.lab.scenarios.deploys import SAFE
from tests.lab.scenarios.everyday.helpers import LEFT, first_command

LISTENS = "exec nc -ll -p 5672 -e cat"
_BROKER = """
folder=/var/lib/rabbitmq/mnesia/rabbit@$(hostname)
[ -d "$folder" ] || mkdir -p "$folder"
echo "node           : rabbit@$(hostname)"
"""


def _broker(box: Box, name: str, *options: str) -> None:
    """A stand-in for RabbitMQ, which names the folder of its data as RabbitMQ does."""
    load(box, "rabbitmq:3.13", Recipe())
    volume = f"--volume={name}-data:/var/lib/rabbitmq"
    words = ("rabbitmq:3.13", "sh", "-c", f"{_BROKER}{LISTENS}")
    box.docker("run", "-d", f"--name={name}", *SAFE, volume, *options, *words)
    box.wait_for(lambda: "node" in box.docker("logs", name).stdout, what="the node's name")


@fault(LEFT, subject="container:queue9", shareable=True)
def broker_with_another_host_name(box: Box) -> None:
    """RabbitMQ was recreated without a host name of its own: its users and queues are gone."""
    _broker(box, "queue9")
    box.docker("rm", "-f", "queue9")
    _broker(box, "queue9")
    folders = box.docker("exec", "queue9", "ls", "/var/lib/rabbitmq/mnesia").stdout.split()
    (former,) = [name for name in folders if box.inspect("queue9")["Id"][:12] not in name]
    command = first_command(box, LEFT, "queue9")
    assert (
        command == f"diagnose recreate queue9 -- --hostname={former.removeprefix('rabbit@')} | sh"
    )


@healthy(shareable=True)
def broker_with_a_host_name_of_its_own(box: Box) -> None:
    """The same with a host name: its data is where it was."""
    for _ in range(2):
        box.docker("rm", "-f", "queue8", check=False)
        _broker(box, "queue8", "--hostname=mq")


# -- a broker that sends its clients elsewhere ----------------------------------------

_CLIENT = """
while :; do
    nc -w 1 localhost 9092 </dev/null || echo "WARN [Producer clientId=producer-1] Connection to node 1 \
(localhost/127.0.0.1:9092) could not be established. Node may not be available."
    sleep 1
done
"""


@fault("container.loopback-peer", subject="container:orders9", shareable=True)
def broker_that_sends_its_clients_to_localhost(box: Box) -> None:
    """Kafka advertises localhost: its clients find it once, and call themselves then."""
    box.docker("network", "create", "orders9")
    told = "--env=KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://localhost:9092"
    options = ("--network=orders9", *SAFE)
    broker = ("bb:1.36", "nc", "-ll", "-p", "9092", "-e", "cat")
    box.docker("run", "-d", "--name=kafka9", *options, told, *broker)
    box.docker("run", "-d", "--name=orders9", *options, "bb:1.36", "sh", "-c", _CLIENT)
    box.wait_for(lambda: box.docker("logs", "orders9").stdout.count("node 1") > 3, what="warnings")
    command = first_command(box, "container.loopback-peer", "orders9")
    assert command.endswith("--env=KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://kafka9:9092 | sh")
