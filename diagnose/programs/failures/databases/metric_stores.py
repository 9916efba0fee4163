"""Known failures of Prometheus, Grafana, InfluxDB and ClickHouse: their data and their settings."""

from diagnose.programs.failures.recognition import Failure

METRIC_STORES = (
    Failure(
        name="prometheus-blocks",
        mark=("unsequential head chunk", "invalid block sequence"),
        pattern=r"found unsequential head chunk files|invalid block sequence: block time ranges overlap",
        cause="files of Prometheus' data do not fit together, as after two of it had the same folder, a full disk or a "
        "restored copy",
        cure="stop it, copy the data folder, and move the file or block away that the line names: the others stay",
        source="prometheus/prometheus#8450",
        look="data",
    ),
    Failure(
        name="grafana-folder",
        mark="folder with that name already exists",
        pattern=r"Failed to provision dashboards?:.{0,200}\bfolder with that name already exists",
        cause="two of Grafana's providers of dashboards name one folder, or a folder of that name exists already",
        cure="give each provider below provisioning/dashboards a folder (or folderUid) of its own",
        source="Poeschl/pixelflut-infrastructure#19",
    ),
    Failure(
        name="grafana-plugin-version",
        mark="requires grafana",
        pattern=r"\bplugin (?P<plugin>[\w-]{1,80}) requires Grafana (?P<version>[<>=^~]*\d[\w.]{0,20})",
        cause="the plugin {plugin} is made for Grafana {version}, and this one is a different one",
        cure="name a version of the plugin in GF_INSTALL_PLUGINS that fits, or run that Grafana",
        source="Grafana's own message",
        build="another",
    ),
    Failure(
        name="influx-locked",
        mark=": timeout",
        pattern=r"\bopen (?P<path>/\S{1,200}\.(?:bolt|boltdb|db)): timeout",
        cause="another program has {path} open, such as a second container with the same volume, or the "
        "share on which it lies grants no lock",
        cure="stop the other one, which lets the file go; from a network share move the file to a local disk",
        source="boltdb's own message",
        look="sharing",
    ),
    Failure(
        name="clickhouse-parts",
        mark="too many parts",
        pattern=r"Too many parts \((?P<count>\d{1,8})",
        cause="ClickHouse refuses more rows: a table has {count} parts, because they are written in too many small inserts or "
        "its merges do not keep up",
        cure="write many rows at once (or set async_insert=1); see in system.merges whether its merges wait for room on disk",
        source="ClickHouse documentation, too many parts",
        turns_away=True,
        look="database",
    ),
    Failure(
        name="clickhouse-read-only",
        mark="table_is_read_only",
        pattern=r"Table is in read-?only mode\b.{0,300}\(TABLE_IS_READ_ONLY\)",
        cause="a replicated table of ClickHouse accepts no rows: it has lost its ZooKeeper or "
        "Keeper, or finds nothing of itself there",
        cure="see that the Keeper runs; where its data were lost, run SYSTEM RESTORE REPLICA for the table",
        source="ClickHouse documentation, SYSTEM statements",
        turns_away=True,
        look="database",
    ),
)
