"""Stacks that watch and record: Prometheus with exporters, and Elasticsearch with shippers."""

from __future__ import annotations

from tests.lab import Box, healthy
from tests.lab.scenarios.production.helpers import calm_for_others, stand_in, up, wait_lines

_PROMETHEUS_START = """
level=INFO source=main.go:601 msg="No time or size retention was set so using the default time retention" duration=15d
level=INFO source=main.go:645 msg="Starting Prometheus Server" mode=server version="(version=2.54.1)"
level=INFO source=web.go:571 component=web msg="Start listening for connections" address=0.0.0.0:9090
level=WARN source=scrape.go:1717 component="scrape manager" scrape_pool=nodeexporter target=http://nodeexporter:9100/metrics msg="Error on ingesting out-of-order samples" num_dropped=3
level=INFO source=main.go:1230 msg="Server is ready to receive web requests."
"""
_GRAFANA_AGAIN = """
logger=context userId=0 orgId=0 uname= level=info msg="Request Completed" method=GET path=/api/live/ws status=401 remote_addr=203.0.113.9 duration=201us
logger=tsdb.prometheus level=error msg="Range query failed" query=up err="client_error: 400 bad_data: parse error"
logger=cleanup level=info msg="Completed cleanup jobs" duration=4.1ms
"""
_CADVISOR_START = """
W1110 06:25:24.119 1 machine_libipmctl.go:64] There are no NVM devices!
E1110 06:25:24.120 1 info.go:109] Failed to get system UUID: open /etc/machine-id: no such file or directory
W1110 06:25:24.300 1 manager.go:159] Cannot detect current cgroup on cgroup v2
W1110 06:25:24.301 1 fs.go:216] stat failed on /dev/mapper/vg-root with error: no such file or directory
"""
_DOCKPROM = """
services:
  prometheus:
    image: prom/prometheus:v2.54.1
    container_name: prometheus
    command: [/usr/local/bin/prometheus, --config.file=/etc/prometheus/prometheus.yml, --storage.tsdb.path=/prometheus, --web.enable-lifecycle]
    volumes: ["./prometheus:/etc/prometheus", "prometheus_data:/prometheus"]
    restart: unless-stopped
    expose: ["9090"]
    networks: [monitor-net]
  alertmanager:
    image: prom/alertmanager:v0.27.0
    container_name: alertmanager
    command: [/usr/local/bin/alertmanager, --config.file=/etc/alertmanager/config.yml, --storage.path=/alertmanager]
    volumes: ["./alertmanager:/etc/alertmanager"]
    restart: unless-stopped
    expose: ["9093"]
    networks: [monitor-net]
  nodeexporter:
    image: prom/node-exporter:v1.8.2
    container_name: nodeexporter
    volumes: ["/proc:/host/proc:ro", "/sys:/host/sys:ro", "/:/rootfs:ro"]
    command: [/usr/local/bin/node_exporter, --path.procfs=/host/proc, --path.rootfs=/rootfs, --path.sysfs=/host/sys]
    restart: unless-stopped
    expose: ["9100"]
    networks: [monitor-net]
  cadvisor:
    image: gcr.io/cadvisor/cadvisor:v0.49.1
    container_name: cadvisor
    devices: ["/dev/null:/dev/kmsg"]
    volumes: ["/:/rootfs:ro", "/var/run:/var/run:ro", "/sys:/sys:ro", "/var/lib/docker/:/var/lib/docker:ro", "/dev/disk/:/dev/disk:ro"]
    restart: unless-stopped
    expose: ["8080"]
    networks: [monitor-net]
  grafana:
    image: grafana/grafana:11.2.0
    container_name: grafana
    user: "472:0"
    volumes: ["grafana_data:/var/lib/grafana", "./grafana/provisioning:/etc/grafana/provisioning"]
    environment: {GF_SECURITY_ADMIN_USER: admin, GF_SECURITY_ADMIN_PASSWORD: made-up, GF_USERS_ALLOW_SIGN_UP: "false"}
    restart: unless-stopped
    expose: ["3000"]
    networks: [monitor-net]
  pushgateway:
    image: prom/pushgateway:v1.9.0
    container_name: pushgateway
    restart: unless-stopped
    expose: ["9091"]
    networks: [monitor-net]
  caddy:
    image: caddy:2.8.4
    container_name: caddy
    ports: ["3000:3000", "9090:9090", "9093:9093", "9091:9091"]
    volumes: ["./caddy:/etc/caddy"]
    restart: unless-stopped
    networks: [monitor-net]
networks: {monitor-net: {driver: bridge}}
volumes: {prometheus_data: {}, grafana_data: {}}
"""
_SCRAPES = """global: {scrape_interval: 15s}
rule_files: ["alert.rules"]
scrape_configs:
  - job_name: nodeexporter
    static_configs: [{targets: ["nodeexporter:9100"]}]
  - job_name: cadvisor
    static_configs: [{targets: ["cadvisor:8080"]}]
  - job_name: prometheus
    static_configs: [{targets: ["localhost:9090"]}]
  - job_name: pushgateway
    honor_labels: true
    static_configs: [{targets: ["pushgateway:9091"]}]
alerting: {alertmanagers: [{scheme: http, static_configs: [{targets: ["alertmanager:9093"]}]}]}
"""


