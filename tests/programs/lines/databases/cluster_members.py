"""Lines of real logs for the rows of `diagnose/programs/failures/databases/cluster_members.py`."""

from __future__ import annotations

LINES = {
    "zookeeper-folder": "Unable to access datadir, exiting abnormally",
    "zookeeper-settings": "Invalid config, exiting abnormally",
    "etcd-lost-data": "tocommit(138789) is out of range [lastIndex(0)]. Was the raft log corrupted, truncated, or lost?",
    "etcd-bootstrapped": "etcdmain: member 9b3523b532ddb797 has already been bootstrapped",
    "galera-bootstrap": "[ERROR] WSREP: It may not be safe to bootstrap the cluster from this node. It was not the last one to leave the cluster",
    "patroni-cluster": "CRITICAL: system ID mismatch, node pg1 belongs to a different cluster: 7198300000000000001 != 7201400000000000002",
    "hdfs-cluster-id": "java.io.IOException: Incompatible clusterIDs in /hadoop/dfs/data: namenode clusterID = CID-0a1b; datanode clusterID = CID-9f8e",
    "no-leader": '[ERROR] agent.anti_entropy: failed to sync remote state: error="No cluster leader"',
    "no-master": "master not discovered yet, this node has not previously joined a bootstrapped cluster, and this node must discover master-eligible nodes",
    "ring-too-small": 'level=error caller=ratestore.go:109 msg="error getting ingester clients" err="too many unhealthy instances in the ring"',
    "kafka-replication": "[KafkaApi-1] Number of alive brokers '1' does not meet the required replication factor '3' for the offsets topic (configured via",
    "mysql-source-log": "[ERROR] [MY-013114] [Repl] Replica I/O for channel '': Got fatal error 1236 from source when reading data from binary log: 'Could not find first log file name in binary log index file'",
    "rabbit-forgotten": 'Error: {inconsistent_cluster,"Node rabbit@mq0 thinks it\'s clustered with node rabbit@mq2, but rabbit@mq2 disagrees"}',
    "cassandra-place": "Cannot start node if snitch's data center (dc1) differs from previous data center (datacenter1). Please fix the snitch configuration",
    "replica-set-host": "Locally stored replica set configuration does not have a valid entry for the current node; waiting for reconfig or remote heartbeat",
    "mysql-group-ahead": "[ERROR] [MY-011526] [Repl] Plugin group_replication reported: 'This member has more executed transactions than those present in the group.'",
    "hdfs-unformatted": "java.io.IOException: NameNode is not formatted.",
    "etcd-name-absent": (
        '{"level":"fatal","caller":"etcdmain/etcd.go:204","msg":"discovery failed","error":"couldn\'t find local name '
        '\\"node1\\" in the initial cluster configuration"}'
    ),
    "etcd-space": '{"level":"error","msg":"etcdserver: mvcc: database space exceeded"}',
    "cockroach-certificates": (
        "failed to start server: problem using security settings: no certificates found; does certs dir exist?"
    ),
    "cockroach-init": "* Node will now attempt to join a running cluster, or wait for `cockroach init`.",
    "couchdb-system": (
        '{database_does_not_exist,[{mem3_shards,load_shards_from_db,"_users",[{file,"src/mem3_shards.erl"},{line,430}]}'
    ),
}
