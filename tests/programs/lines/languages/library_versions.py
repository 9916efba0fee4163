"""Lines of real logs for the rows of `diagnose/programs/failures/languages/library_versions.py`."""

from __future__ import annotations

LINES = {
    "ruby-yaml-alias": "Psych::BadAlias: Unknown alias: default",
    "node-imports": "SyntaxError: Cannot use import statement outside a module",
    "node-global": "ReferenceError: fetch is not defined",
    "corepack-keys": 'Error: Cannot find matching keyid: {"signatures":[{"sig":"MEUC","keyid":"SHA256:DhQ8"}],"keys":[]}',
    "corepack-disabled": 'error This project\'s package.json defines "packageManager": "yarn@4.0.2". However the current global version of Yarn is 1.22.19.',
    "numpy-binary": "ValueError: numpy.dtype size changed, may indicate binary incompatibility. Expected 96 from C header, got 88 from PyObject",
    "python-later": "TypeError: unsupported operand type(s) for |: 'type' and 'NoneType'",
    "pydantic-moved": "pydantic.errors.PydanticImportError: `BaseSettings` has been moved to the `pydantic-settings` package.",
    "argument-unknown": "TypeError: Client.__init__() got an unexpected keyword argument 'proxies'",
    "java-class-file": "Caused by: java.lang.IllegalArgumentException: Unsupported class file major version 65",
    "java-modules": 'Caused by: java.lang.reflect.InaccessibleObjectException: Unable to make field private final java.lang.Class accessible: module java.base does not "opens java.lang" to unnamed module @3d71d552',
    "java-heap-order": "Initial heap size set to a larger value than the maximum heap size",
    "beam-later": "  This BEAM file was compiled for a later version of the runtime system than the current (Erlang/OTP 25).",
    "chrome-driver": "selenium.common.exceptions.SessionNotCreatedException: Message: session not created: This version of ChromeDriver only supports Chrome version 114",
    "playwright-browsers": "browserType.launch: Executable doesn't exist at /root/.cache/ms-playwright/chromium-1091/chrome-linux/chrome",
    "mongo-driver": "MongoServerSelectionError: Server at mongo:27017 reports maximum wire version 6, but this version of the Node.js Driver requires at least 8 (MongoDB 4.2)",
    "cgo-disabled": "failed to connect database: Binary was compiled with 'CGO_ENABLED=0', go-sqlite3 requires cgo to work. This is a stub",
    "lucene-older": "Caused by: org.apache.lucene.index.IndexFormatTooOldException: Format version is not supported (resource BufferedChecksumIndexInput)",
    "kibana-version": "[ERROR][elasticsearch-service] This version of Kibana (v8.9.0) is incompatible with the following Elasticsearch nodes in your cluster: v7.17.0 @ es01:9200",
    "venv-foreign": "error: Project virtual environment directory `/app/.venv` cannot be used because it is not a valid Python environment (no Python executable was found)",
    "python-earlier": "ModuleNotFoundError: No module named 'imp'",
    "erlang-release": '{"init terminating in do_boot",{load_failed,[file_io_server,heart,lists,error_handler,erl_eval,code_server]}}',
    "mix-dependencies": "** (Mix) Could not start application ranch: could not find application file: ranch.app",
    "bundler-older": "You must use Bundler 2 or greater with this lockfile.",
}
