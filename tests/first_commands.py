"""What the lab's cures leave open: first commands that are judged by reading."""

from __future__ import annotations

JUDGED: dict[str, tuple[str, str]] = {
    "programs.localhost_in_a_container": (
        "heals",
        "it calls the other container by its name; the database of the lab is a program that sleeps",
    ),
    "programs.mount_one_level_too_high": ("half", "it saves the data; the mount is moved by hand"),
    "programs.database_of_another_major_version": (
        "heals",
        "the release that wrote the data; the lab has no registry to pull it from",
    ),
    "container.script_for_a_missing_interpreter": (
        "decides",
        "a pull shows whether the image was mended under its tag",
    ),
    "container.script_whose_interpreter_env_does_not_find": ("decides", "as above"),
    "container.program_that_is_not_there": (
        "decides",
        "a pull shows whether the image was mended under its tag",
    ),
    "container.program_that_is_not_there_below_an_init": (
        "half",
        "it says by hand that the program belongs in the image",
    ),
    "container.built_for_another_machine": (
        "decides",
        "a pull shows whether there is an image for this machine; the lab's has no registry",
    ),
    "container.built_for_another_machine_and_restarted": ("decides", "as above"),
    "container.empty_folder_for_a_file": ("half", "the file has to be put there"),
    "container.folder_over_a_file": ("half", "the file has to be put there"),
    "container.source_gone_before_the_start": ("half", "the file has to be put there"),
    "real_servers.nginx_with_a_folder_for_a_file": ("half", "the file has to be put there"),
    "container.probe_cannot_run": ("heals", "typed by hand on 20.10 and 28.5"),
    "programs.programs_behind_a_shell": (
        "heals",
        "the first of its containers; the others are faults of their own",
    ),
    "daemon_told.old_client": (
        "heals",
        "where the unit starts the engine; a box has no unit",
    ),
    "daemon_told.clock_was_ahead": ("heals", "it sets the clock; a box shares the machine's"),
    "dns.link_to_nothing": (
        "heals",
        "it starts the resolver that the link points to; the lab has none",
    ),
    "dns.only_tcp_gets_through": ("half", "for programs with glibc alone"),
    "firewall.legacy_beside_nft": (
        "heals",
        "it takes all legacy rules away; the lab does the policy alone",
    ),
    "engine_wounds.layers_deleted": (
        "heals",
        "the engine forgets the images; the containers are made again by hand",
    ),
    "engine_wounds.image_with_a_directory_users_files": ("half", "the pull has to be repeated"),
    "image.built_for_another_processor": (
        "decides",
        "a pull shows whether there is an image for this machine",
    ),
    "image.no_right_to_an_image": ("decides", "a login shows whether the account may pull"),
    "image.no_such_tag": ("no", "the tag is wrong"),
    "engine_wounds.image_larger_than_the_disk": ("half", "it frees what can be freed"),
    "image.hub_counts_pulls": ("heals", "an account has its own count"),
    "dns.resolver_does_not_answer": (
        "decides",
        "it asks the router, and names it in the file where it answers",
    ),
    "image.proxy_is_down": (
        "decides",
        "it asks the registry without the proxy, and takes the proxy out where that works",
    ),
    "image.registry_signed_by_itself": ("heals", "the next pull trusts the certificate"),
    "engine_wounds.volume_of_an_unknown_file_system": (
        "heals",
        "where the kernel has the module; the lab's has not",
    ),
    "storage.network_volume_stale": ("heals", "the same command by hand healed it"),
    "storage.scratch_full": (
        "half",
        "four times the size; a program that takes all needs another cure",
    ),
    "swarm.node_down": ("heals", "on that node, which is no box of the lab"),
    "swarm.quorum_lost": ("heals", "on that manager, which is no box of the lab"),
    "daemon.forbidden": ("heals", "root sees everything"),
    "security.insecure_registry": (
        "heals",
        "it trusts the certificate; the entry has to go as well",
    ),
    "security.secret_in_an_image": ("half", "the secret has to be changed too"),
    "storage.overlay_orphans": ("half", "the page says to leave the rest alone"),
    "container.killed_for_memory_over_and_over": ("half", "the program takes all that it is given"),
    "daemon_told.open_to_all": (
        "heals",
        "where the unit starts the engine; a box has no unit",
    ),
    "daemon_plugins.plugin_left_its_socket": (
        "heals",
        "it healed; the lab had typed an example of the page before it",
    ),
    "engine_wounds.record_of_volumes_locked": ("heals", "the lab did its two steps in turn"),
    "network.default_route_to_nobody": (
        "heals",
        "the same commands as for a route that was deleted",
    ),
    "resources.held_back": ("heals", "the limit is doubled, and nothing is held back any more"),
    "storage.d_type_missing": ("heals", "the lab had to write the line of fstab first"),
}
"""By scenario: the verdict and the reason. "no": it does not help in this case."""
