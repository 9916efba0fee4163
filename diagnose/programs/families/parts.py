"""Parts that do not fit: a runtime that fails itself, a module without what is taken from it."""

from diagnose.programs.failures.recognition import ABOUT_SETTINGS, NEVER, Failure

PARTS = (
    Failure(
        name="runtime-failed",
        of_running=NEVER,
        mark="",
        pattern=r"""(?x)
            \bcaused\ by\ either\ a\ bug\ in\ Node\.js\b | \bERR_INTERNAL_ASSERTION\b
            | \bFATAL\ ERROR:\ (?:v8|node)::(?!.{0,80}\bheap\b)
            | ^\W{0,4}(?:Check|Debug\ check)\ failed:\ \S | ^\W{0,4}unreachable\ code\W*$
            | ^Fatal\ Python\ error:\ (?!init_fs_encoding|config_)
            | \bfatal\ error:\ (?:bad\ pointer|found\ bad\ pointer|unexpected\ signal)\b  # Go
            | \bInternal\ CLR\ error\b
        """,
        cause="the language's runtime itself has failed, not the program: a fault of this release of it (Node.js, "
        "Deno, Python, Go, .NET), or of a library in C that is loaded into it",
        cure="run an image with another release of that runtime: the build that worked before, or a newer one",
        source="nodejs/node#53902, nodejs/node#56938, denoland/deno#21748",
        build="another",
        look="builds",
    ),
    Failure(
        name="member-missing",
        of_running=NEVER,
        mark="",
        pattern=r"""(?x)
            \bmodule\ '(?P<module>[\w.]{1,120})'\ has\ no\ attribute\ '(?P<name>\w{1,80})'
            | \brequested\ module\ '(?P<module_js>[^'\n]{1,160})'\ does\ not\ provide\ an\ export\ named
                \ '(?P<name_js>[^'\n]{1,80})'
            | \bNamed\ export\ '(?P<name_cjs>[^'\n]{1,80})'\ not\ found\.\ The\ requested\ module
                \ '(?P<module_cjs>[^'\n]{1,160})'
            | (?P<module_c>/[\w./+-]{1,200}\.so[.\d]{0,12}):\ undefined\ symbol:\ (?P<name_c>\w{1,120})
            | \bError\ relocating\ (?P<module_musl>/[\w./+-]{1,200}):\ (?P<name_musl>\w{1,120}):\ symbol\ not\ found
            | "(?P<name_perl>\w{1,80})"\ is\ not\ exported\ by\ the\ (?P<module_perl>[\w:]{1,80})\ module
        """,
        cause="{module} in its installed version has no {name}: a library was updated, and what uses it was not",
        cure="pin the library to the version before, and build the image again, or run the build that worked",
        source="Python's, JavaScript's, the loader's and Perl's own messages; denosaurs/denon#171",
        build="earlier",
    ),
    Failure(
        name="support-missing",
        of_running=ABOUT_SETTINGS,
        mark="",
        pattern=r"""(?x)
            '(?P<part>[\w.-]{2,60})'\ prerequisite\ not\ available
            | \brequires?\ the\ ['"`\[]?(?P<part_extra>[\w-]{2,60})['"`\]]?\ (?:extra|package|dependency)\b
            | \b(?P<part_support>[A-Za-z][\w.+-]{1,40})\ support\ (?:is\ |was\ )?(?:not\ (?:available|built|compiled
                |enabled|included
                |installed)|disabled|missing)\b
            | \b(?:built|compiled)\ without\ (?:support\ for\ )?(?P<part_without>[A-Za-z][\w.+-]{1,40})(?:\ support)?\b
            | \bnot\ (?:built|compiled)\ with\ (?P<part_words>[A-Za-z][\w.+-]{1,30}(?:\ [\w.+-]{1,30}){1,2})\ support\b
            | \bnot\ (?:built|compiled)\ with\ (?:support\ for\ )?(?P<part_not>[A-Za-z][\w.+-]{1,40})(?:\ support)?\b
            | (?P<part_build>[A-Za-z"][\w".-]{1,40}(?:\ [\w".-]{1,40}){0,3}):?\ (?:is\ |are\ )?not\ supported
                \ (?:by|in)\ this\ build\b
            | \brequires\ (?P<part_library>[A-Za-z][\w.+-]{1,30})\ library\b  # nginx
        """,
        cause="the image's build of the program lacks {part}, which its settings ask for",
        cure="take the variant of the image that has {part}, add it to the image, or leave out the setting that "
        "needs it",
        source="limits' own message; many programs",
        build="another",
    ),
    Failure(
        name="container-gone",
        of_running=NEVER,
        mark="no such container",
        pattern=r"\bNo such container: ?\\?\"?(?P<name>[\w.-]{1,128})",
        cause="the program asks the engine for the container {name}, which is gone",
        cure="start it again: it lists the containers once more; where its settings name the container, correct "
        "them",
        source="factorial-io/scotty#139",
        may_pass=True,
    ),
)
"""Before the families of what an image lacks, whose words are wider."""
