"""Known failures of collectors of metrics, logs and alerts: their servers, limits and plugins."""

from diagnose.programs.failures.recognition import Failure
from diagnose.programs.failures.remedies import Given, SetAside, TypedLike

_OPTION = "container.option-missing"

COLLECTORS = (
    Failure(
        name="followed-folder",
        mark="file is a directory",
        pattern=r'failed to tail file\b.{0,40}\bfile is a directory\b.{0,40}\bfilename="?(?P<path>/[^\s"]{1,200})',
        cause="Promtail follows {path}, which is a folder: no line of the files in it is sent",
        cure="write the files into __path__ of its configuration, such as {path}/*.log",
        source="sipcapture/homer7-docker#29",
    ),
    Failure(
        name="grafana-plugin-unknown",
        mark="failed to install plugin",
        pattern=r"failed to install plugin (?P<plugin>[\w.-]{1,80}): 404",
        cause="Grafana's catalogue has no plugin {plugin}: it is misspelt, or was withdrawn",
        cure="correct its name in GF_INSTALL_PLUGINS or GF_PLUGINS_PREINSTALL; the catalogue's pages have it in their "
        "address",
        source="Grafana's own message",
        remedy=TypedLike(r"^GF_(?:INSTALL_PLUGINS|PLUGINS_PREINSTALL)"),
    ),
    Failure(
        name="influx-config-left",
        mark="already exists",
        pattern=r'\bconfig name \\?"(?P<config>[\w.-]{1,60})\\?" already exists',
        cause="a setup of InfluxDB that broke off has left its client's settings ({config}), and the next one refuses them",
        cure="set the file influx-configs aside; where no data are needed, empty the data folder too, so that the setup "
        "begins again",
        source="influxdata/influxdata-docker#563",
        remedy=SetAside("influx-configs", ("/etc/influxdb2",)),
        look="data",
    ),
    Failure(
        name="gossip-address",
        mark="no private ip address found",
        pattern=r"unable to initialize gossip mesh\b.{0,120}\bNo private IP address found",
        cause="Alertmanager looks for a private address to find other Alertmanagers by, and its container has none",
        cure="a single one needs no others: recreate it with --cluster.listen-address= (empty); else name its address with "
        "--cluster.advertise-address",
        source="Alertmanager's documentation, high availability",
        remedy=Given("--cluster.listen-address="),
    ),
    Failure(
        name="notification-refused",
        mark="notify for alerts failed",
        pattern=r"Notify for alerts failed\b.{0,40}\berr=\"?(?P<receiver>[\w.-]{1,80})/\w{1,40}\[\d{1,3}\]: .{0,200}"
        r"(?:unexpected status code (?P<status>\d{3})|status code (?P<status_bare>\d{3}))",
        cause="nobody gets the alerts of Alertmanager's receiver {receiver}: the service that it calls answers {status}",
        cure="correct the address, the token or the channel of that receiver in alertmanager.yml",
        source="Alertmanager's own message",
        turns_away=True,
    ),
    Failure(
        name="loki-rate",
        mark="ingestion rate limit exceeded",
        pattern=r"Ingestion rate limit exceeded for user (?P<user>[\w-]{1,60}) \(limit: (?P<limit>\d{1,12})",
        cause="Loki takes {limit} bytes a second from {user} and refuses more: lines are sent again, or lost",
        cure="raise ingestion_rate_mb and ingestion_burst_size_mb below limits_config of Loki, or send fewer lines",
        source="Loki documentation, request validation and rate limits",
        turns_away=True,
    ),
    Failure(
        name="influx-token",
        mark="[outputs.influxdb",
        pattern=r"\[outputs\.influxdb\w{0,4}\].{0,200}\b401 Unauthorized",
        cause="InfluxDB refuses what Telegraf sends: the token or the password is not one of this InfluxDB, as where its "
        "volume is a new one or already had another token",
        cure="give Telegraf a token that InfluxDB has now: influx auth list in its container shows them",
        source="Telegraf's own message",
        turns_away=True,
        remedy=TypedLike(r"INFLUX\w*TOKEN"),
        look="secrets",
    ),
    Failure(
        name="influx-database",
        mark="database not found",
        # servers that speak MySQL (Dolt) say the same behind the number of their error
        pattern=r"(?<!HY000\): )(?<!1049: )\bdatabase not found: \\?\"?(?P<database>[\w-]{1,60})",
        cause="the InfluxDB that the program calls has no database {database}",
        cure="make it there (CREATE DATABASE {database}); INFLUXDB_DB counts only while the data folder is empty, and "
        "InfluxDB 2 has buckets with a mapping in their place",
        source="InfluxDB's own message",
        turns_away=True,
        look="database",
    ),
    Failure(
        name="fluentd-overflow",
        mark="buffer overflow",
        pattern=r"failed to write data into buffer by buffer overflow action=:(?P<action>\w{1,30})",
        cause="Fluentd's buffer is full, as the server that it sends to does not take the lines fast enough or not at all: "
        "new ones are refused ({action})",
        cure="look for the failed flushes above, mend that server, or raise total_limit_size of the buffer",
        source="Fluentd documentation, buffer plugins",
        turns_away=True,
    ),
    Failure(
        name="fluent-bit-name",
        mark="missing the 'name' property",
        pattern=r"section '(?P<section>\w{1,40})' is missing the 'name' property",
        cause="a section {section} of Fluent Bit's configuration does not say which plugin it is: its line Name is not "
        "there, or is indented otherwise than the rest",
        cure="add the line Name to that section",
        source="Fluent Bit's own message",
    ),
    Failure(
        name="grafana-unsigned",
        mark="is unsigned",
        pattern=r"plugin '?(?P<plugin>[\w-]{1,80})'? is unsigned",
        cause="Grafana does not load the plugin {plugin}, which nobody has signed",
        cure="recreate it with --env=GF_PLUGINS_ALLOW_LOADING_UNSIGNED_PLUGINS={plugin}, if you trust the plugin",
        source="Grafana documentation, plugin signatures",
        confirmed_by=_OPTION,
        needs=("--env=GF_PLUGINS_ALLOW_LOADING_UNSIGNED_PLUGINS={plugin}",),
    ),
    Failure(
        name="zabbix-server-version",
        mark="due to unsupported",
        pattern=r"Unable to start Zabbix (?P<part>\w{1,10}) due to unsupported (?P<server>\w{1,20}) database version"
        r" \((?P<found>[\d.]{1,20})",
        cause="this release of Zabbix does not know {server} {found}",
        cure="run the {server} that the release's requirements list, or let it try with "
        "--env=ZBX_ALLOWUNSUPPORTEDDBVERSIONS=1",
        source="Zabbix documentation, requirements",
        turns_away=True,
        confirmed_by=_OPTION,
        needs=("--env=ZBX_ALLOWUNSUPPORTEDDBVERSIONS=1",),
    ),
    Failure(
        name="zabbix-schema",
        mark="does not match current requirements",
        pattern=r"database version does not match current requirements: your database version \(mandatory/optional\): "
        r"(?P<data>\d{4,10}).{0,30}\. Required mandatory version: (?P<own>\d{4,10})",
        cause="Zabbix's database has the schema {data}, and this release needs {own}: server, proxy and database are of "
        "different releases, or an upgrade was broken off",
        cure="run the server image of the release that the database has, or let the newer server alone upgrade it first",
        source="Zabbix documentation, upgrade",
        turns_away=True,
        look="builds",
    ),
    Failure(
        name="zabbix-agent",
        mark="zabbix agent item",
        pattern=r"Zabbix agent item \"[^\"\n]{1,200}\" on host \"(?P<host>[^\"\n]{1,120})\" failed: (?:first|another) network error",
        cause="the agent of the Zabbix host {host} does not answer: the host entry still has 127.0.0.1, which is the "
        "server's own container, or the agent lets this server not in",
        cure="give that host the name of the agent's container as its interface, and set ZBX_SERVER_HOST of the agent to "
        "the server's name",
        source="zabbix/zabbix-docker's documentation",
        turns_away=True,
    ),
    Failure(
        name="zabbix-waits",
        mark="server is not available. waiting",
        pattern=r"\*{4} (?P<server>\w{1,20}) server is not available\. Waiting \d",
        cause="the start script waits for its {server}, which does not answer at the address of its variables",
        cure="see whether that server runs and is on the same network, and compare DB_SERVER_HOST and DB_SERVER_PORT with "
        "it",
        source="zabbix/zabbix-docker, docker-entrypoint.sh",
        may_pass=True,
        look="database",
    ),
    Failure(
        name="beats-server-older",
        mark="elasticsearch is too old",
        pattern=r"\bElasticsearch is too old\. Please upgrade the instance",
        cause="the Elasticsearch that the program sends to is older than the program, which refuses that",
        cure="run the program's release of that Elasticsearch, or set output.elasticsearch.allow_older_versions: true",
        source="Elastic Beats' own message",
        turns_away=True,
        look="builds",
    ),
    Failure(
        name="security-index-absent",
        mark="run securityadmin",
        pattern=r"Not yet initialized \(you may need to run securityadmin\)",
        cause="OpenSearch refuses every client: its index with users and roles was not made yet, as the cluster has no manager "
        "yet, or the demo set-up was switched off",
        cure="wait until the cluster has formed; where it has, run securityadmin.sh in its container once with the admin "
        "certificate",
        source="OpenSearch documentation, security admin",
        turns_away=True,
    ),
    Failure(
        name="datadog-host-name",
        mark="unable to reliably determine the host name",
        pattern=r"unable to reliably determine the host name",
        cause="the Datadog agent finds no name of its host, without which it sends nothing",
        cure="set DD_HOSTNAME, or mount the engine's socket, from which it takes the name",
        source="Datadog documentation, agent in containers",
        turns_away=True,
    ),
    Failure(
        name="cadvisor-layers",
        mark="failed to identify the read-write layer id",
        pattern=r"failed to identify the read-write layer ID for container",
        cause="cAdvisor looks for the layers of Docker's own store, which this engine does not have (containerd's image store, "
        "from 29 on by default) or which is not mounted below /rootfs",
        cure="take a release of cAdvisor that knows containerd's store, or mount / at /rootfs and the data root read-only",
        source="cAdvisor's own message",
        turns_away=True,
        build="newer",
        look="builds",
    ),
    Failure(
        name="option-one-of",
        mark="should be non-empty",
        pattern=r"At least one of (?P<option>--[a-z][\w-]{1,40}) or [^\n]{1,120} should be non-empty",
        cause="the program is given no configuration: its command lacks {option} or one that stands for it",
        cure="mount the file, and name it with {option}; a command of your own replaces the one of the image",
        source="Envoy's own message",
    ),
)
"""In the order in which a line is compared with them."""
