"""The first steps after a run that failed: which cures of the page suit it."""

import shlex

from diagnose.evidence.containers.ends.silent_faults import silent_fault_steps
from diagnose.evidence.containers.logs.passing_failures import may_have_passed
from diagnose.evidence.containers.mounts.host_paths import stray_path
from diagnose.evidence.containers.programs.missing_modules import MissingModule
from diagnose.evidence.containers.settings.changed_words import with_text
from diagnose.evidence.images.listing import Images
from diagnose.first_steps.changed_compose import changed_variables
from diagnose.first_steps.data_releases import image_of_data
from diagnose.first_steps.failed_run import FailedRun
from diagnose.first_steps.image_steps import build_before, image_steps
from diagnose.first_steps.installed_parts import mended_image
from diagnose.first_steps.named.code_steps import code_variables
from diagnose.first_steps.named.line_steps import line_variables
from diagnose.first_steps.named.named_things import is_better_looked_at, named_thing_steps
from diagnose.first_steps.named.named_variables import missing_variable_steps
from diagnose.first_steps.network.peer_port_steps import steps_to_offered_port
from diagnose.first_steps.setting_steps import setting_variables
from diagnose.mappings import first_of, present
from diagnose.model import PageVariables


def steps_of(run: FailedRun) -> PageVariables:
    """The page variables of the cures that suit this failure.

    Another start is worth a try where nothing lasting has ended the run: see `_lasts`.
    """
    container = run.container
    tail = run.tail
    setting = run.setting
    calls = run.calls
    may_help = may_have_passed(container, tail, setting) or calls.are_back
    is_worth_a_start = may_help and not _lasts(run)
    steps = {
        **present({"again": container.name if is_worth_a_start else ""}),
        **calls.variables,
        **setting_variables(container, tail, setting, may_pass=is_worth_a_start),
    }
    return _without_links(run, steps) | further_steps(run)


def further_steps(run: FailedRun) -> PageVariables:
    """The first steps about the image, the compose file and the mounts."""
    container = run.container
    tail = run.tail
    context = run.context
    inside = _steps_inside(run)
    # what is seen in this image is in no other build of it
    images = context.images if "mended" not in inside else None
    return _without_links(
        run,
        silent_fault_steps(container, context.log_tails)
        | _image_steps(run, images)
        | (inside if run.seen_inside else mended_image(container, tail.failure))
        | _image_before(run)
        | image_of_data(container, tail.failure)
        | changed_variables(container, run.changed)
        | _hidden_variables(run)
        | line_variables(container, tail, run.setting)
        | code_variables(container, tail)
        | dict(run.look)
        | _named_steps(run)
        | _room_variables(run)
        | dict(run.corrected)
        | _steps_to_inner_path(run)
        | steps_to_offered_port(container, run.calls)
        | dict(run.server)
        | ({"misnamed": run.own.server, "own_setting": run.own.place} if run.own else {})
        | (run.loopback.steps if run.loopback is not None else {})
        | dict(run.row),
    )


def _steps_inside(run: FailedRun) -> PageVariables:
    """The page variables of a remedy for a failure that the image shows: the image's own command
    in place of one for development, or the command that a file inside asks for."""
    state_inside = run.seen_inside
    container = run.container
    commands = run.context.image_commands
    if state_inside is None or not isinstance(state_inside, MissingModule):
        return state_inside.steps if state_inside is not None else {}
    own_command = (commands.of(container) or ()) if commands is not None else ()
    return {"own_start": shlex.join(own_command)} if own_command and state_inside.manifest else {}


def _image_steps(run: FailedRun, images: Images | None) -> PageVariables:
    """The page variables about the image, without a list of the folder where a file was already
    looked for."""
    commands = run.context.image_commands
    steps = image_steps(run.container, run.tail, images, commands, run.calls)
    if isinstance(run.seen_inside, MissingModule) and run.seen_inside.triggers:
        return {name: value for name, value in steps.items() if name != "inside"}
    return steps


def _image_before(run: FailedRun) -> PageVariables:
    """The image of its predecessor, or an earlier build where the log explains nothing."""
    if run.former_image is None and not _is_unexplained(run):
        return {}
    return build_before(run.container, run.context.images, run.former_image)


def _is_unexplained(run: FailedRun) -> bool:
    """Whether the log names no known failure, no setting and no peer, and nothing changed."""
    is_named = run.setting is not None or bool(run.calls.callees or run.strays)
    return run.tail.failure is None and not is_named and run.changed is None


def _lasts(run: FailedRun) -> bool:
    """Whether the cause will still be there at another start: a place that nobody serves, or a
    thing that its log names and that needs a look."""
    container = run.container
    is_named = is_better_looked_at(container, run.tail.telling_text)
    is_in_code = bool(code_variables(container, run.tail))
    return _calls_nobody(run) or run.calls.are_deaf or is_named or is_in_code


def _calls_nobody(run: FailedRun) -> bool:
    """Whether another start finds the called server no better: a name that no container has, its
    own localhost, or a place where a look shows the listener."""
    failure = run.tail.failure
    container = run.container
    is_of_loopback = failure is not None and failure.name.startswith("loopback-")
    calls_itself = is_of_loopback and not container.shares_network
    is_looked_at = bool({"asked_host", "calls_of"} & set(run.look)) and not run.calls.callees
    return bool(run.strays) or calls_itself or is_looked_at


def _steps_to_inner_path(run: FailedRun) -> PageVariables:
    """The page variables that write the container's path in place of the host's, where one variable
    or word of the command has that."""
    stray = stray_path(run.container, run.tail.telling_text)
    if stray is None or not stray.path_inside:
        return {}
    return with_text(run.container, stray.path, stray.path_inside)


def _without_links(run: FailedRun, steps: PageVariables) -> PageVariables:
    """The steps that change no file to which a link of the container leads."""
    linked = run.context.linked_files
    return linked.without(steps) if linked is not None else steps


def _hidden_variables(run: FailedRun) -> PageVariables:
    """The page variable of the only empty folder that hides files of the image, where the log
    explains nothing better."""
    mounts = run.context.empty_mounts
    is_explained = run.setting is not None or run.tail.failure is not None
    return {} if mounts is None or is_explained else mounts.variables_of(run.container)


def _named_steps(run: FailedRun) -> PageVariables:
    """The page variables of things that the line names, other than a variable or an option."""
    setting = run.setting
    tail = run.tail
    is_given = setting is not None and not setting.path and not setting.folder
    if is_given or tail.telling is None:
        return {}
    text = tail.telling.whole
    variable_steps = (
        missing_variable_steps(run.container, text) if tail.known_failure is None else {}
    )
    return variable_steps or named_thing_steps(run.container, text)


def _room_variables(run: FailedRun) -> PageVariables:
    """The page variables of the folder to which the program writes, if its log says that there
    is no room: its first mount."""
    tail = run.tail
    info = run.context.info
    if (
        "no-space" not in tail.signs
        and tail.failure_named("database-io", "space-short", "steam-room") is None
    ):
        return {}
    mounts = run.container.mounts
    mounted = [mount.source for mount in mounts if mount.rw and mount.has_host_path]
    root = info.docker_root_dir if info is not None else ""
    return present({"room": first_of(mounted, root)})
