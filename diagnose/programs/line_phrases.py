"""Phrases in the lines of a failed program that count for or against a line.

The patterns are for lines in small letters.
"""

import re
from collections.abc import Set

import msgspec

from diagnose.lazy_pattern import LazyPattern
from diagnose.programs.log_message import words_of
from diagnose.word_sets import vocabulary


class Phrases(msgspec.Struct, frozen=True):
    """Phrases of one meaning."""

    worth: int
    """The score that a line gains with one of these phrases."""
    words: frozenset[str]
    """A line with one of these phrases has at least one of these words; a search for them costs a
    twentieth of the pattern."""
    pattern: LazyPattern
    """The pattern that decides."""

    def are_in(self, lowered: str) -> bool:
        """Whether a line in small letters has one of these phrases."""
        return self.are_in_words(lowered, words_of(lowered))

    def are_in_words(self, lowered: str, words: Set[str]) -> bool:
        """The same of a line whose words are known."""
        return not self.words.isdisjoint(words) and self.pattern.search(lowered) is not None


EXPLAINS = Phrases(
    worth=22,
    words=vocabulary(
        """
        denied permission eacces eperm permitted writable no enoent not cannot can't can
        could couldn't unable doesn't isn't too must need please require required
        requires missing incompatible mismatch mismatched mismatching compatible
        unsupported unrecognized unrecognised in already locked lock invalid unknown
        unexpected syntax expected corrupt corrupted malformed downgrade downgrading
        refused time timed timeout unreachable name space memory allocate read quota
        enough unbound undefined only nil null expired certificate unauthorized
        authentication version newer terminated multiple terminating fail failed failure
        assertion wrong gave needs deprecated ambiguous bad root supposed refusing refuses
        insecure align should pending unapplied blocked exceeded migrating usable sealed https
        plaintext enotfound eai_again econnrefused instruction consistent inconsistent module
        readonly least cleaning insufficient login conversion property appear seem executed run
        deadline accepts disk output know illegal substitution rule termination checksum
        chmod chown cp grep egrep fgrep awk gawk jq ln mkdir mv rm rsync sed tar xargs
        improper format help application on creation added set manual another check empty sure exists structure busy
        enetunreach bad_alloc memoryerror instead reachable verification parser servers truncated skew removed duplicate
        limit temporarily directory permissions unbalanced scanner line find attempt misbehaving full platform
        both exclusive built build valid long anywhere corrupting corruption corruptions corrupts
        downgraded downgrades mismatches pendingmigration pendingmigrations timedout
        """
    ),
    pattern=LazyPattern(
        r"""
        \b(?:permission|access)\b[^.]{0,30}\bdenied\b | \beacces\b | \boperation\ not\ permitted\b
        | \beperm\b | \bnot\ writ[ae]ble\b
        | \bno\ host\ in\ request\b | \bno\ such\ index\b
        | \bno\ (?:exchange|queue|topic|vhost)\ ['"`]
        | \bis\ truncated\b | (?<!\bis):\ not\ a\ directory\b | \bclock\ skew\b
        | \b(?:directive|key|option|parameter|property|setting|variable)\b.{1,90}\b(?:has\ been|was)\ removed\b
        | \bduplicate\ (?:field|key|mapping\ key|section)\b.{1,60}\bline\ \d
        | \b(?:fork|pthread_create)\b.{1,40}\bresource\ temporarily\ unavailable\b
        | \bsystem\ limit\ (?:for|on)\b
        | ,\ not\ both\b | \bmutually\ exclusive\b | \bnot\ (?:built|compiled)\ with\b
        | \bnot\ supported\ (?:by|in)\ this\ build\b | \bvalid\ only\ (?:if|when)\b
        | \bonly\ valid\ (?:for|if|when)\b | \bto\ not\ listen\ anywhere\b | \bempty\ \w{1,60}\ value\ in\ config
        | \bno\ such\ (?:file|host|device|container|module|table|command)\b | \benoent\b
        | \bnot\ found\b | \bcan(?:not|'t|\ not)\b | \bcould\ not\b | \bcouldn't\b | \bunable\ to\b
        | \bdoes(?:\ not|n't)\ (?:exist|match|support|have)\b
        | \b(?:is|are)\ not\ (?:set|specified|supported|installed|running)\b
        | \bis\ not\ an?\ (?:\w+\ ){0,3}(?:directory|file|folder)\b | \bis\ a\ directory\b
        | \binsecure\ permissions\b | \bfailure\ writing\b | \bbad\ command[- ]line\b
        | \bcan't\ ask\ for\b | \bunbalanced\ quotes\b | \bin\ flex\ scanner\ failed\b | ^\S{1,40}\ error\ at\ line\ \d
        | ^(?:password:\ )?su:\ authentication\ failure\b | \bdid(?:n't|\ not)\ find\ section\b
        | \bno\ user\ exists\b | \bbad\ user\ name\b | \battempt\ to\ call\ a\ nil\b
        | \btoo\ (?:low|long|old|new|small|many|large|big|short|weak|open)\b
        | \bmust\ (?:be|exist|specify|start|set|provide|have|contain|install|update|upgrade|run|deploy|apply)\b
        | \byou\ need\ to\b | \bconfiguration\ error\ at\ line\b
        | \bplease\ (?:set|provide|configure|accept|install|run|re-run|specify)\b
        | \bdo\ not\ use\b.{1,80}\buse\b.{1,60}\binstead\b | \bnot\ reachable\b | \bhost\ key\ verification\ failed\b
        | \brequire[sd]?\b(?!=) | \bmissing\b | \bincompatible\b | \bmismatch | \bnot\ compatible\b
        | \bunsupported\b | \bunrecogni[sz]ed\b
        | \bin\ use\b | \bdevice\ or\ resource\ busy\b
        | (?<!not\ )\balready\ active\b | \balready\ (?:been|running|exists?|allocated|in)\b | \blocked\b
        | \block\ file\b | \bunable\ to\ lock\b
        | \binvalid\b | \bunknown\b(?!\[[\d.:a-f]+\]) | \bunexpected\b | \bsyntax\ error\b | \bexpected\b | \bcorrupt
        | \bbad\ address\b | \bserver\ misbehaving\b | \brun\ out\ of\ available\b | \bdisk\ is\ full\b
        | \bno\ primary\ server\ is\ available\b | \ -\ no\ response$ | \bis\ not\ a\ database\b
        | \bfor\ another\ platform\b | \binstance\ only\ has\b | \bmemory\ allocation\ of\ \d+\ bytes\ failed\b
        | \b(?:malformed|improper)\b | \bdowngrad(?:e|ing) | \bwrong\ (?:magic|architecture|format)\b
        | \bexec(?:ution)?\ format\ error\b
        | \b(?:must|should|can)\ not\ be\b | \brefus(?:ed|es|ing)\b | \bdue\ to\ insecure\b | \bdoes\ not\ align\b
        | \bno\ (?!(?:changes|custom|errors|issues|migrations|problems|updates)\b)(?:\w+\ ){1,4}found\b(?!\ -\ auto-)
        | (?<![_.-])\btimed?\ ?out\b | \bunreachable\b | \bno\ route\b | \bname\ resolution\b
        | \bname\ or\ service\b
        | \bno\ space\ left\b | \bout\ of\ memory\b | \bcannot\ allocate\b
        | \bread-only\ file\ ?system\b | \bquota\b
        | \bnot\ (?:enough|allowed|(?:an?\ )?valid|provided|configured|specified|initialized)\b
        | \bunbound\ variable\b | \bundefined\b
        | \bonly\ run\ as\b | \bnil\ pointer\b
        | \bnull\ (?:byte|object|pointer|reference|value)s?\b | \b(?:as|be|by|is|of|on|was)\ null\b
        | \bno\ (?:\w+\ ){0,3}(?:specified|provided|configured|given)\b
        | \bexpired\b | \bnot\ yet\ valid\b
        | (?<!\bnew\ )\bcertificate\b(?!.{0,40}\b(?:is\ valid\b(?!\ for)|valid\ until))
        | \bunauthorized\b
        | \bauthentication\ failed\b
        | \bversion\b.{0,60}\b(?:higher|lower|newer|older)\b | \bnewer\b | \bterminated\ by\ sig
        | \bmultiple\b | \bno\ outputs\b
        | \ban\ http\ request\ to\ an\ https\ server\b
        | \bappears\ to\ be\ migrating\b | \bno\ usable\b | \bis\ sealed\b
        | \bplaintext\b.{0,20}\ on\ an?\b | \bblocked\ by\b | \bwatermark\b.{0,20}\bexceeded\b
        | \bpending\ ?migrations?\b | \bmigrations?\ (?:is|are)\ pending\b | \bunapplied\ migration
        | \bterminating\b.{0,20}\buncaught\b
        | \b(?:wrong|bad)\ (?:option|signature|owner\w*|type|format|version|directive|number\ of)\b
        | \bneeds?\ to\ (?:be|contain|have|start|end|match)\b | \bdeprecated\b | \bambiguous\b
        | (?:\b(?:no[tn]|cannot|never|refus\w+|how\ to)|n't)\b.{0,60}\bas\ root\b
        | \bas\ root\b.{0,60}\b(?:not|without)\b
        | \bnot\ supposed\ to\b | \breason\ for\ termination\b | \bchecksum\ error\b
        | \b(?:enotfound|econnrefused)\b | \billegal\ instruction\b
        | \b(?:not\ |in)consistent\b | \bfailed\ migrations\b | \bno\ module\ named\b | \breadonly\ variable\b
        | \bnot\ (?:appear|seem)\ to\ be\b | \bhas\ to\ be\ (?:executed|run)\b | \bdeadline\ exceeded\b
        | \baccepts\ \d+\ arg | \bshould\ be\ at\ least\b | \bneeds\ cleaning\b | \bproperty\b.{1,80}\bwas\ not\ used\b
        | \bauth_failed\b | \bbad\ decrypt\b
        | \bfail(?:ed|ure)\ (?:to|in|with|opening|initiali[sz]ing|parsing|at|for\ domain)\b | \bassertion\b
        | \binsufficient\b | \blogin\ failed\b | \binterface\ conversion:
        | \b(?:disk\ i/o|input/output)\ error\b | \bdon't\ know\ how\ to\b
        | \bfor\ a\ later\ version\b | \bnot\ owned\ by\b | \b(?:is|was)\ not\ (?:yet\ )?formatted\b
        | \billegal\ option\b | \bno\ rule\ to\ make\b | \bbad\ substitution\b
        | \bon\ an\ `err`\ value\b | \bcreation\ failed\b | \balready\ added\ to\b | \byou\ need\ an?\b
        | \bset\ [a-z][a-z0-9]{0,40}_[a-z0-9_]{1,60}\ to\b | \bmanual\ (?:action|intervention)\b
        | \banother\ (?:instance|process|server)\b.{1,40}\b(?:already|holds|locked|running|using)\b
        | \bno\ help\ topic\ for\b | \bno\ python\ application\ found\b
        | \bcheck\ failed:\ | \bparser\ failed\b | \bno\ servers\ available\b
        | \bnot\ an?\ empty\b | \bmake\ sure\ \S{1,200}\ is\ empty\b
        | \bprovided\ but\ not\ defined\b | \benetunreach\b | \bbad_alloc\b | ^memoryerror$
        | \b(?:file|path)\ exists\b | \bstructure\ corruption\b | \bfile\ is\ not\ a\ database\b
        | ^(?:chmod|chown|cp|[ef]?grep|g?awk|jq|ln|mkdir|mv|rm|rsync|sed|tar|xargs):
            \ (?!building\ |created\ |overwrite\ |receiving\ |remove\ |removing\ leading\ |sending\ |warning:\ |\d)\S
        """,
        re.VERBOSE,
    ),
)
"""Words that explain a failure."""