@healthy()
def prometheus_and_exporters(box: Box) -> None:
    """The stack of dockprom: exporters that read the whole host, and Grafana as its own user."""
    stand_in(box, "prom/prometheus:v2.54.1", "prometheus", "EXPOSE 9090", web=(9090,), first=_PROMETHEUS_START)  # fmt: skip
    stand_in(box, "prom/alertmanager:v0.27.0", "alertmanager", "EXPOSE 9093", web=(9093,))
    stand_in(
        box, "prom/node-exporter:v1.8.2", "node_exporter", "EXPOSE 9100", web=(9100,),
        first='level=error msg="collector failed" name=rapl err="open /host/sys/class/powercap: permission denied"',
    )  # fmt: skip
    stand_in(box, "gcr.io/cadvisor/cadvisor:v0.49.1", "cadvisor", "EXPOSE 8080", web=(8080,), first=_CADVISOR_START)  # fmt: skip
    stand_in(box, "grafana/grafana:11.2.0", "grafana", "EXPOSE 3000", web=(3000,), again=_GRAFANA_AGAIN)  # fmt: skip
    stand_in(box, "prom/pushgateway:v1.9.0", "pushgateway", "EXPOSE 9091", web=(9091,))
    stand_in(box, "caddy:2.8.4", "caddy", web=(3000, 9090, 9091, 9093))
    box.write("/opt/watch/prometheus/prometheus.yml", _SCRAPES)
    box.write("/opt/watch/prometheus/alert.rules", "groups: []\n")
    box.write("/opt/watch/alertmanager/config.yml", "route: {receiver: none}\nreceivers: [{name: none}]\n")  # fmt: skip
    box.write("/opt/watch/caddy/Caddyfile", ":3000 {\n  reverse_proxy grafana:3000\n}\n")
    box.sh("mkdir -p /opt/watch/grafana/provisioning /dev/disk")
    up(box, "watch", _DOCKPROM)
    wait_lines(box, "grafana", lines=20)
    calm_for_others(box)


