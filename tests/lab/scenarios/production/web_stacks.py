"""Web servers and proxies in front of applications."""

from __future__ import annotations

from tests.lab import Box, healthy
from tests.lab.programs import load_server
from tests.lab.scenarios.production.helpers import calm_for_others, stand_in, up, wait_lines
from tests.lab.scenarios.real_servers import NGINX

_TRAEFIK_START = """
INF Traefik version 3.1.4 built on 2024-09-19T13:47:15Z version=3.1.4
INF Stats collection is disabled.
INF Starting provider aggregator aggregator.ProviderAggregator
INF Starting provider *docker.Provider
INF Starting provider *acme.ChallengeTLSALPN
WRN No domain found in rule HostRegexp(`.+`), the TLS options applied for this router will depend on the SNI of each request entryPointName=websecure routerName=catchall@docker
"""
_TRAEFIK_AGAIN = """
DBG http: TLS handshake error from 203.0.113.77:51914: EOF
DBG Serving default certificate for request: ""
203.0.113.9 - - [10/Nov/2026:06:25:24 +0000] "GET /.env HTTP/1.1" 404 19 "-" "-" 4711 "-" "-" 0ms
203.0.113.9 - - [10/Nov/2026:06:25:24 +0000] "GET /api/v1/repos/search HTTP/1.1" 200 5120 "-" "-" 4712 "gitea@docker" "http://172.20.0.4:3000" 14ms
203.0.113.9 - - [10/Nov/2026:06:25:25 +0000] "GET /user/login HTTP/1.1" 499 21 "-" "-" 4713 "gitea@docker" "http://172.20.0.4:3000" 3ms
"""
_GITEA_AGAIN = """
[I] router: completed GET /api/healthz for 127.0.0.1:0, 200 OK in 1.3ms @ healthcheck/check.go:67(healthcheck.Check)
[W] Failed authentication attempt for admin from 203.0.113.9:0: user does not exist [uid: 0, name: admin]
[E] [Error SSH: Failed to parse public key: ssh: no key found]
"""
_POSTGRES_START = """
PostgreSQL Database directory appears to contain a database; Skipping initialization
LOG:  starting PostgreSQL 16.4 (Debian 16.4-1.pgdg120+2) on x86_64-pc-linux-gnu
LOG:  listening on IPv4 address "0.0.0.0", port 5432
LOG:  database system was shut down at 2026-11-10 06:00:01 UTC
LOG:  database system is ready to accept connections
"""
_POSTGRES_AGAIN = """
LOG:  checkpoint starting: time
LOG:  checkpoint complete: wrote 44 buffers (0.3%); 0 WAL file(s) added, 0 removed, 0 recycled
ERROR:  duplicate key value violates unique constraint "UQE_session_key"
DETAIL:  Key (key)=(c41f) already exists.
STATEMENT:  INSERT INTO "session" VALUES ($1,$2,$3)
LOG:  could not receive data from client: Connection reset by peer
FATAL:  role "root" does not exist
LOG:  invalid length of startup packet
"""
_TRAEFIK = """
services:
  traefik:
    image: traefik:v3.1
    container_name: traefik
    restart: unless-stopped
    security_opt: [no-new-privileges:true]
    command: ["/usr/local/bin/traefik", "--providers.docker=true", "--providers.docker.exposedbydefault=false",
      "--providers.docker.network=proxy", "--entrypoints.web.address=:80", "--entrypoints.websecure.address=:443",
      "--entrypoints.web.http.redirections.entrypoint.to=websecure", "--certificatesresolvers.le.acme.email=ops@lab.test",
      "--certificatesresolvers.le.acme.storage=/letsencrypt/acme.json", "--certificatesresolvers.le.acme.tlschallenge=true",
      "--accesslog=true"]
    ports: ["80:80", "443:443"]
    volumes: ["/var/run/docker.sock:/var/run/docker.sock:ro", "letsencrypt:/letsencrypt", "/etc/localtime:/etc/localtime:ro"]
    networks: [proxy]
  gitea:
    image: gitea/gitea:1.22
    restart: unless-stopped
    depends_on: {db: {condition: service_healthy}, cache: {condition: service_started}}
    environment: {USER_UID: "1000", USER_GID: "1000", GITEA__database__DB_TYPE: postgres, GITEA__database__HOST: "db:5432",
      GITEA__database__NAME: gitea, GITEA__database__USER: gitea, GITEA__database__PASSWD: made-up,
      GITEA__cache__HOST: "redis://cache:6379/0", GITEA__server__ROOT_URL: "https://git.lab.test/"}
    volumes: ["gitea:/data"]
    networks: [proxy, backend]
    labels:
      traefik.enable: "true"
      traefik.http.routers.gitea.rule: Host(`git.lab.test`)
      traefik.http.routers.gitea.entrypoints: websecure
      traefik.http.routers.gitea.tls.certresolver: le
      traefik.http.services.gitea.loadbalancer.server.port: "3000"
  whoami:
    image: traefik/whoami:v1.10
    restart: unless-stopped
    networks: [proxy]
    labels:
      traefik.enable: "true"
      traefik.http.routers.whoami.rule: Host(`whoami.lab.test`)
      traefik.http.routers.whoami.entrypoints: websecure
      traefik.http.routers.whoami.tls.certresolver: le
  db:
    image: postgres:16
    restart: unless-stopped
    environment: {POSTGRES_DB: gitea, POSTGRES_USER: gitea, POSTGRES_PASSWORD: made-up}
    healthcheck: {test: [CMD-SHELL, "nc -w 1 127.0.0.1 5432 </dev/null"], interval: 2s, timeout: 5s, retries: 5}
    volumes: ["db:/var/lib/postgresql/data"]
    networks: [backend]
  cache:
    image: redis:7.0
    restart: unless-stopped
    command: [redis-server, --save, "60", "1", --loglevel, warning]
    volumes: ["cache:/data"]
    networks: [backend]
volumes: {letsencrypt: {}, gitea: {}, db: {}, cache: {}}
networks:
  proxy: {name: proxy}
  backend: {internal: true}
"""


