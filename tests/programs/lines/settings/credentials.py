"""Lines of real logs for the rows of `diagnose/programs/failures/settings/credentials.py`."""

from __future__ import annotations

LINES = {
    "laravel-key-length": (
        "production.ERROR: RuntimeException: The only supported ciphers are AES-128-CBC and AES-256-CBC with the correct "
        "key lengths. in /var/www/app/vendor/laravel/framework/src/Illuminate/Encryption/Encrypter.php:43"
    ),
    "superset-key": "ValueError: Invalid decryption key",
    "key-of-another-pair": "OpenSSL: error:05800074:x509 certificate routines::key values mismatch:",
    "key-encrypted": 'cannot load certificate key "/certs/locked.key": PEM_read_bio_PrivateKey() failed (SSL: error:1400006B:UI routines::processing error:while reading strings)',
    "git-login": "fatal: could not read Username for 'https://github.com': terminal prompts disabled",
    "bot-token": "discord.errors.LoginFailure: Improper token has been passed.",
    "bot-twice": (
        "telegram.error.Conflict: Conflict: terminated by other getUpdates request; make sure that only one bot "
        "instance is running"
    ),
    "cloud-credentials": "botocore.exceptions.NoCredentialsError: Unable to locate credentials",
    "api-key-refused": (
        "openai.AuthenticationError: Error code: 401 - {'error': {'message': 'Incorrect API key provided'}}"
    ),
    "ssh-key-refused": "git@github.com: Permission denied (publickey).",
    "ssh-host-unknown": "Host key verification failed.",
    "tunnel-unknown": 'ERR Register tunnel error from server side error="Unauthorized: Tunnel not found" connIndex=0',
    "session-secret-unset": "[next-auth][error][NO_SECRET] Please define a `secret` in production.",
    "token-signature": "JsonWebTokenError: invalid signature",
    "fernet-key": "cryptography.fernet.InvalidToken",
    "ldap-password": "6597c2c0 conn=1001 op=0 RESULT tag=97 err=49 text=",
    "nats-login": "[1] 2024/01/05 10:00:00.000000 [ERR] 172.18.0.3:53412 - cid:6 - authentication error",
    "registry-realm": 'panic: unable to configure authorization (htpasswd): "realm" must be set for htpasswd access controller',
    "form-session-lost": "2026-08-12 10:02:11 - flask_wtf.csrf - INFO - The CSRF session token is missing.",
    "origin-unchecked": "10:00:00.000 [error] Could not check origin for Phoenix.Socket transport.",
}
