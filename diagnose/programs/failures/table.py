"""The order of the rows: where one line shows two failures, the earlier row wins.

The rows are in the modules beside this one, by what they are about. A new row needs a line of a
real log in `tests/programs/lines/`, in the module of the same name.
"""

from diagnose.programs.failures.agents import AGENTS
from diagnose.programs.failures.applications import APPLICATIONS
from diagnose.programs.failures.backups import BACKUPS
from diagnose.programs.failures.brokers import BROKERS
from diagnose.programs.failures.called_servers import CALLED_SERVERS
from diagnose.programs.failures.cluster_members import CLUSTER_MEMBERS
from diagnose.programs.failures.collectors import COLLECTORS
from diagnose.programs.failures.credentials import CREDENTIALS
from diagnose.programs.failures.data_versions import DATA_VERSIONS
from diagnose.programs.failures.database_clients import DATABASE_CLIENTS
from diagnose.programs.failures.database_rights import DATABASE_RIGHTS
from diagnose.programs.failures.database_servers import DATABASE_SERVERS
from diagnose.programs.failures.directory_servers import DIRECTORY_SERVERS
from diagnose.programs.failures.file_modes import FILE_MODES
from diagnose.programs.failures.files import FILES
from diagnose.programs.failures.forwarding import FORWARDING
from diagnose.programs.failures.home_servers import HOME_SERVERS
from diagnose.programs.failures.image_variables import IMAGE_VARIABLES
from diagnose.programs.failures.installs import INSTALLS
from diagnose.programs.failures.kernel_settings import KERNEL_SETTINGS
from diagnose.programs.failures.library_versions import LIBRARY_VERSIONS
from diagnose.programs.failures.locks import LOCKS, PID_FILES
from diagnose.programs.failures.memory import MEMORY
from diagnose.programs.failures.metric_stores import METRIC_STORES
from diagnose.programs.failures.neighbours import NEIGHBOURS
from diagnose.programs.failures.network_servers import NETWORK_SERVERS
from diagnose.programs.failures.nginx import NGINX
from diagnose.programs.failures.object_stores import OBJECT_STORES
from diagnose.programs.failures.options import OPTIONS
from diagnose.programs.failures.output_places import OUTPUT_PLACES
from diagnose.programs.failures.process_managers import PROCESS_MANAGERS
from diagnose.programs.failures.processors import PROCESSOR, SYSTEM_CALLS
from diagnose.programs.failures.recognition import Failure
from diagnose.programs.failures.references import REFERENCES
from diagnose.programs.failures.refused_clients import REFUSED_CLIENTS
from diagnose.programs.failures.rights import RIGHTS
from diagnose.programs.failures.runners import RUNNERS
from diagnose.programs.failures.runtimes import RUNTIMES
from diagnose.programs.failures.schema_changes import SCHEMA_CHANGES
from diagnose.programs.failures.search_servers import SEARCH_SERVERS
from diagnose.programs.failures.server_data import SERVER_DATA
from diagnose.programs.failures.server_files import SERVER_FILES
from diagnose.programs.failures.tunnels import TUNNELS
from diagnose.programs.failures.upstreams import UPSTREAMS
from diagnose.programs.failures.variables import VARIABLES
from diagnose.programs.failures.web_folders import WEB_FOLDERS
from diagnose.programs.failures.web_servers import WEB_SERVERS

FAILURES: tuple[Failure, ...] = (
    *APPLICATIONS,
    *BACKUPS,
    *HOME_SERVERS,
    *FILE_MODES,
    *DATABASE_SERVERS,
    *SERVER_DATA,
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
