"""The rules for free text, in the order in which they run.

Each rule has a name, its signs, a function, and examples: what must go (between ‹ and ›) and what
must stay as it is. The examples are tests. A rule runs only on a text that holds one of its signs
in lower case; a rule without signs always runs. A sign costs the fiftieth part of a rule.

The order matters in three ways. Sure rules come before those that judge by looks. What has a shape
of its own is replaced before what stands under a name, so that the name keeps what is harmless
beside it. Rules of one notation come before `assigned`, which reads any.
"""

from collections.abc import Callable

import msgspec

from diagnose.redact import (
    assigned,
    commands,
    encoded,
    headers,
    keys,
    notations,
    prose,
    shell,
    tokens,
    urls,
)
from diagnose.redact.patterns import Mark, Scan

Function = Callable[[str, str, Mark, Scan], str]
"""Takes a text, the text in lower case as it was before the first rule, a mark and a scan; returns
the text without secrets."""


class RedactionRule(msgspec.Struct, frozen=True):
    """One row of the table."""

    name: str
    signs: tuple[str, ...]
    function: Function
    goes: tuple[str, ...]
    """Examples: what is between ‹ and › must go, and nothing else."""
    stays: tuple[str, ...]
    """Examples that look the same and must not change."""
    needs_name: bool = False
    """Whether the rule applies only to texts that hold a word that names secrets
    (`assigned.names_secrets`)."""


def _without_scan(function: Callable[[str, str, Mark], str]) -> Function:
    """A function that scans no text inside a text."""
    return lambda text, low, mark, _scan: function(text, low, mark)


def _shapes_and_encodings(text: str, _low: str, mark: Mark, scan: Scan) -> str:
    chunks = tokens.long_words(text)
    if not chunks:
        return text
    text = tokens.redact_shapes(text, chunks, mark)
    return encoded.in_base64(text, chunks, mark, scan)


