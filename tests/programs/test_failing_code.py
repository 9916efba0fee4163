"""The place in a program's own code where it failed, in the frames of seven languages."""

from __future__ import annotations

import pytest

from diagnose.programs.failing_code import failing_code

NODE = """TypeError: Cannot read properties of null (reading 'replace')
    at new Sequelize (/opt/wiki/node_modules/sequelize/lib/sequelize.js:134:53)
    at createDatabaseInstance (/opt/wiki/build/server/database/sequelize.js:20:20)
    at Object.<anonymous> (/opt/wiki/build/server/index.js:7:1)
    at node:internal/main/run_main_module:23:47"""
PYTHON = """Traceback (most recent call last):
  File "/usr/local/bin/invoke", line 8, in <module>
  File "/home/shop/src/tasks.py", line 345, in setup_mail
    django.setup()
  File "/usr/local/lib/python3.10/dist-packages/django/__init__.py", line 19, in setup
AttributeError: 'NoneType' object has no attribute 'split'"""
JAVA = """java.lang.IllegalStateException: failed
\tat org.springframework.boot.SpringApplication.run(SpringApplication.java:1)
\tat com.shop.Main.main(Main.java:9)
Caused by: java.lang.NullPointerException
\tat java.base/java.util.Objects.requireNonNull(Objects.java:208)
\tat net.shop.store.HttpEventStore.<init>(HttpEventStore.java:45)
\tat net.shop.store.StoreConfiguration.eventStore(StoreConfiguration.java:31)
\t... 60 more"""
GO = """panic: runtime error: invalid memory address or nil pointer dereference
[signal SIGSEGV: segmentation violation code=0x1 addr=0x4 pc=0x3daf70]

goroutine 1 [running]:
gopkg.in/yaml.v3.(*Decoder).Decode(0x0, 0x1)
        /go/pkg/mod/gopkg.in/yaml.v3@v3.0.1/yaml.go:120 +0x10
main.addFlagToConfig(0x0)
        /go/exporter/main.go:236 +0x14
main.main()
        /go/exporter/main.go:78 +0x168"""
DOTNET = """System.NullReferenceException: Object reference not set to an instance of an object.
   at System.Linq.Enumerable.First(IEnumerable`1 source) in /_/src/Linq.cs:line 7
   at Shop.Mail.SmtpSender.Connect(String host) in /src/Mail/SmtpSender.cs:line 41"""
RUBY = """/app/lib/bucket_store.rb:12:in `connect': undefined method `[]' for nil (NoMethodError)
\tfrom /usr/local/bundle/gems/rack-3.0/lib/rack/builder.rb:7:in `call'
\tfrom /app/config.ru:3:in `block in <main>'"""
PHP = """PHP Fatal error:  Uncaught TypeError: strlen(): Argument #1 must be of type string
#0 /app/vendor/laravel/framework/src/Mail.php(44): strlen()
#1 /app/src/Mail/Smtp.php(12): App\\Mail\\Smtp->host()"""
ELIXIR = """** (MatchError) no match of right hand side value: nil
    (ecto 3.11.1) lib/ecto/repo.ex:7: Ecto.Repo.start/2
    (shop 0.0.1) lib/shop/session_store.ex:52: Shop.SessionStore.load/1"""

FRAMES = {
    "Node.js": (NODE, "createDatabaseInstance (database/sequelize.js, line 20)", "database"),
    "Python": (PYTHON, "setup_mail (src/tasks.py, line 345)", "mail"),
    "Java": (JAVA, "net.shop.store.HttpEventStore.<init> (HttpEventStore.java, line 45)", "event"),
    "Go": (GO, "main.addFlagToConfig (exporter/main.go, line 236)", "config"),
    ".NET": (DOTNET, "Shop.Mail.SmtpSender.Connect (Mail/SmtpSender.cs, line 41)", "smtp"),
    "Ruby": (RUBY, "connect (lib/bucket_store.rb, line 12)", "bucket"),
    "PHP": (PHP, "App\\Mail\\Smtp->host (Mail/Smtp.php, line 12)", "smtp"),
    "Elixir": (ELIXIR, "Shop.SessionStore.load (shop/session_store.ex, line 52)", "session"),
}


@pytest.mark.parametrize(("text", "place", "word"), FRAMES.values(), ids=FRAMES)
def test_the_innermost_frame_of_its_own_code(text: str, place: str, word: str) -> None:
    code = failing_code(text.splitlines())
    assert code is not None
    assert str(code) == place
    assert word in code.words


OTHERS = {
    "no frame": "Error: nothing is configured",
    "libraries alone": "Error: x\n    at f (/app/node_modules/pg/lib/client.js:1:2)",
    "the runtime alone": "Error: x\n    at TCPConnectWrap.afterConnect (node:net:1611:16)",
    "a sentence": "we look at the shop (in the morning)",
}


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_what_is_not_its_own_code(text: str) -> None:
    assert failing_code(text.splitlines()) is None
