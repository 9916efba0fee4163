"""Remedies of known failures that change a variable, an option, a limit or a line of a file."""

import posixpath
import re

from diagnose.evidence.containers.settings import changed_words
from diagnose.evidence.containers.settings.named.named_settings import named_setting
from diagnose.evidence.containers.settings.named.setting_variables import variable_called
from diagnose.first_steps.rows.row_case import RowCase, steps
from diagnose.first_steps.value_corrections import corrected_word
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only, present
from diagnose.model import PageVariables
from diagnose.phrases import MIB
from diagnose.programs.failures import remedies
from diagnose.programs.telling_line import TellingLine

_SHARE = 0.75
"""The share of a container's memory that a heap gets: threads, code and buffers lie beside it."""
_MORE_PIDS = 4
"""The factor by which a limit of processes is raised."""
_AMOUNT = LazyPattern(r"(?P<number>\d{1,15}(?:\.\d{1,9})?)\s{0,9}(?P<unit>[MG])", re.IGNORECASE)
_SPARE = 1.25
"""The memory to give, as a multiple of the memory that the program asks for."""
_NESTED = (".yaml", ".yml")
"""Files in which a key with dots is spread over several lines."""
_BARE_ENTRYPOINTS = frozenset({"docker-php-entrypoint", "tini", "dumb-init", "--"})
"""The last words of entrypoints that run any command unchanged."""


@steps.register(remedies.Dropped)
def _drop_option(remedy: remedies.Dropped, case: RowCase) -> PageVariables:
    option = case.failure.filled(remedy.option)
    return changed_words.without_option(case.container, option) or changed_words.commented_out(
        case.container, option
    )


@steps.register(remedies.CommentedOut)
def _comment_out(remedy: remedies.CommentedOut, case: RowCase) -> PageVariables:
    setting = named_setting(case.container, TellingLine(case.failure.line))
    word = case.failure.filled(remedy.word)
    if setting is None or not setting.path or not word:
        return {}
    corrected = corrected_word(case.failure.line)
    if corrected is not None and corrected.old == word:
        return changed_words.line_with_text(setting.path, setting.line, *corrected)
    if "." in word and setting.path.endswith(_NESTED):
        return {}
    return changed_words.line_commented_out(setting.path, setting.line, word)


@steps.register(remedies.Corrected)
def _correct_text(remedy: remedies.Corrected, case: RowCase) -> PageVariables:
    """The page variables that correct a text in a file.

    A word such as `app` may be a host or a path in any other line.
    """
    line = case.failure.line
    word = case.failure.filled(remedy.old)
    setting = named_setting(case.container, TellingLine(line))
    if not word or setting is None or setting.path_inside not in line:
        return {}
    if not (setting.path and setting.line):
        return {}
    return changed_words.line_with_text(setting.path, setting.line, word, remedy.new)


@steps.register(remedies.Given)
def _give_option(remedy: remedies.Given, case: RowCase) -> PageVariables:
    return changed_words.with_option(case.container, case.failure.filled(remedy.option))


@steps.register(remedies.Preceded)
def _put_steps_first(remedy: remedies.Preceded, case: RowCase) -> PageVariables:
    """The page variables of a shell command before the program.

    Empty where the image has an entrypoint of its last_word: it skips its steps for a shell.
    """
    last_word = (case.container.config.entrypoint or [])[-1:]
    if any(posixpath.basename(word) not in _BARE_ENTRYPOINTS for word in last_word):
        return {}
    return changed_words.preceded_by(case.container, remedy.command)


@steps.register(remedies.BareArguments)
def _leave_program_out(remedy: remedies.BareArguments, case: RowCase) -> PageVariables:
    program = case.failure.filled(remedy.program)
    last_word = (case.container.config.entrypoint or [""])[-1]
    if remedy.of_entrypoint and posixpath.basename(last_word) != program:
        return {}
    return changed_words.without_program(case.container, program)


@steps.register(remedies.Replaced)
def _replace(remedy: remedies.Replaced, case: RowCase) -> PageVariables:
    container = case.container
    old = case.failure.filled(remedy.old)
    new = case.failure.filled(remedy.new)
    if not old:
        return {}
    return changed_words.with_text(container, old, new) or changed_words.with_text_in_file(
        container, old, new
    )