STRONG = Phrases(
    worth=22,
    words=vocabulary(
        """
        denied permitted too such command must use lock incompatible refused could find
        exec space found support match open create start touch handle load bind
        downgrade name needs required variable root auth plaintext enotfound econnrefused instruction
        getaddrinfo sqlite
        """
    ),
    pattern=LazyPattern(
        r"""
        \bdenied\b | \bnot\ permitted\b | \btoo\ (?:low|old|new|many)\b | \bno\ such\ (?:file|host)\b
        | \bcommand\ not\ found\b
        | \bmust\ (?:be|specify|set)\b | \balready\ in\ use\b | \bin\ use\b | \bunable\ to\ lock\b
        | \bincompatible\b | \brefused\b
        | \bcould\ not\ (?:translate|resolve|connect|find|locate|bind|open|reserve)\b
        | \bcannot\ find\b | \bcan't\ find\b
        | \bunable\ to\ exec\b | \bno\ space\ left\b | \bnot\ found\ in\ upstream\b
        | \bdoes\ not\ support\b | \bdoesn't\ match\b
        | \bcan(?:not|'t)\ (?:start|open|create|touch|handle|load|bind|downgrade)\b
        | \bname\ or\ service\ not\ known\b | \bneeds\ to\ (?:be|contain|have|start|end)\b
        | \b[a-z]\w{0,60}_\w{1,60}\ is\ required\b | \bvia\ the\ environment\ variable\b
        | (?:\b(?:no[tn]|cannot|never|refus\w+|how\ to)|n't)\b.{0,60}\bas\ root\b
        | \bas\ root\b.{0,60}\b(?:not|without)\b
        | \bby\ "?root\b
        | \bplaintext\b.{0,20}\ on\ an?\b | \bunable\ to\ create\ (?:directory|file|folder)\b
        | \b(?:enotfound|econnrefused)\b | \billegal\ instruction\b | \bauth_failed\b
        | \bfailed\ to\ bind\ properties\ under\b | \bgetaddrinfo\(host=
        | \bsqlite_(?:cantopen|corrupt|full|ioerr|notadb|readonly)\b
        """,
        re.VERBOSE,
    ),
)
"""Words that seldom are in a line that does not explain."""