@healthy()
def traefik_before_gitea(box: Box) -> None:
    """Traefik with a resolver of certificates before Gitea, whose database stands on an internal
    network; scanners of the internet knock."""
    stand_in(box, "traefik:v3.1", "traefik", web=(80,), tcp=(443,), first=_TRAEFIK_START, again=_TRAEFIK_AGAIN)  # fmt: skip
    gitea = "[I] Starting Gitea on PID: 7\n[I] Listen: http://0.0.0.0:3000"
    stand_in(
        box, "gitea/gitea:1.22", "gitea", "EXPOSE 22 3000", web=(3000,), tcp=(22,), first=gitea,
        again=_GITEA_AGAIN,
    )  # fmt: skip
    stand_in(box, "traefik/whoami:v1.10", "whoami", "EXPOSE 80", web=(80,), first="Starting up on port 80")  # fmt: skip
    stand_in(
        box, "postgres:16", "postgres", "EXPOSE 5432", "VOLUME /var/lib/postgresql/data", tcp=(5432,),
        first=_POSTGRES_START, again=_POSTGRES_AGAIN,
    )  # fmt: skip
    load_server(box, "redis-server", "redis:7.0", "EXPOSE 6379", "VOLUME /data", "WORKDIR /data")
    up(box, "git", _TRAEFIK)
    wait_lines(box, "traefik", "git-gitea-1", "git-db-1", lines=20)
    calm_for_others(box)


