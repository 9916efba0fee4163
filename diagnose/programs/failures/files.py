"""Modules, files, disks and ports that are missing, taken or full."""

from __future__ import annotations

from diagnose.programs.failures.recognition import Failure

_VARIABLE = "container.variable-missing"

FILES = (
    Failure(
        "module-node",
        "cannot find module",
        r"Cannot find module '(?P<module>[^']+)'",
        "Node.js does not find {module}: a mount over the application's folder may hide what the image has there",
        "compare the mounts with the image: a volume for node_modules keeps the image's own",
        "docker/getting-started-app#39",
    ),
    Failure(
        "module-python",
        "no module named",
        r"(?:ModuleNotFoundError|ImportError): No module named '?(?P<module>[\w.]+)'?",
        "Python does not find the module {module}: it is not installed in the image, or a mount hides it",
        "install it in the image, and rebuild",
        "the program's own message",
    ),
    Failure(
        "gem-missing",
        "bundler::gemnotfound",
        r"Could not find (?P<module>\S+) in locally installed gems",
        "Ruby does not find the gem {module}: the image was built from another Gemfile.lock, or a mount hides its gems",
        "rebuild the image, and remove an old volume over /usr/local/bundle",
        "the program's own message",
    ),
    Failure(
        "config-is-folder",
        "is a directory",
        r"(?:read|open) (?P<path>/\S+): is a directory|IsADirectoryError: \[Errno 21\] Is a directory: '(?P<python>[^']+)'",
        "{path}{python} is a folder where the program expects a file: a missing file on the host becomes an empty folder when it is mounted",
        "make the file on the host, remove the empty folder, and recreate the container",
        "moby/moby#30348",
        "container.mount-source-missing",
    ),
    Failure(
        "erlang-cookie",
        ".erlang.cookie",
        r"(?:reading|create cookie file) '?(?P<cookie>\S+?)'?: eacces",
        "RabbitMQ's cookie file belongs to another user",
        "chown 999:999 and chmod 400 the file .erlang.cookie in the data folder",
        "docker-library/rabbitmq#318",
    ),
    Failure(
        "erlang-node-name",
        "duplicate_node",
        r"ERROR: node with name \"(?P<node>[^\"]+)\" (?:is )?already running",
        "another RabbitMQ of the same node name answers in this network namespace",
        "stop the other one, or give this container a host name of its own",
        "the program's own message",
    ),
    Failure(
        "disk-full-postgres",
        "no space left on device",
        r"(?:PANIC|FATAL|ERROR).{0,120}No space left on device",
        "there is no room where the program writes: its disk, a tmpfs or volume of a fixed size, or "
        "/dev/shm is full",
        "docker exec with df -h shows which one; free room there, or give it more",
        "the program's own message",
        "storage.disk-full",
    ),
    Failure(
        "port-inside",
        "in use",
        r"(?:bind|listen|listening socket|Listen).{0,80}?(?::|port )(?P<port>\d{2,5})\b.{0,60}(?:address already in use|in use)"
        r"|EADDRINUSE: address already in use \S*?:(?P<node>\d{2,5})",
        "the port {port}{node} is taken in the program's own network",
        "see which other process or container shares that network and has the port",
        "the program's own message",
        "network.host-port-conflict",
    ),
    Failure(
        "zookeeper-myid",
        "myid file is missing",
        r"myid file is missing",
        "ZooKeeper does not know its own number",
        "set ZOO_MY_ID, or write the number into the file myid in the data folder",
        "the program's own message",
        _VARIABLE,
        ("ZOO_MY_ID",),
    ),
    Failure(
        "acme-rate-limit",
        "too many certificates",
        r"too many certificates \(\d+\) already issued",
        "the certificate authority issues no more certificates for these names this week",
        "keep the certificates in a volume, and wait; use the staging environment for tests",
        "the program's own message",
    ),
)