GENERIC = Phrases(
    worth=-45,
    words=vocabulary(
        """
        bootstrap unexpected application boot exception init failed error startup
        specified engine data run connection invocation config command executing fatal
        upstream unable shut sockets running stopped crashed id code database occurred protocol
        conditionevaluationreport overcommit errors due assertion java configuration contains
        server internal validation environment following panicked backlog system issues
        initialization initialisation transferred
        context report terminating above run virtual registry jenkins initialize ffmpeg stream see parsing open
        """
    ),
    pattern=LazyPattern(
        r"""
        \bfailed\ to\ post\ process\ the\ configuration\b
        | \b(?:bootstrap\ checks?\ failed|unexpected\ error(?!\ running\ liquibase:\ \S)|application\ run\ failed
            |application\ failed\ to\ start|boot\ failed)\b
        | \bexception\ (?:in\ worker\ process|during\ startup|on\ startup)\b
        | \binit\ function\ returned\ error\b
        | \bfailed\ to\ start\ (?:(?:quarkus|server|application)\b|[\w-]+\s*$)
        | \berror\ (?:starting|initiali[sz]ing)\ (?:tomcat|neo4j|application)
        | \bduring\ \w*\ ?startup\b | \bwas\ not\ specified\ correctly\b | \bstartup\ process\b
        | \baborting\ startup\b | \b(?:un|wasn't\ |not\ )able\ to\ start\b
        | \bregistration\ as\ a\ storage\ engine\b | \bunknown/unsupported\ storage\ engine\b
        | \bfailed\ to\ initiali[sz]e\ (?:dd\b|jenkins\s*$) | \bfailed\ to\ load\ registry\s*$
        | \bdata\ dictionary\ initiali[sz]ation\b | \bcould\ not\ run\b
        | \bconnection\ attempt\ failed\b | \binvocation\ of\ init\ method\b
        | \binvalid\ \S+\ invocation\b
        | \bunable\ to\ read\ frames\ from\ ffmpeg\b | \bffmpeg\ process\ (?:is\ not\ running|crashed)\b
        | \bthe\ following\ ffmpeg\ logs\b | \bmaybe\ incorrect\ parameters\ such\ as\ bit_rate\b
        | \binvalid\ config,\ exiting\b | \berror\ loading\ config\ file\s+--\s+exiting\b
        | \bcommand\ execution\ failed\b | \berror\ executing\ action\b | \bthere\ was\ an\ error\b
        | \bfatal\ error\ loading\b(?!.{0,40}\bdenied\b) | \bunable\ to\ open\ (?:logs|the\ first\ data\ file)\b
        | \bwas\ shut\ down\b
        | \bfailed\ to\ initiali[sz]e\ server
        | \bno\ listening\ sockets\b | \bnot\ running\b\s*$ | \bno\ upstream\ connections\ available\ to\b
        | \bstopped\ processing\ because\ of\ an\ error\b | \bapp\ crashed\b
        | ^\s*error\ id: | ^\s*error\ (?:code|description|details?|message|reason):\s*$
        | ^\*+\ ?error\ found\ | ^\S*\s*error\ found\ at\b
        | \berror\ occurred\ at\ line\b
        | \bunknown\ database\ error\b | ^rsync\ error:\ .{1,120}\ \(code\ \d{1,3}\)\ at\b
        | \bwhen\ starting\ dev\ server\b | \berror\ occurred\ during\ initialization\b
        | \berror\ initialising\ module\b
        | \bprotocol\ handler\ initiali[sz]ation\ failed\b | \ban\ (?:internal\ |unexpected\ )?error\ occurred\b
        | \bfatal\ error\b\s*$ | \berror\ during\ (?:global\ )?initiali[sz]ation\b\s*$
        | \bdue\ to\ (?:the\ )?(?:above\ |previous\ )?errors?\b
        | \breason:\ (?:app|worker)\ failed\ to\ (?:boot|load)\b
        | \b(?:env(?:ironment)?|settings)\ file\ is\ (?:invalid|not\ valid)\W*$
        | \bfailed\ with\ (?:exit\ )?status\ \d{1,3}\s*$ | \bcannot\ load\ config(?:uration)?(?:\ file)?\s*$
        | \berror\ loading\ config(?:uration)?:?\s*$ | ^\s*reading\ the\ configuration\ file,\ at\b
        | \bfatal\ config\ file\ error\b | \bconditionevaluationreport
        | \bunable\ to\ create\ mmap-ed\b | \bwarning:?\ overcommit_memory\b
        | \bmemory\ overcommit\ must\ be\ enabled\b
        | \bnode\ validation\ exception\b | \binvalid\ environment\ variables\W*$
        | \bthe\ following(?:\ error\(s\))?:?\s*$ | \bfailed\ to\ update\ database\s*$
        | \bpanicked\ at\ \S+:\d+:\d+:\s*$
        | \bstarting\ java\ failed\b | \bfatal\ assertion\b | \bcontains\ errors\b
        | \bcould\ not\ load\ \S{1,200}\.conf\s*$
        | \berrors?\ in\ (?:the\ )?config\w*:?\s*$ | ^\W*(?:\w+\ )?error\W*$
        | ^\W*fatal\ error\ in\ \S{0,200},\ line\ \d+\W*$ | \bconfiguration\ is\ required\W*$
        | ^\(no\ error\ logger\ present\)
        | \bconfig\ provider\ \S+\ failed\ with: | ^\s*error:\ err_\w+\s*$
        | \binitiali[sz]ation\ failed\s*$ | \bconfig(?:uration)?\ file\ is\ not\ valid\b
        | ^(?:error:\ )?command\ failed:\ | \bidentified\ some\ issues:?\s*$
        | \bconfiguration\ (?:is\ invalid|errors:?)\s*$
        | \bcontext\ cancell?ed\b | ^=\w+\ report=+ | ^terminating\.:
        | \bsee\ (?:the\ )?(?:errors?|messages?|warnings?)\ above\b | \brun\ failed\ with\ error\ -?\d+
        | \bcould\ not\ create\ the\ java\ virtual\ machine\b
        | \ba\ fatal\ exception\ has\ occurred\b | \bfailed\ to\ start\ [\w-]+\.\s*$
        | \btcp\ backlog\ setting\b | \berror:\ \d+,\ severity:\ \d+
        | \bsee\ previous\ errors\b | \bparsing\ the\ config\ file\ failed\b | \bcan't\ open/parse\ the\ config\ file\b
        | ^error:\ can't\ open\ file\ or\ directory\s*$ | :\d{1,6}:\ parsing\ failed:\ permission\ denied\b
        | \bloading\ configuration:\ permission\ denied\b
        | \bserver\ initiali[sz]ation\ failed\b
        """,
        re.VERBOSE,
    ),
)
"""Errors that do not name their kind."""

