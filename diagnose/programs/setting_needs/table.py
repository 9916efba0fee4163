"""All rules about settings that need another part."""

from diagnose.programs.setting_needs.applications import APPLICATION_NEEDS
from diagnose.programs.setting_needs.needs import SettingNeed
from diagnose.programs.setting_needs.networks import NETWORK_NEEDS
from diagnose.programs.setting_needs.proxies import PROXY_NEEDS
from diagnose.programs.setting_needs.servers import SERVER_NEEDS

SETTING_NEEDS: tuple[SettingNeed, ...] = (
    *PROXY_NEEDS,
    *NETWORK_NEEDS,
    *SERVER_NEEDS,
    *APPLICATION_NEEDS,
)