_ELASTIC_START = """
{"log.level": "INFO", "message":"version[8.15.1], pid[7], build[docker/253e8544]", "service.name":"ES_ECS"}
{"log.level": "WARN", "message":"[gc][young][6] overhead, spent [251ms] collecting in the last [1s]", "service.name":"ES_ECS"}
{"log.level": "INFO", "message":"started {elasticsearch}", "service.name":"ES_ECS"}
"""
_KIBANA_START = """
[INFO ][root] Kibana is starting
[ERROR][elasticsearch-service] Unable to retrieve version information from Elasticsearch nodes. connect ECONNREFUSED 172.24.0.2:9200
[WARN ][plugins.reporting.config] Found 'server.host: "0.0.0.0"' in Kibana configuration. Reporting is not able to use this as the Kibana server hostname.
[INFO ][status] Kibana is now available
"""
_LOGSTASH_START = """
[WARN ][logstash.outputs.elasticsearch][main] Attempted to resurrect connection to dead ES instance, but got an error {:url=>"http://elasticsearch:9200/", :message=>"Elasticsearch Unreachable: [http://elasticsearch:9200/][Manticore::SocketException] Connect to elasticsearch:9200 failed: Connection refused"}
[WARN ][logstash.outputs.elasticsearch][main] Restored connection to ES instance {:url=>"http://elasticsearch:9200/"}
[INFO ][logstash.javapipeline    ][main] Pipeline started {"pipeline.id"=>"main"}
"""
_CHATTY = """
2026-11-10 06:25:24,119 ERROR [http-nio-8080-exec-7] c.s.OrderService - order 4711 rejected: ValidationException: field zip is empty
java.lang.IllegalStateException: ValidationException: field zip is empty
\tat com.shop.OrderService.check(OrderService.java:88)
\tat com.shop.OrderController.post(OrderController.java:41)
Caused by: java.util.NoSuchElementException: No value present
2026-11-10 06:25:24,120 WARN  [http-nio-8080-exec-7] o.s.w.s.m.s.DefaultHandlerExceptionResolver - Resolved [HttpMessageNotReadableException: JSON parse error]
2026-11-10 06:25:24,221 INFO  [http-nio-8080-exec-9] c.s.OrderService - order 4712 placed in 31 ms
2026-11-10 06:25:24,341 INFO  [http-nio-8080-exec-2] c.s.OrderService - order 4713 placed in 28 ms
"""
_ELK = """
services:
  setup:
    image: elastic-setup:8.15.1
    command: [sh, -c, 'echo "[+] Setup: waiting for availability of Elasticsearch"; sleep 1; echo "[x] User kibana_system: already exists, skipped"; exit 0']
    environment: {ELASTIC_PASSWORD: made-up}
    networks: [elk]
    depends_on: [elasticsearch]
  elasticsearch:
    image: docker.elastic.co/elasticsearch/elasticsearch:8.15.1
    volumes: ["./elasticsearch.yml:/usr/share/elasticsearch/config/elasticsearch.yml:ro,Z", "elasticsearch:/usr/share/elasticsearch/data:Z"]
    ports: ["9200:9200", "9300:9300"]
    environment: {node.name: elasticsearch, ES_JAVA_OPTS: -Xms128m -Xmx128m, ELASTIC_PASSWORD: made-up, discovery.type: single-node}
    networks: [elk]
    restart: unless-stopped
  logstash:
    image: docker.elastic.co/logstash/logstash:8.15.1
    ports: ["5044:5044", "50000:50000/tcp", "50000:50000/udp", "9600:9600"]
    environment: {LS_JAVA_OPTS: -Xms64m -Xmx64m, LOGSTASH_INTERNAL_PASSWORD: made-up}
    networks: [elk]
    depends_on: [elasticsearch]
    restart: unless-stopped
  kibana:
    image: docker.elastic.co/kibana/kibana:8.15.1
    ports: ["5601:5601"]
    environment: {ELASTICSEARCH_HOSTS: "http://elasticsearch:9200"}
    networks: [elk]
    depends_on: [elasticsearch]
    restart: unless-stopped
  filebeat:
    image: docker.elastic.co/beats/filebeat:8.15.1
    user: root
    command: [/usr/local/bin/filebeat, -e, --strict.perms=false]
    volumes: ["/var/lib/docker/containers:/var/lib/docker/containers:ro", "/var/run/docker.sock:/var/run/docker.sock:ro"]
    networks: [elk]
    restart: unless-stopped
  shop:
    image: shop-api:3
    networks: [elk]
    restart: unless-stopped
networks: {elk: {driver: bridge}}
volumes: {elasticsearch: {}}
"""


@healthy()
def elasticsearch_and_shippers(box: Box) -> None:
    """The stack of docker-elk beside a shop that writes ERROR with stacks for each order that it
    rejects; Kibana and Logstash called Elasticsearch before it was up."""
    elastic = "docker.elastic.co/"
    stand_in(box, f"{elastic}elasticsearch/elasticsearch:8.15.1", "elasticsearch", "EXPOSE 9200 9300", web=(9200,), tcp=(9300,), first=_ELASTIC_START)  # fmt: skip
    stand_in(box, f"{elastic}logstash/logstash:8.15.1", "logstash", "EXPOSE 5044 9600", web=(9600,), tcp=(5044, 50000), first=_LOGSTASH_START)  # fmt: skip
    stand_in(box, f"{elastic}kibana/kibana:8.15.1", "kibana", "EXPOSE 5601", web=(5601,), first=_KIBANA_START)  # fmt: skip
    stand_in(box, f"{elastic}beats/filebeat:8.15.1", "filebeat", again='{"log.level":"info","message":"Non-zero metrics in the last 30s"}')  # fmt: skip
    stand_in(box, "shop-api:3", "java", "EXPOSE 8080", web=(8080,), again=_CHATTY)
    stand_in(box, "elastic-setup:8.15.1", "setup")
    box.write("/opt/elk/elasticsearch.yml", "cluster.name: docker-cluster\nnetwork.host: 0.0.0.0\n")
    up(box, "elk", _ELK)
    box.wait_state("elk-setup-1", "exited")
    wait_lines(box, "elk-shop-1", lines=40)
    calm_for_others(box)