FAREWELL = Phrases(
    worth=-40,
    words=vocabulary(
        """
        aborting exiting shutting shut shutdown stopping stopped terminating terminated
        closing closed goodbye bye exit exited exits node now go worker entered aborted
        segmentation core sigabrt running gave npm crash received container start service failed
        """
    ),
    pattern=LazyPattern(
        r"""
        \b(?:aborting|exiting|shutting\ down|shut\ ?down|stopping|stopped
            |terminating|terminated|closing|(?<!not\ )closed|goodbye|bye)\b\.?\s*$
        | \bshut(?:ting)?\ ?down\b | ^exiting\b(?!:\ \S)
        | \bexit(?:ed|ing)?\ (?:with\ )?(?:status|code|value|abnormally)\b | ^exit\ status
        | ^node\.js\ v\d | \bnow\ exiting\b | \bi\ have\ to\ go\b | \bstopping\ server\b
        | \bworker\ failed\ to\ boot\b
        | \bentered\ fatal\ state\b | \baborting\.?$ | ^aborted\b | ^segmentation\ fault
        | \bstopping\ the\ container\b | ^(?!.*\billegal\ instruction).*\bcore\ dumped\b | ^sigabrt\b
        | ^failed\ running\ " | \bgave\ up\b | \baborting\ after\ \w{1,20}\(\)\ failure
        | \bfailed\ with\ (?:exit\ )?status\ \d{1,3}\s*$
        | ^npm\ (?:err!|error)\ (?:code|errno|exit|failed|this|a\ complete|\s|$)
        | \bfailed\ to\ start\.?\s*$ | \bterminating\ in\ do_boot\b
        | \(systemexit\)\ exit\b  # JRuby
        | \bcrash\ dump\b | ^crash\ dump | \breceived\ signal\b
        | ^\[(?:cont-init|services|cmd|s6)[\w.-]{0,20}\]\ \S{1,200}\ exited\ \d+ | \bunable\ to\ start\ service\b
        """,
        re.VERBOSE,
    ),
)
"""Last words of programs, whatever ended them."""

