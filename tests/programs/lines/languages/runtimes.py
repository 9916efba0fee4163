"""Lines of real logs for the rows of `diagnose/programs/failures/languages/runtimes.py`."""

from __future__ import annotations

LINES = {
    "zone-unknown": "zoneinfo._common.ZoneInfoNotFoundError: 'No time zone found with key Europe/Berlin'",
    "ruby-version": (
        "definition.rb:427:in `validate_ruby!': Your Ruby version is 3.1.2, but your Gemfile specified "
        "3.3.0 (Bundler::RubyVersionMismatch)"
    ),
    "option-required": (
        "etcdmain: error verifying flags, --advertise-client-urls is required when "
        "--listen-client-urls is set explicitly. See 'etcd --help'."
    ),
    "refuses-root": "2026/11/27 02:01:11 setting.go:178 [F] Gitea is not supposed to be run as root.",
    "package-version": "RuntimeError: gevent worker requires gevent 24.10.1 or higher",
    "kestrel-https": (
        "Unhandled exception. System.InvalidOperationException: Unable to configure HTTPS endpoint. "
        "No server certificate was specified, and the default developer certificate could not be found"
    ),
    "jdbc-driver": (
        "Caused by: java.lang.RuntimeException: Driver org.h2.Driver claims to not accept jdbcUrl, "
        "jdbc:postgresql://10.1.3.203:5432/dolphinscheduler"
    ),
    "keycloak-https": (
        "ERROR: Key material not provided to setup HTTPS. Please configure your keys/certificates"
    ),
    "node-module-kind": "Error [ERR_REQUIRE_ESM]: require() of ES Module /app/node_modules/chalk/index.js",
    "node-binary": "Error: /app/node_modules/bcrypt/lib/binding/bcrypt_lib.node: invalid ELF header",
    "node-version": "The module '/app/node_modules/x/build/Release/x.node' was compiled against a different Node.js version using",
    "npm-script": 'npm error Missing script: "start:prod"',
    "npm-package": "npm error enoent ENOENT: no such file or directory, open '/app/package.json'",
    "java-jar": "Error: Unable to access jarfile /app/app.jar",
    "java-class": "Error: Could not find or load main class com.shop.Main",
    "java-manifest": "no main manifest attribute, in /app/app-plain.jar",
    "java-cgroup": (
        'NullPointerException: Cannot invoke "jdk.internal.platform.CgroupInfo.getMountPoint()" because '
        '"anyController" is null'
    ),
    "node-options": "node: --openssl-legacy-provider is not allowed in NODE_OPTIONS",
    "java-option": "Unrecognized VM option 'UseConcMarkSweepGC'",
    "python-own-name": "ImportError: cannot import name 'User' from 'app.models.ctf' (./app/models/ctf.py)",
    "python-name": (
        "ImportError: cannot import name 'url_quote' from 'werkzeug.urls' "
        "(/usr/local/lib/python3.9/site-packages/werkzeug/urls.py)"
    ),
    "shm-too-small": "ERROR: Unexpected bus error encountered in worker. This might be caused by insufficient shared memory (shm).",
    "java-crashed": "# A fatal error has been detected by the Java Runtime Environment:",
    "browser-page-crashed": (
        "selenium.common.exceptions.WebDriverException: Message: unknown error: session deleted because "
        "of page crash"
    ),
    "encoding-ascii": (
        "UnicodeEncodeError: 'ascii' codec can't encode character '\\xe9' in position 1: ordinal not in "
        "range(128)"
    ),
    "dotnet-framework": "You must install or update .NET to run this application.",
    "dotnet-dll": "Could not execute because the specified command or file was not found.",
    "mattermost-site-url": (
        "Error: failed to load configuration: invalid config: Config.IsValid: "
        "model.config.is_valid.site_url.app_error,"
    ),
    "own-name-java": "java.net.UnknownHostException: node7: node7: Name or service not known",
    "java-fonts": 'Caused by: java.lang.NullPointerException: Cannot load from short array because "sun.awt.FontConfiguration.head" is null',
    "kafka-unformatted": 'Exception in thread "main" java.lang.RuntimeException: No readable meta.properties files found.',
    "imagemagick-policy": "convert-im6.q16: attempt to perform an operation not allowed by the security policy `PDF' @ error/constitute.c/IsCoderAuthorized/421.",
    "arguments-too-long": "exec /usr/local/bin/docker-entrypoint.sh: argument list too long",
    "text-busy": "/docker-entrypoint.sh: line 12: /app/migrate: Text file busy",
    "java-heap-size": "Invalid maximum heap size: -Xmx2gb",
}
