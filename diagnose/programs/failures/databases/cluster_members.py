"""Members of clusters: of another cluster, without their data, or too few of them."""

from diagnose.programs.failures.recognition import Failure
from diagnose.programs.failures.remedies import Assigned, Replaced

CLUSTER_MEMBERS = (
    Failure(
        name="etcd-lost-data",
        mark="tocommit",
        pattern=r"tocommit\(\d+\) is out of range \[lastIndex\(\d+\)\]",
        cause="this member of etcd's cluster has lost its data: the others still count it as the "
        "one that had them, and etcd exits because of that",
        cure="remove the member from the cluster (etcdctl member remove), add it again, and start it with "
        "an empty data folder and --initial-cluster-state=existing",
        source="etcd-io/etcd#3504",
        look="data",
    ),
    Failure(
        name="etcd-bootstrapped",
        mark="already been bootstrapped",
        pattern=r"member (?P<member>[0-9a-f]{8,16}) has already been bootstrapped",
        cause="etcd's cluster knows this member already, and its data folder is empty: the data "
        "were lost, or it is a different volume",
        cure="give it its old volume; otherwise remove the member from the cluster, add it again, and start "
        "it with --initial-cluster-state=existing",
        source="etcd-io/etcd#2780",
        look="data",
    ),
    Failure(
        name="galera-bootstrap",
        mark="safe to bootstrap",
        pattern=r"It may not be safe to bootstrap the cluster from this node",
        cause="the nodes of the Galera cluster were not stopped one after the other, and this one does not "
        "know that it has the last changes",
        cure="compare seqno in grastate.dat of all nodes; on the one with the highest number set "
        "safe_to_bootstrap to 1, and start that one first",
        source="bitnami/charts#1395",
        look="data",
    ),
    Failure(
        name="patroni-cluster",
        mark="system id mismatch",
        pattern=r"system ID mismatch, node (?P<node>\S+) belongs to a different cluster",
        cause="the data of node {node} belong to another cluster than the one that Patroni's store knows "
        "under this scope",
        cure="give it another scope, or empty its data folder so that it copies those of the leader; where "
        "the store is the old one, remove the scope there (patronictl remove)",
        source="Patroni's own message",
        turns_away=True,
        look="data",
    ),
    Failure(
        name="hdfs-cluster-id",
        mark="incompatible clusterids",
        pattern=r"Incompatible clusterIDs in (?P<path>/[^\s:]+): namenode clusterID = (?P<program>[\w-]+); "
        r"datanode clusterID = (?P<data>[\w-]+)",
        cause="the datanode's folder {path} belongs to the cluster {data}, and the namenode is of {program}: "
        "the namenode was formatted again, or its volume was lost",
        cure="give the namenode its old volume; if its data are lost, empty {path} of the datanode",
        source="big-data-europe/docker-hadoop#98",
    ),
    Failure(
        name="no-leader",
        mark="leader",
        pattern=r"""(?x)
              \b(?:error="?|rpc\ error:\ |500\ \()?No\ cluster\ leader\b
            | \bno\ known\ leader\b
            | \bMulti-node\ with\ no\ leader\b
            | \bno\ (?:raft\ )?leader\ (?:has\ been\ )?elected\b
            | \bcluster\ (?:has|have)\ no\ (?:elected\ )?leader\b
            | \braft:\ no\ leader\b
        """,
        cause="the nodes of its cluster have no leader: fewer of them run than its settings count, "
        "they do not reach each other, or they know each other by addresses that have changed",
        cure="start the other nodes; where it should be a single one, say so in its settings, "
        "such as -bootstrap-expect=1 for Consul",
        source="Consul's and Typesense's own messages",
        turns_away=True,
    ),
    Failure(
        name="no-master",
        mark=("master not discovered", "master_not_discovered"),
        pattern=r"\bmaster not discovered (?:yet|or elected yet)\b|\bmaster_not_discovered_exception\b",
        cause="the node has found no other node with which it could elect a master, so that it answers no "
        "request",
        cure="for a single node set discovery.type=single-node; otherwise start the nodes that "
        "cluster.initial_master_nodes and discovery.seed_hosts name",
        source="Elasticsearch's own message",
        turns_away=True,
    ),
    Failure(
        name="ring-too-small",
        mark="",
        pattern=r"\btoo many unhealthy instances in the ring\b"
        r"|\bat least \d+ live replicas required, could only find \d+",
        cause="fewer instances of it run than its replication factor asks for, or old ones are still in its "
        "ring",
        cure="set replication_factor to 1 for a single instance; forget instances that are gone on its "
        "page /ring",
        source="Loki's, Mimir's and Tempo's own messages",
        turns_away=True,
    ),
    Failure(
        name="kafka-replication",
        mark="replication factor",
        pattern=r"alive brokers '(?P<alive>\d+)' does not meet the required replication factor '(?P<asked>\d+)' "
        r"for the (?P<topic>offsets|transaction state)"
        r"|Replication factor: (?P<asked_admin>\d+) larger than available brokers: (?P<alive_admin>\d+)",
        cause="Kafka is configured to keep {asked} copies of a topic, and only {alive} broker "
        "runs: no consumer group works until the topic is there",
        cure="set KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR and KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR "
        "to {alive}, or start the other brokers",
        source="Kafka's own message",
        turns_away=True,
        remedy=Assigned(
            (
                "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR",
                "KAFKA_CFG_OFFSETS_TOPIC_REPLICATION_FACTOR",
            ),
            "{alive}",
        ),
    ),
    Failure(
        name="rabbit-forgotten",
        mark="thinks it's clustered with",
        pattern=r"Node (?P<node>[\w@.-]+) thinks it's clustered with node (?P<other>[\w@.-]+), but (?P=other) disagrees",
        cause="{other} no longer counts {node} among the nodes of its RabbitMQ cluster, and the data of {node} still say so: "
        "one of them was reset, or has lost its data",
        cure="on the node that does not start begin with an empty data folder (rabbitmqctl reset), and let it join the cluster "
        "again",
        source="docker-library/rabbitmq#172",
    ),
    Failure(
        name="cassandra-place",
        mark="differs from previous",
        pattern=r"snitch's (?P<kind>data ?center|rack) \((?P<program>[\w-]+)\) differs from previous (?:data ?center|rack) "
        r"\((?P<data>[\w-]+)\)",
        cause="the data of this node were made in the {kind} {data}, and its settings say {program}",
        cure="set CASSANDRA_DC or CASSANDRA_RACK to {data}",
        source="Cassandra's own message",
        remedy=Replaced("{program}", "{data}"),
    ),
    Failure(
        name="replica-set-host",
        mark="",
        pattern=r"\bdoes not have a valid entry for the current node\b"
        r"|No host described in new configuration .{0,120}maps to this node",
        cause="the configuration of the MongoDB replica set names other hosts than this one: the container had another name or "
        "address when the set was made, or its data come from elsewhere",
        cure="give it the previous host name (--hostname, or the service's name); otherwise run "
        "rs.reconfig with force and the new name in mongosh",
        source="MongoDB manual, replica set configuration",
        turns_away=True,
    ),
    Failure(
        name="mysql-group-ahead",
        mark="present in the group",
        pattern=r"more executed transactions than those present in the group|contains transactions not present in the group",
        cause="this member of the MySQL group has changes that the group has not, as after a failover or a write to it alone, "
        "so that the group does not take it in",
        cure="keep a copy of those changes, then let it copy the group's data again (CLONE INSTANCE, or an empty data folder)",
        source="MySQL manual, group replication",
        turns_away=True,
        look="database",
    ),
    Failure(
        name="hdfs-unformatted",
        mark="is not formatted",
        pattern=r"\bNameNode is not formatted\b",
        cause="the namenode of HDFS has an empty folder: it was never formatted, or its volume is another one",
        cure="give it its old volume; for a new cluster run hdfs namenode -format once in its image",
        source="HDFS' own message",
        look="data",
    ),
    Failure(
        name="mysql-source-log",
        mark="fatal error 1236",
        pattern=r"Got fatal error 1236 from (?:source|master) when reading data from binary log.{0,80}(?:Could not find first log|purged|impossible position)",
        cause="the replica asks its source for a part of the binary log that is no longer there, so that "
        "it stands still",
        cure="copy the source's data to the replica again, and let it begin at the position of that copy; keep "
        "the log longer with binlog_expire_logs_seconds",
        source="MySQL manual, replication problems",
        turns_away=True,
        look="database",
    ),
    Failure(
        name="etcd-name-absent",
        mark="in the initial cluster configuration",
        pattern=r"couldn't find local name \\?\"(?P<name>[\w.-]{1,80})\\?\" in the initial cluster configuration",
        cause="etcd's own name is {name}, and its list of members (initial-cluster) does not "
        "have that name",
        cure="write the same name into both: --name {name} and {name}=http://HOST:2380 in --initial-cluster (ETCD_NAME, "
        "ETCD_INITIAL_CLUSTER)",
        source="etcd's own message",
    ),
    Failure(
        name="etcd-space",
        mark="database space exceeded",
        pattern=r"\bmvcc: database space exceeded",
        cause="etcd accepts no more writes: its database has reached its quota (2 GiB by default)",
        cure="in its container run etcdctl compact with the newest revision, etcdctl defrag and etcdctl alarm disarm; then "
        "let it compact by itself (--auto-compaction-retention=1) or raise --quota-backend-bytes",
        source="etcd documentation, maintenance",
        turns_away=True,
    ),
    Failure(
        name="cockroach-certificates",
        mark="no certificates found; does certs dir exist",
        pattern=r"no certificates found; does certs dir exist",
        cause="CockroachDB serves only over TLS unless an option says otherwise, and finds no certificates",
        cure="mount them and name their folder with --certs-dir; for tests start it with --insecure",
        source="CockroachDB documentation, cockroach start",
    ),
    Failure(
        name="cockroach-init",
        mark="wait for `cockroach init`",
        pattern=r"or wait for `cockroach init`",
        cause="the cluster of CockroachDB was not initialised, and its nodes serve no requests "
        "until it is",
        cure="run cockroach init once in one of the nodes, with --insecure or --certs-dir as the nodes have it",
        source="CockroachDB documentation, cockroach init",
        turns_away=True,
    ),
    Failure(
        name="couchdb-system",
        mark="database_does_not_exist",
        pattern=r"database_does_not_exist,\[\{mem3_shards,load_shards_from_db,\"(?P<database>_\w{1,40})\"",
        cause="CouchDB lacks its own database {database}: the set-up of a single node or of the "
        "cluster was not finished",
        cure="finish it once on its page /_utils (Setup), or PUT _users, _replicator and _global_changes",
        source="CouchDB documentation, single node setup",
        turns_away=True,
    ),
    Failure(
        name="zookeeper-settings",
        mark="exiting abnormally",
        pattern=r"^Invalid config, exiting abnormally|\bInvalid config, exiting abnormally$",
        cause="ZooKeeper does not take its zoo.cfg: a value is not a number, or its data folder lacks the file myid with the "
        "number of this server",
        cure="write the number of its server line into myid of dataDir (ZOO_MY_ID in the official image), and compare the "
        "values of zoo.cfg",
        source="ZooKeeper's own message",
        goes_on=True,
    ),
    Failure(
        name="zookeeper-folder",
        mark="unable to access datadir",
        pattern=r"\bUnable to access datadir\b",
        cause="ZooKeeper may not use its data folder (dataDir in zoo.cfg)",
        cure="give that folder, and what is in it, to the user that ZooKeeper runs as, with chown",
        source="ZooKeeper's own message",
        follows=True,
        look="mounts",
    ),
)