HINT = Phrases(
    worth=-35,
    words=vocabulary(
        """
        http https for check see note usage flags hint community may you reason this
        consider please action description report search which there our documentation
        help perhaps learn to if encountering
        """
    ),
    pattern=LazyPattern(
        r"""
        ^\s*https?://\S+\s*$ | \bfor\ (?:more|further)\ (?:details|information|help)\b
        | \bcheck\ the\ logs\b | \bsee\ '.*-h' | ^see\ \S+\ for
        | ^note:\ run\ with | \bfor\ help\b | ^\s*usage: | ^\s*flags: | ^\s*hint:
        | \bcommunity\b.*https?:// | ^\W*(?:you\ |this\ )?may\ need\ to\b
        | \byou\ may\ (?:have|also)\b | ^reason:\ (?:worker|failed\ to\ determine)
        | \bthis\ is\ probably\ not\b | ^consider\b
        | \bplease\ follow\b | ^\s*action: | ^\s*description:\s*$ | \berror\ report\ file\b
        | \bsearch\ for\ solutions\b | \bplease\ report\b | \bkeep\ encountering\b
        | \bcheck\ that\ you\ do\ not\ already\b | \bwhich\ might\ have\b
        | ^\s*\#\ there\ is\ insufficient | \bthis\ is\ ignored\ for\ now\b
        | ^\W*if\ you\ (?:need|want|wish)\ to\b
        | ^learn\ (?:more|about)\b | ^to\ .{1,60}:\s*$ | \bour\ fatalactions\b | ^perhaps\b | \bdocumentation\ at\b
        """,
        re.VERBOSE,
    ),
)
"""Advice and pointers beside the reason."""