_SITE = """
log_format main '$remote_addr "$request" $status';
server { listen 80 default_server; server_name blog.lab.test; root /var/www/html; index index.php index.html;
  location / { try_files $uri $uri/ /index.html; }
  location ~ \\.php$ { include /etc/nginx/fastcgi_params; fastcgi_pass php:9000;
    fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name; } }
"""
_FPM_START = """
NOTICE: fpm is running, pid 1
NOTICE: ready to handle connections
"""
_FPM_AGAIN = """
172.21.0.3 -  "GET /index.php" 200
WARNING: [pool www] child 31 said into stderr: "NOTICE: PHP message: PHP Warning:  Undefined array key "page" in /var/www/html/wp-content/themes/x/header.php on line 12"
172.21.0.3 -  "POST /xmlrpc.php" 403
NOTICE: [pool www] child 29 exited with code 0 after 4711.120011 seconds from start
NOTICE: [pool www] child 44 started
"""
_LEMP = """
services:
  nginx:
    image: nginx:1.27
    restart: always
    ports: ["80:80"]
    volumes: ["./nginx.conf:/etc/nginx/nginx.conf:ro", "./fastcgi_params:/etc/nginx/fastcgi_params:ro", "html:/var/www/html:ro"]
    command: [/usr/sbin/nginx, -c, /etc/nginx/nginx.conf]
    depends_on: [php]
  php:
    image: wordpress:6-php8.3-fpm
    restart: always
    environment: {WORDPRESS_DB_HOST: db, WORDPRESS_DB_USER: wp, WORDPRESS_DB_PASSWORD: made-up, WORDPRESS_DB_NAME: wp}
    volumes: ["html:/var/www/html"]
    depends_on: {db: {condition: service_healthy}}
  db:
    image: mariadb:10.11
    restart: always
    user: "1000:1000"
    command: [/usr/sbin/mariadbd, --datadir=/var/lib/mysql, --socket=/tmp/s, --innodb-buffer-pool-size=16M, --skip-grant-tables, --skip-networking=0]
    environment: {MARIADB_DATABASE: wp, MARIADB_USER: wp, MARIADB_PASSWORD: made-up, MARIADB_RANDOM_ROOT_PASSWORD: "1"}
    volumes: ["./db:/var/lib/mysql"]
    healthcheck: {test: [CMD-SHELL, "nc -w 1 127.0.0.1 3306 </dev/null"], interval: 2s, timeout: 5s, retries: 15}
volumes: {html: {}}
"""


@healthy()
def nginx_before_php_and_mariadb(box: Box) -> None:
    """WordPress by FastCGI behind a real nginx, with a real MariaDB."""
    load_server(box, "nginx", "nginx:1.27", "EXPOSE 80")
    load_server(box, "mariadb-server-core", "mariadb:10.11", "EXPOSE 3306")
    stand_in(
        box, "wordpress:6-php8.3-fpm", "php-fpm", "EXPOSE 9000", "VOLUME /var/www/html", tcp=(9000,),
        first=_FPM_START, again=_FPM_AGAIN,
    )  # fmt: skip
    box.write("/opt/blog/nginx.conf", NGINX % _SITE)
    box.write("/opt/blog/fastcgi_params", "fastcgi_param REQUEST_METHOD $request_method;\n")
    box.sh("mkdir -p /opt/blog/db && chown 1000:1000 /opt/blog/db")
    up(box, "blog", _LEMP)
    box.docker("exec", "blog-php-1", "sh", "-c", "echo hello >/var/www/html/index.html")
    box.wait_for(lambda: "hello" in box.sh("curl -s http://127.0.0.1/ || true"), what="the site")
    box.sh(
        "for path in wp-login .git/config nothing; do curl -s -o /dev/null http://127.0.0.1/$path; done"
    )
    calm_for_others(box)