@steps.register(remedies.Assigned)
def _assign_variable(remedy: remedies.Assigned, case: RowCase) -> PageVariables:
    """The page variables that give a variable another value.

    Empty where a neighbour has the value: its data is mounted here then.
    """
    set_variables = [name for name in remedy.variables if case.container.config.sets(name)]
    value = case.failure.filled(remedy.value)
    neighbours = case.containers.beside(case.container) if case.containers is not None else []
    if not set_variables or any(
        other.config.value_of(set_variables[0]) == value for other in neighbours
    ):
        return {}
    return changed_words.with_value(case.container, set_variables[0], value)


@steps.register(remedies.Extended)
def _extend_list(remedy: remedies.Extended, case: RowCase) -> PageVariables:
    return changed_words.with_entry(
        case.container, remedy.variables, case.failure.filled(remedy.entry)
    )


@steps.register(remedies.Parameter)
def _parametrise(remedy: remedies.Parameter, case: RowCase) -> PageVariables:
    """The page variables that add a parameter to an address.

    A program whose settings have no address has a switch of its own for TLS.
    """
    changed = changed_words.with_parameter(case.container, remedy.scheme, remedy.parameter)
    if not changed and remedy.parameter == "sslmode=disable":
        changed = changed_words.with_tls_off(case.container)
    return _with_warned_variable(changed)


@steps.register(remedies.Filtered)
def _filter(remedy: remedies.Filtered, case: RowCase) -> PageVariables:
    return _with_warned_variable(
        changed_words.without_entries(
            case.container, remedy.variable, remedy.begin, remedy.separator
        )
    )


def _with_warned_variable(steps: PageVariables) -> PageVariables:
    """The page variables of a variable with a value that protects less, as its page has to warn."""
    return {"unprotected": steps["assignment"]} if steps else {}


@steps.register(remedies.Typed)
def _type_variable(remedy: remedies.Typed, case: RowCase) -> PageVariables:
    """The page variables of a variable that a person types.

    A variable that the log names counts if the container has it: elsewhere a file may set it.
    """
    variable = case.failure.filled(remedy.variable)
    is_named = variable != remedy.variable
    own_name = variable_called(case.container, variable) if is_named else variable
    return present({"typed": own_name})


@steps.register(remedies.TypedLike)
def _type_variable_like(remedy: remedies.TypedLike, case: RowCase) -> PageVariables:
    names = {name for name, _ in case.container.config.environment}
    alike = [name for name in sorted(names) if re.search(remedy.pattern, name)]
    return present({"typed": only(alike)})


@steps.register(remedies.TypedOption)
def _type_option(remedy: remedies.TypedOption, _case: RowCase) -> PageVariables:
    return {"typed_option": remedy.option}


@steps.register(remedies.Generated)
def _generate_value(remedy: remedies.Generated, case: RowCase) -> PageVariables:
    is_set = case.container.config.sets(remedy.variable)
    return {} if is_set else {"generated": remedy.variable}


@steps.register(remedies.Heap)
def _enlarge_heap(remedy: remedies.Heap, case: RowCase) -> PageVariables:
    """The page variables of a variable with the heap of a runtime: a share of the memory limit, or
    of the host's."""
    container = case.container
    settings = (*container.config.words, *container.config.variable_values)
    if any(mark in text for mark in remedy.marks for text in settings):
        return {}
    limit = container.host_config.memory
    size = int(limit * _SHARE) // MIB or (_heap_of_host(case.host_memory) if remedy.of_host else 0)
    option = remedy.option.replace("{mib}", str(size))
    before = container.config.value_of(remedy.variable)
    value = f"{before} {option}" if before else option
    return changed_words.with_value(container, remedy.variable, value) if size else {}


def _heap_of_host(memory: int) -> int:
    """MiB for a program of Node.js without a limit, 0 where the host's memory is not known.

    Twice its own default (2 GiB, and 4 GiB on hosts from 15 GiB on), or the memory of the host.
    """
    return min(int(memory * _SHARE), max(4096 * MIB, memory // 2), 8192 * MIB) // MIB


@steps.register(remedies.Raised)
def _raise_limit(remedy: remedies.Raised, case: RowCase) -> PageVariables:
    """The page variables of a larger limit of processes, or of memory where the log names
    the need."""
    config = case.container.host_config
    if remedy.limit == "pids":
        limit = config.pids_limit or 0
        return {"pids": str(limit * _MORE_PIDS)} if limit > 0 else {}
    amount = _AMOUNT.search(case.failure.filled(remedy.least))
    if amount is None or not config.memory:
        return {}
    factor = 1024 if amount["unit"] in "gG" else 1
    enough = int(float(amount["number"]) * factor * _SPARE)
    return {"memory": f"{enough}m"} if enough * MIB > config.memory else {}