SETTING = Phrases(
    worth=8,
    words=vocabulary("variable variables setting settings option options directive parameter"),
    pattern=LazyPattern(
        r"\b(?:variables?|settings?|options?|directive|parameter)\b.*"
        r"\b(?:needs?|must|is|are|not|cannot|invalid|unknown|missing|required|deprecated)\b"
    ),
)
"""If two lines explain a failure, the line that names the change counts more."""

UNFINISHED = Phrases(
    worth=20,
    words=vocabulary("while"),
    pattern=LazyPattern(
        r"\bwhile\ (?:parsing|scanning)\ an?\ (?:block|flow|plain|quoted|simple)\b"
    ),
)
"""The first line of PyYAML's message, whose next lines explain more where they were printed."""

TOOL_ENDED = Phrases(
    worth=22,
    words=vocabulary("curl wget rsync ssh git dump tar"),
    pattern=LazyPattern(
        r"""
        \b(?:curl|wget|rsync|ssh|git|pg_dump|tar)\b[^\n\d]{0,100}?
            \b(?:code|ended|error|exit(?:ed)?|return(?:ed|s)?|status)(?:\ (?:code|status|value|with)){0,3}\W{0,3}[1-9]
        """,
        re.VERBOSE,
    ),
)
"""The exit code of a tool that the program has run: it explains more than the farewell that it
looks like."""

PHRASES = (EXPLAINS, STRONG, SETTING, GENERIC, FAREWELL, HINT, UNFINISHED, TOOL_ENDED)
