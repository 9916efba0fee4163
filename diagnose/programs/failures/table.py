"""The order of the rows: where one line shows two failures, the earlier row wins.

The rows are in the rooms beside this module, by what they are about. A new row needs a line of a
real log in `tests/programs/lines/`, in the room and the module of the same name.
"""

from diagnose.programs.failures.databases.agents import AGENTS
from diagnose.programs.failures.databases.brokers import BROKERS
from diagnose.programs.failures.databases.called_servers import CALLED_SERVERS
from diagnose.programs.failures.databases.client_replies import CLIENT_REPLIES
from diagnose.programs.failures.databases.cluster_members import CLUSTER_MEMBERS
from diagnose.programs.failures.databases.data_versions import DATA_VERSIONS
from diagnose.programs.failures.databases.database_clients import DATABASE_CLIENTS
from diagnose.programs.failures.databases.database_rights import DATABASE_RIGHTS
from diagnose.programs.failures.databases.database_servers import DATABASE_SERVERS
from diagnose.programs.failures.databases.locks import LOCKS, PID_FILES
from diagnose.programs.failures.databases.metric_stores import METRIC_STORES
from diagnose.programs.failures.databases.object_stores import OBJECT_STORES
from diagnose.programs.failures.databases.schema_changes import SCHEMA_CHANGES
from diagnose.programs.failures.databases.search_servers import SEARCH_SERVERS
from diagnose.programs.failures.databases.server_data import SERVER_DATA
from diagnose.programs.failures.databases.server_starts import SERVER_STARTS
from diagnose.programs.failures.host.file_modes import FILE_MODES
from diagnose.programs.failures.host.files import FILES
from diagnose.programs.failures.host.kernel_settings import KERNEL_SETTINGS
from diagnose.programs.failures.host.options import OPTIONS
from diagnose.programs.failures.host.output_places import OUTPUT_PLACES
from diagnose.programs.failures.host.rights import RIGHTS
from diagnose.programs.failures.languages.installs import INSTALLS
from diagnose.programs.failures.languages.library_versions import LIBRARY_VERSIONS
from diagnose.programs.failures.languages.memory import MEMORY
from diagnose.programs.failures.languages.process_managers import PROCESS_MANAGERS
from diagnose.programs.failures.languages.processors import PROCESSOR, SYSTEM_CALLS
from diagnose.programs.failures.languages.runtimes import RUNTIMES
from diagnose.programs.failures.network.forwarding import FORWARDING
from diagnose.programs.failures.network.neighbours import NEIGHBOURS
from diagnose.programs.failures.network.network_servers import NETWORK_SERVERS
from diagnose.programs.failures.network.nginx import NGINX
from diagnose.programs.failures.network.refused_clients import REFUSED_CLIENTS
from diagnose.programs.failures.network.tunnels import TUNNELS
from diagnose.programs.failures.network.upstreams import UPSTREAMS
from diagnose.programs.failures.network.web_folders import WEB_FOLDERS
from diagnose.programs.failures.network.web_servers import WEB_SERVERS
from diagnose.programs.failures.products.applications import APPLICATIONS
from diagnose.programs.failures.products.backups import BACKUPS
from diagnose.programs.failures.products.chain_nodes import CHAIN_NODES
from diagnose.programs.failures.products.collectors import COLLECTORS
from diagnose.programs.failures.products.directory_servers import DIRECTORY_SERVERS
from diagnose.programs.failures.products.given_up_starts import GIVEN_UP_STARTS
from diagnose.programs.failures.products.home_servers import HOME_SERVERS
from diagnose.programs.failures.products.runners import RUNNERS
from diagnose.programs.failures.recognition import Failure
from diagnose.programs.failures.settings.credentials import CREDENTIALS
from diagnose.programs.failures.settings.image_variables import IMAGE_VARIABLES
from diagnose.programs.failures.settings.references import REFERENCES
from diagnose.programs.failures.settings.server_files import SERVER_FILES
from diagnose.programs.failures.settings.variables import VARIABLES

FAILURES: tuple[Failure, ...] = (
    *APPLICATIONS,
    *BACKUPS,
    *HOME_SERVERS,
    *CHAIN_NODES,
    *GIVEN_UP_STARTS,
    *FILE_MODES,
    *DATABASE_SERVERS,
    *SERVER_DATA,
    *SERVER_STARTS,
    *SERVER_FILES,
    *KERNEL_SETTINGS,
    *DATA_VERSIONS,
    *CLUSTER_MEMBERS,
    *AGENTS,
    *BROKERS,
    *SEARCH_SERVERS,
    *OBJECT_STORES,
    *METRIC_STORES,
    *DIRECTORY_SERVERS,
    *NETWORK_SERVERS,
    *SCHEMA_CHANGES,
    *LOCKS,
    *PID_FILES,
    *IMAGE_VARIABLES,
    *VARIABLES,
    *PROCESSOR,
    *SYSTEM_CALLS,
    *MEMORY,
    *UPSTREAMS,
    *NEIGHBOURS,
    *FORWARDING,
    *TUNNELS,
    *OPTIONS,
    *WEB_FOLDERS,
    *OUTPUT_PLACES,
    *RIGHTS,
    *INSTALLS,
    *LIBRARY_VERSIONS,
    *FILES,
    *REFUSED_CLIENTS,
    *DATABASE_RIGHTS,
    *DATABASE_CLIENTS,
    *CLIENT_REPLIES,
    *REFERENCES,
    *NGINX,
    *PROCESS_MANAGERS,
    *WEB_SERVERS,
    *CALLED_SERVERS,
    *COLLECTORS,
    *RUNNERS,
    *RUNTIMES,
    *CREDENTIALS,
)
"""Every known failure. Their order decides where one line shows two of them."""