RULES: tuple[RedactionRule, ...] = (
    RedactionRule(
        "private keys",
        ("private", "openvpn", '"kty"', "akia", "asia"),
        _without_scan(keys.in_private_keys),
        goes=(
            (
                "‹-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIGlWlLa8Xz0b1m7y\n-----END EC PRIVATE "
                "KEY-----›\nready"
            ),
            (
                "‹-----BEGIN OpenVPN Static key V1-----\n6acef03f62675b4b1bbd03e53b187727\n"
                "-----END OpenVPN Static key V1-----›"
            ),
        ),
        stays=("-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUe\n-----END CERTIFICATE-----",),
    ),
    RedactionRule(
        "headers",
        ("authorization", "cookie"),
        _without_scan(headers.in_headers),
        goes=(
            "> Authorization: Bearer ‹k3JH5uZq8rT1vX9yB2nM4pL6›",
            "Authorization: SSWS ‹00Qk3JH5uZq8rT1vX9yB2nM4pL6sD7fG8hJ9k›",
            "Set-Cookie: sid=‹9f2c41aa7d›; Path=/",
        ),
        stays=("Authorization header is missing", "Set-Cookie: Path=/; Max-Age=0"),
        needs_name=True,
    ),
    RedactionRule(
        "addresses",
        ("@", "%40", "user", "login", "account", "auth "),
        _without_scan(urls.in_addresses),
        goes=(
            "cannot reach postgres://app:‹s3cretWort›@db:5432/shop",
            "HTTPS_PROXY=http://corp\\bob:‹s3cretWort›@proxy:3128",
            "https://‹kQzXvBnMwRtYpLsD›@github.com/acme/x",
            '{"url":"amqps:\\/\\/app:‹hunter›@mq:5671\\/"}',
            "root:‹s3cret›@tcp(db:3306)/shop",
            "dsn=root:‹s3c@ret#1›@tcp(db:3306)/shop",
            "SFTP_USERS=bob:‹hunter22›",
            "GRAFANA_USER=admin:‹kQzXvBnMwRtYpLsD›",
        ),
        stays=(
            "connect to user:app@db:5432",
            "worker:celery@web-1:8000 ready",
            "LeaseRenewer:msrabi@minint-f1:9000",
            "akka.tcp://sparkExecutorActorSystem@mesos-17:48489",
            "USER=www-data:www-data",
        ),
    ),
    RedactionRule(
        "tokens and encodings",
        (),
        _shapes_and_encodings,
        goes=(
            "\x1b[32m‹ghp_Ab3dAb3dAb3dAb3dAb3dAb3dAb3dAb3dAb3d›\x1b[0m",
            "https://api.telegram.org/bot‹123456789:AAHd9qHd9qHd9qHd9qHd9qHd9qHd9qHd9qx›/getMe",
        ),
        stays=(
            "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "com.example.ApplicationConfigurationProperties",
        ),
    ),
    RedactionRule(
        "queries and paths",
        ("=", *urls.PATH_SIGNS),
        _without_scan(urls.in_queries),
        goes=("GET /maps?key=‹kQzXvBnMwRtYpLsD›&zoom=3", "GET /x?code=‹Zk8vQ2mX9pLr4TnB›&state=1"),
        stays=("GET /x?key=orders&page=2", "GET /search?s=container+networking"),
    ),
    RedactionRule(
        "after schemes",
        (*headers.SCHEMES, "auth ", "334 ", " login ", "pass "),
        _without_scan(headers.after_schemes),
        goes=(
            "bearer ‹k3JH5uZq8rT1vX9yB2nM4pL6› was refused",
            "USER bob\n331 need a password\nPASS ‹hunter›",
        ),
        stays=(
            "token_type=bearer expires_in=3600",
            "basic authentication required",
            "PASS src/app.test.js",
        ),
    ),
    RedactionRule(
        "hashes",
        ("$", "{s", "{m", "{c", "*", "scram-", "pbkdf2", "scrypt:", "aad3b"),
        _without_scan(keys.in_hashes),
        goes=(
            "bob:‹$apr1$Xy12ab34$Zk8vQ2mX9pLr4TnBcd12ef›",
            "‹$8$dsYGNam3K1SIJO$7nv/35M/qr6t.dVc7UY9zrJDWRVqncHub1PE9UlMQFs›",
        ),
        stays=("cost is $100 per month", "echo $HOME/$USER"),
    ),
    RedactionRule(
        "password files",
        (":",),
        _without_scan(notations.in_password_files),
        goes=("db.example.com:5432:shop:app:‹s3cretWort›",),
        stays=("10.0.0.1:5432:shop",),
    ),
    RedactionRule(
        "calls",
        (*notations.CALLS, *notations.LOGINS),
        _without_scan(notations.in_calls),
        goes=(
            'connect("db", "root", "‹s3cretWort›")',
            "#0 /app/db.php(9): PDO->__construct('mysql:host=db;db...', 'root', '‹hunter›')",
            'mysqli_connect("db", "root", "‹hunter›", "shop")',
            "ldap_bind(Resource id #3, 'cn=admin', '‹hunter›')",
        ),
        stays=(
            'connect("db", "root", "production")',
            "PDO->__construct('sqlite:/data/app.db', NULL, NULL)",
            "mysqli_connect(): (HY000/2002): Connection refused",
        ),
    ),
    RedactionRule(
        "shell",
        ("pass:", "echo ", "printf ", "<<", " >", " #", "chpasswd", *shell.PLACE_SIGNS),
        _without_scan(shell.in_shell),
        goes=(
            "echo ‹s3cretWort› | docker login --password-stdin",
            "echo ‹hunter› | docker secret create db -",
            "docker secret create db - <<< ‹hunter›",
            "docker secret create db - <<EOF\n‹hunter›\nEOF",
            "cat <<'END' | docker secret create db -\n‹hunter›\nEND",
            "useradd -p $(openssl passwd -6 ‹hunter›) bob",
            "composer config http-basic.example.com bob ‹hunter›",
            "ConvertTo-SecureString '‹hunter›' -AsPlainText",
            "radtest bob ‹hunter› radius 0 x",
            "cargo login ‹hunter›",
        ),
        stays=(
            "echo ready | tee /tmp/state",
            "cat <<EOF > /etc/motd\nwelcome\nEOF",
            "openssl passwd -stdin",
        ),
    ),
    RedactionRule(
        "commands",
        (
            " -",
            '["',
            " /p:",
            " login ",
            " unseal ",
            " add ",
            " add_user ",
            " change_password ",
            " authenticate_user ",
            " alias ",
        ),
        _without_scan(commands.command_secrets),
        goes=(
            "mysqladmin -uroot -p‹s3cretWort› ping",
            "curl --silent --user elastic:‹s3cretWort› http://es:9200",
            "curl -s \\\n  -u elastic:‹s3cretWort› http://es:9200",
            "mysql \\\n  -h db \\\n  -p‹s3cretWort› shop",
            "net ads join -U admin%‹hunter›",
            "wbinfo -a bob%‹hunter›",
            "kadmin -p admin -w ‹hunter›",
            "htpasswd -cbB -C 10 /etc/users bob ‹hunter›",
        ),
        stays=(
            "docker run -p 8080:80 nginx",
            "mysql -h db -uroot -P3306",
            "curl -s \\\n  -u bob http://es:9200",
            'mysqladmin ping --password="$(cat /run/secrets/db-password)"',
        ),
    ),
    RedactionRule(
        "sentences",
        ("login", "log in", *prose.SIGNS),
        _without_scan(prose.in_sentences),
        goes=(
            "Your generated password is ‹kQzXvBnMwRtYpLsD›",
            "Login failed for bob with password ‹kQzXvBnMwRtYpLsD›",
            "Unseal Key 1: ‹Zk8vQ2mX9pLr4TnB›",
        ),
        stays=(
            "Adding job token for job_1 to jobTokenSecretManager",
            "with password authentication",
            "the password is too short",
        ),
    ),
    RedactionRule(
        "XML",
        ("<",),
        notations.in_xml,
        goes=(
            "<password>‹s3cretWort›</password>",
            '<add key="password" value="‹s3cretWort›" />',
            "<key>Password</key>\n<string>‹hunter›</string>",
        ),
        stays=("<passwordFile>/etc/x</passwordFile>",),
        needs_name=True,
    ),
    RedactionRule(
        "pairs",
        ("val",),
        notations.in_pairs,
        goes=(
            '{"name": "DB_PASSWORD", "value": "‹s3cretWort›"}',
            "env:\n  - value: ‹hunter›\n    name: DB_PASSWORD",
        ),
        stays=(
            '{"name": "PASSWORD_FILE", "value": "secret.txt"}',
            "- value: blue\n  name: COLOUR\n- name: DB_PASSWORD",
        ),
        needs_name=True,
    ),
    RedactionRule(
        "SQL",
        ("password", "identified"),
        notations.in_sql,
        goes=(
            "ALTER USER app IDENTIFIED BY ‹hunter›;",
            "CREATE ROLE app WITH LOGIN PASSWORD '‹hunter›'",
            "CREATE LOGIN app WITH PASSWORD = N'‹hunter›', CHECK_POLICY = OFF",
            "ALTER ROLE app PASSWORD $x$‹hunter›$x$;",
        ),
        stays=(
            "users are identified by email",
            "ALTER USER app IDENTIFIED EXTERNALLY;",
            "Can't locate revision identified by '9728d4a4062e'",
        ),
        needs_name=True,
    ),
    RedactionRule(
        "protocols and files",
        ("auth", "login", "machine", "env ", "arg ", "setx ", ": psk"),
        notations.in_protocols,
        goes=(
            "machine git.example.com login bob password ‹hunter›",
            "ENV DB_PASSWORD ‹hunter›",
            "  stats auth admin:‹hunter›",
            "<auth-user-pass>\nbob\n‹hunter›\n</auth-user-pass>",
            '192.0.2.1 : PSK "‹hunter›"',
        ),
        stays=("ENV DB_PASSWORD_FILE /run/secrets/db", "auth-user-pass /etc/openvpn/login"),
        needs_name=True,
    ),
    RedactionRule(
        "assignments",
        (),
        lambda text, _low, mark, scan: assigned.assignments(text, mark, scan),
        goes=(
            "DB_PASSWORD=‹hunter›",
            "spring.datasource.password=\\\n    ‹hunter›",
            "Driver={ODBC 18};Uid=sa;Pwd={‹a;b=C9x›};",
            'Cfg { password: Some("‹hunter›") }',
            "password=Optional[‹hunter›]",
            'token: Secret("‹hunter›")',
            "user:master/password:‹Zk8vQ2mX9pLr4TnB›",
            '{password,<<"‹hunter›">>}',
            "\x1b[36mpassword=\x1b[0m‹hunter›",
            "DB_PSWD=‹hunter›",
            "    fastcgi_param DB_PASSWORD ‹hunter›;",
            'proxy_set_header X-Api-Key "‹hunter›";',
            "set $secret_key ‹hunter›;",
            "SetEnv DB_PASSWORD ‹hunter›",
            "define('DB_PASSWORD', '‹hunter›');",
            "auth_pass ‹hunter›",
            "fastcgi_param API_TOKEN ‹-k3JH5uZq8rT1vX9y›;",
            "API_KEY=‹(k3JH5uZq%r&T1vX)9y›",
            "SMS_PASSWORD=`‹hunter2›",
            "LDAP_SECRET: ‹a2djR.WTXDS1iMb7e:yVs[:›",
            "userPassword:: ‹WmstOHZRMm1YOXBMcg==›",
            "SEARCHADMINKEY=‹0VJ9I1WV78:4AYm3wz7nfnX7Bqtw5e5Qo3Z5vfBe0eS›",
            "GIT_API_KEY=‹ABc123456789dEFghIJKhttps://git.example.com›",
            "- {name: root, password: ‹hunter›, type: text}",
            "PARCELKEY=‹qTmWcXbRzLpVaN›",
            "PARCEL_KEY=‹aB3dE5gH7jK9›",
            "JSON_WEB_TOKEN_SECRET=‹hunter›",
            "TOKENIZER_API_KEY=‹hunter›",
            "PUB_SUB_SECRET=‹hunter›",
            "vault_token: ‹s.Z4bTMtngfLeQ18AqVoBBkUAO›",
            "POST /index.php?PHPSESSID=‹hunter› 200",
        ),
        stays=(
            "proxy_set_header X-Token $http_x_token;",
            "got token=parse(input)",
            "Token::parse failed",
            "password: see below:",
            "IMAGE_KEY=registry:latest2024release",
            "API_URL_KEY=postgresql+psycopg2://db/shop",
            "Truncating auth_pass to 8 characters",
            "unknown keyword 'insecure-password' in 'userlist' section",
            "fastcgi_param PASSWORD_FILE /run/secrets/db;",
            "define('DB_PASSWORD', getenv('DB_PASSWORD'));",
            "set password for bob",
            "password: ${DB_PASSWORD:?must be set}",
            "PASSWORD_HASH_ITERATIONS=600000",
            "PASSWORD=\\\n  --verbose",
            "password={password};",
            '["password", "username"]',
            "PARCEL_KEY=CustomerId",
            "PARCEL_KEY=Order2024New",
            "JWT_EXPIRES_IN=15m",
            "(auth:SIMPLE)",
            "auth: method=oidc",
            "auth=TLSv1.3",
            "ETCD_INITIAL_CLUSTER_TOKEN=etcd-cluster-1",
            "SALT_MASTER=salt.example.com",
            "io.jsonwebtoken:jjwt-api:0.11.5",
            "jsonwebtoken: ^9.0.2",
            "token=s.nextToken",
            "vault_token: config.OAuth2TokenSource",
            "Secret: db-credentials, namespace: prod",
            "secretKey: login",
            "Routing key: orders.created.v2",
            "partition key: customer-2024-id",
            "KAFKA_KEY=com.example.Class2",
            "FEATURE_KEY=new-dashboard-enabled-2024",
            "team/token:latest",
        ),
        needs_name=True,
    ),
)
