"""Tokens, keys and secrets that a program lacks, or that are refused."""

from diagnose.programs.failures.recognition import NEVER, Failure
from diagnose.programs.failures.remedies import TypedLike

CREDENTIALS = (
    Failure(
        name="key-of-another-pair",
        mark="x509 certificate routines:",
        pattern=r"\berror:\w{4,12}:x509 certificate routines:\w{0,40}:key values mismatch",
        cause="the program's certificate and its private key do not belong together",
        cure="put the certificate and the key of one pair into the files that the settings name",
        source="OpenVPN's own message",
        look="certificate",
    ),
    Failure(
        name="key-encrypted",
        mark=("ui routines:", "enter private key password", "bad password read"),
        pattern=r"\bUI routines::?(?:\w{0,30}:)?processing error|\bcan't ask for 'Enter Private Key Password|"
        r"\bPEM routines:.{0,40}bad password read",
        cause="the program's private key is encrypted with a passphrase, and nobody is there to type it",
        cure="give the program the passphrase by its own setting, or a key without one: openssl pkey -in KEY -out NEW",
        source="OpenSSL's and OpenVPN's own messages",
        look="certificate",
    ),
    Failure(
        name="superset-key",
        mark="invalid decryption key",
        pattern=r"^ValueError: Invalid decryption key\b",
        cause="the secret key of the program is not the one with which the passwords in its database were encrypted",
        cure="give it the earlier key in SECRET_KEY (SUPERSET_SECRET_KEY); for a new one set the old one as "
        "PREVIOUS_SECRET_KEY too, and run superset re-encrypt-secrets once",
        source="apache/superset#8538",
        look="secrets",
    ),
    Failure(
        name="git-login",
        mark="could not read username for",
        pattern=r"could not read Username for '(?P<server>https?://[^'\s]{1,200})'",
        cause="Git asks for a login to {server}, and nobody can type one: the repository is private or has another "
        "name, or the container has no token for it",
        cure="correct the address, or give the program a token or a key in its settings",
        source="Git's own message",
    ),
    Failure(
        name="ssh-key-refused",
        mark=("(publickey", "load key ", "unable to authenticate, attempted methods"),
        pattern=r"(?:(?P<user>[\w.-]{1,40})@)?(?P<host>[\w.-]{1,100}): Permission denied \(publickey"
        r"|Load key \"(?P<key>/[^\"]{1,200})\": (?:invalid format|error in libcrypto)"
        r"|ssh: unable to authenticate, attempted methods \[none publickey\]",
        cause="the program logs in by SSH, and its key is not accepted: the key is not in the container, is not read, or "
        "is unknown to that server",
        cure="mount the private key (owner: the program's user, mode 600, with a last empty line), and put its public "
        "half into the account there",
        source="OpenSSH's own messages",
        of_running=NEVER,
    ),
    Failure(
        name="ssh-host-unknown",
        mark="host key verification failed",
        pattern=r"Host key verification failed",
        cause="the program logs in by SSH to a server whose key it does not know: its known_hosts is missing or old, "
        "and nobody can answer the question",
        cure="run ssh-keyscan HOST >> known_hosts, and mount that file at ~/.ssh/known_hosts of the program's user",
        source="OpenSSH's own message",
        of_running=NEVER,
    ),
    Failure(
        name="tunnel-unknown",
        mark=("tunnel not found", "tunnel token is not valid"),
        pattern=r"\bUnauthorized: Tunnel not found\b|Provided Tunnel token is not valid",
        cause="Cloudflare does not know the tunnel of that token: it was deleted, or the token is incomplete",
        cure="set the token that Cloudflare's page of the tunnel shows now, without the words before it",
        source="cloudflared's own message",
        remedy=TypedLike(r"TUNNEL_TOKEN"),
    ),
    Failure(
        name="bot-token",
        mark="",
        explains_only=True,
        pattern=r"""(?x)
            Improper\ token\ has\ been\ passed | \bTOKEN_INVALID\b | \bAn\ invalid\ token\ was\ provided
            | \bThe\ token\ `[^`\n]{0,120}`\ was\ rejected\ by\ the\ server
            | \b(?:InvalidToken|TokenValidationError|TelegramUnauthorizedError):\ \S
            | \bETELEGRAM:\ 40[14]\b
        """,
        cause="the service of the bot (Discord, Telegram) refuses its token: it is wrong, was replaced, or is not set "
        "in the container",
        cure="set the token that the service shows for the bot now, without quotes or spaces",
        source="discord.py's, discord.js', python-telegram-bot's and aiogram's own messages",
        of_running=NEVER,
        remedy=TypedLike(r"TOKEN"),
    ),
    Failure(
        name="bot-twice",
        mark="getupdates request",
        pattern=r"terminated by other getUpdates request",
        cause="the same bot runs twice: another program asks Telegram with the same token",
        cure="stop the other one; while an old container of the bot runs, each takes the messages of the other",
        source="Telegram's own message",
    ),
    Failure(
        name="cloud-credentials",
        mark="",
        pattern=r"""(?x)
            \bNoCredentialsError:\ Unable\ to\ locate\ credentials
            | \bUnable\ to\ load\ (?:AWS\ )?credentials\ from\ any\ (?:of\ the\ )?provider
            | \bCould\ not\ load\ credentials\ from\ any\ providers | \bNoCredentialProviders:
            | \bno\ EC2\ IMDS\ role\ found
            | \b(?:default|Default)\ credentials\ (?:were\ not\ found|was\ not\ found)
            | \bCould\ not\ automatically\ determine\ credentials\b
            | \bcould\ not\ find\ default\ credentials | \bCould\ not\ load\ the\ default\ credentials
            | \bDefaultAzureCredential\ failed\ to\ retrieve\ a\ token
        """,
        cause="the program has no credentials for the cloud service that it calls: neither variables nor a file of "
        "them is in its container",
        cure="set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or mount the file and name it with "
        "GOOGLE_APPLICATION_CREDENTIALS, as the service has it",
        source="boto3's, the AWS SDKs', Google's and Azure's own messages",
    ),
    Failure(
        name="session-secret-unset",
        mark=("no_secret", "missingsecret", "using the default secret"),
        pattern=r"\[NO_SECRET\]|\bMissingSecret\b|You are using the default secret",
        cause="the program has no secret of its own for the sessions of its users",
        cure="set the variable to the output of openssl rand -base64 32: NEXTAUTH_SECRET, AUTH_SECRET or "
        "BETTER_AUTH_SECRET, as the program names it",
        source="NextAuth's, Auth.js' and Better Auth's own messages",
        remedy=TypedLike(r"AUTH_SECRET"),
    ),
    Failure(
        name="token-signature",
        mark=("invalid signature", "signature verification failed"),
        pattern=r"\b(?:JsonWebTokenError|InvalidSignatureError|JWSSignatureVerificationFailed)\b[^\n]{0,60}signature",
        cause="a token was signed with a secret that is not the program's: the secret was changed after the token was "
        "made, or two programs that share it have two values",
        cure="give all of them the same secret, and make the tokens and keys again with it",
        source="jsonwebtoken's and PyJWT's own messages",
        of_running=NEVER,
        look="secrets",
    ),
    Failure(
        name="api-key-refused",
        mark="",
        explains_only=True,
        pattern=r"""(?x)
            \bIncorrect\ API\ key\ provided | \binvalid_api_key\b | \binvalid\ x-api-key\b
            | \bAPI\ key\ not\ valid\.\ Please\ pass\ a\ valid\ API\ key
        """,
        cause="the service that the program calls refuses its API key: it is wrong, was withdrawn, or is not set in the "
        "container",
        cure="set the key that the service shows for the account now",
        source="OpenAI's, Anthropic's and Google's own messages",
        of_running=NEVER,
        remedy=TypedLike(r"API_?KEY"),
    ),
    Failure(
        name="fernet-key",
        mark="invalidtoken",
        pattern=r"^(?:cryptography\.)?(?:fernet\.)?InvalidToken$",
        cause="what the program has saved was encrypted with another Fernet key than the one in its settings now",
        cure="give it the previous key again, from the old container's variables or a backup of "
        "its .env file",
        source="puckel/docker-airflow#567",
        of_running=NEVER,
    ),
    Failure(
        name="ldap-password",
        mark="err=49",
        pattern=r"\bRESULT tag=97 err=49\b",
        cause="a client logs in to the LDAP server with a wrong password or a wrong name (DN)",
        cure="compare the DN in the line BIND above, and the client's password, with those that the server has; "
        "LDAP_ADMIN_PASSWORD counts only while its data folder is empty",
        source="OpenLDAP documentation, result codes",
        turns_away=True,
    ),
    Failure(
        name="nats-login",
        mark="authentication error",
        pattern=r"\[ERR\] (?P<client>[\d.]{7,15}):\d{1,5} - .{0,60}\bauthentication error",
        cause="a client at {client} logs in to NATS with a name, a password or a token that NATS does not have",
        cure="compare the address that this client is given (nats://USER:PASSWORD@...) with the users of the server's "
        "configuration or its --user and --pass",
        source="NATS' own message",
        turns_away=True,
    ),
    Failure(
        name="registry-realm",
        mark="must be set for htpasswd access controller",
        pattern=r'"(?P<key>realm|path)" must be set for htpasswd access controller',
        cause="the registry should ask for passwords (REGISTRY_AUTH=htpasswd), and its {key} is not set",
        cure="set REGISTRY_AUTH_HTPASSWD_REALM to any text and REGISTRY_AUTH_HTPASSWD_PATH to the file that htpasswd -B "
        "has made",
        source="Distribution documentation, configuration",
    ),
    Failure(
        name="form-session-lost",
        mark="csrf",
        pattern=r"\bThe CSRF (?:session )?token is missing\b|\bCSRF token is missing or invalid\b|\bThe CSRF tokens do not match\b",
        cause="the program gets forms back without the session that it gave out for them: the browser does not return its "
        "cookie, or another worker or container has signed it with a key of its own",
        cure="give all workers and containers one fixed key (FLASK_SECRET, SECRET_KEY); where the pages come by plain "
        "HTTP, let the cookie be sent without TLS (SESSION_COOKIE_SECURE)",
        source="Flask-WTF's own messages; bunkerity/bunkerweb#3804",
        look="secrets",
    ),
    Failure(
        name="origin-unchecked",
        mark="could not check origin",
        pattern=r"Could not check origin for Phoenix\.Socket transport",
        cause="Phoenix refuses the live connection (websocket) of browsers: they call it by another host name than the one "
        "in its settings",
        cure="set the variable for its host (often PHX_HOST) to the name in the browser's address bar, or add that origin "
        "to check_origin",
        source="Phoenix' own message",
        turns_away=True,
        remedy=TypedLike(r"PHX_HOST"),
    ),
    Failure(
        name="laravel-key-length",
        mark="aes-256-cbc",
        pattern=r"\bThe only supported ciphers are AES-128-CBC and AES-256-CBC with the correct key lengths"
        r"|\bUnsupported cipher or incorrect key length\. Supported ciphers are: aes-128-cbc, aes-256-cbc",
        cause="the key of the application (APP_KEY) has another length or form than Laravel takes: base64: before it and "
        "32 bytes behind that",
        cure="set APP_KEY to what php artisan key:generate --show prints; what an earlier key has encrypted needs that key",
        source="Laravel documentation, encryption; invoiceninja/dockerfiles#186",
        look="secrets",
    ),
)
"""In the order in which a line is compared with them."""