_IMMICH = """
name: immich
services:
  immich-server:
    container_name: immich_server
    image: ghcr.io/immich-app/immich-server:release
    volumes: ["${UPLOAD_LOCATION}:/data", "/etc/localtime:/etc/localtime:ro"]
    env_file: [.env]
    ports: ["2283:2283"]
    depends_on: [redis, database]
    restart: always
    healthcheck: {disable: false}
  immich-machine-learning:
    container_name: immich_machine_learning
    image: ghcr.io/immich-app/immich-machine-learning:release
    volumes: ["model-cache:/cache"]
    env_file: [.env]
    restart: always
    healthcheck: {disable: false}
  redis:
    container_name: immich_redis
    image: docker.io/valkey/valkey:8-bookworm
    healthcheck: {test: "redis-cli ping || exit 1"}
    restart: always
  database:
    container_name: immich_postgres
    image: ghcr.io/immich-app/postgres:14-vectorchord0.4.3-pgvectors0.2.0
    environment: {POSTGRES_PASSWORD: "${DB_PASSWORD}", POSTGRES_USER: "${DB_USERNAME}", POSTGRES_DB: "${DB_DATABASE_NAME}",
      POSTGRES_INITDB_ARGS: "--data-checksums"}
    volumes: ["${DB_DATA_LOCATION}:/var/lib/postgresql/data"]
    shm_size: 128mb
    restart: always
volumes: {model-cache: {}}
"""
_IMMICH_ENV = """UPLOAD_LOCATION=./library
DB_DATA_LOCATION=./postgres
TZ=Etc/UTC
IMMICH_VERSION=release
DB_PASSWORD=postgres
DB_USERNAME=postgres
DB_DATABASE_NAME=immich
"""
_IMMICH_START = """
Initializing Immich v2.2.0
Detected CPU Cores: 2
Starting api worker
Starting microservices worker
ERROR [Microservices:DatabaseRepository] connect ECONNREFUSED 172.22.0.3:5432, retrying in 1 second
LOG [Microservices:WebsocketRepository] Initialized websocket server
LOG [Api:Bootstrap] Immich Server is listening on http://[::1]:2283 [v2.2.0] [production]
LOG [Api:MachineLearningRepository] Machine learning server became healthy (http://immich-machine-learning:3003).
"""
_IMMICH_AGAIN = """
LOG [Microservices:MetadataService] Reverse geocoding is ready
WARN [Microservices:MetadataService] Could not get exif for /data/upload/a/x.heic: unsupported
ERROR [Microservices:MediaService] Failed to generate thumbnail for asset 4b1: Input file contains unsupported image format
"""
_LEARNING_START = """
INFO     Starting gunicorn 23.0.0
INFO     Listening at: http://[::]:3003 (8)
INFO     Application startup complete.
"""


@healthy()
def immich(box: Box) -> None:
    """Immich as its documentation starts it; its server tried its database once too early."""
    health = "HEALTHCHECK --interval=3s --timeout=5s CMD nc -w 1 127.0.0.1 {} </dev/null"
    stand_in(
        box, "ghcr.io/immich-app/immich-server:release", "immich", "EXPOSE 2283", health.format(2283),
        web=(2283,), first=_IMMICH_START, again=_IMMICH_AGAIN,
    )  # fmt: skip
    stand_in(
        box, "ghcr.io/immich-app/immich-machine-learning:release", "gunicorn", health.format(3003),
        web=(3003,), first=_LEARNING_START,
    )  # fmt: skip
    stand_in(
        box, "ghcr.io/immich-app/postgres:14-vectorchord0.4.3-pgvectors0.2.0", "postgres",
        "EXPOSE 5432", tcp=(5432,), first=_POSTGRES_START, again=_POSTGRES_AGAIN,
    )  # fmt: skip
    load_server(box, "redis-server", "docker.io/valkey/valkey:8-bookworm", 'CMD ["redis-server"]', "EXPOSE 6379")  # fmt: skip
    box.write("/opt/immich/.env", _IMMICH_ENV)
    up(box, "immich", _IMMICH)
    box.wait_health("immich_server", "healthy")
    wait_lines(box, "immich_server", "immich_postgres", lines=20)
    calm_for_others(box)
