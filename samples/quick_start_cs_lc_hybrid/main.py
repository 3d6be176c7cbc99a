"""Central system and local controller on one port: who is called ...lc is passed on, all others are served here.

Run it with charge points such as the sample ``quick_start_chargepoint``, and with ``quick_start_centralsystem``, whose
ListenUrl has port 8081, for those that are passed on.
"""

from __future__ import annotations

import itertools
import sys
import time
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent.parent))

from openocpp import (  # noqa: E402
    AuthorizationStatus,
    ClientCredentials,
    ConfigError,
    DefaultCentralSystemEventsHandler,
    DefaultChargePointRequestHandler,
    GetConfigurationReq,
    ICentralSystem,
    IChargePointProxy,
    IdTagInfo,
    ILocalControllerProxyEventsHandler,
    IniConfig,
    LocalControllerConfig,
    RegistrationStatus,
    StartTransactionResult,
)
from samples.options import begin, fail, parser, run, say  # noqa: E402

SUFFIX = "lc"
ACCEPTED = IdTagInfo(status=AuthorizationStatus.Accepted)
transaction_ids = itertools.count(1)


class Requests(DefaultChargePointRequestHandler):
    """Accepts what a charge point sends that is served here."""

    def __init__(self, identifier: str) -> None:
        self.name = f"[{identifier}]"

    def disconnected(self) -> None:
        say(f"{self.name} disconnected")

    def authorize(self, id_tag: str) -> IdTagInfo:
        return ACCEPTED

    def boot_notification(self, model: str, serial_number: str, vendor: str, *others: str) -> RegistrationStatus:
        say(f"{self.name} BootNotification: {vendor} {model}")
        return RegistrationStatus.Accepted

    def start_transaction(self, connector_id: int, *others: object) -> StartTransactionResult:
        say(f"{self.name} StartTransaction: connector {connector_id}")
        return StartTransactionResult(ACCEPTED, next(transaction_ids))

    def stop_transaction(self, id_tag: str, *others: object) -> IdTagInfo | None:
        say(f"{self.name} StopTransaction")
        return ACCEPTED if id_tag else None


class Forwarded(ILocalControllerProxyEventsHandler):
    """A charge point that is passed on."""

    def __init__(self, charge_point: IChargePointProxy) -> None:
        self.charge_point = charge_point
        self.name = f"[{charge_point.identifier}]"

    def disconnected_from_charge_point(self) -> None:
        say(f"{self.name} disconnected from the charge point")

    def connected_to_central_system(self) -> None:
        say(f"{self.name} connected to the central system")

    def failed_to_connect_to_central_system(self) -> None:
        say(f"{self.name} no connection to the central system")

    def disconnected_from_central_system(self) -> None:
        say(f"{self.name} disconnected from the central system")


class Application(DefaultCentralSystemEventsHandler):
    """Serves, or passes on, as the identity says."""

    def __init__(self, config: LocalControllerConfig) -> None:
        self.config = config
        self.forwarded: dict[str, Forwarded] = {}

    def check_credentials(self, identifier: str, password: bytes) -> bool:
        return True

    def charge_point_connected(self, charge_point: ICentralSystem.IChargePoint) -> None:
        identifier = charge_point.identifier
        if not identifier.endswith(SUFFIX):
            say(f"[{identifier}] connected, served here")
            charge_point.register_handler(Requests(identifier))
            return
        proxy = IChargePointProxy.create_from(charge_point, self.config)
        assert proxy is not None  # it is one of this package's
        say(f"[{identifier}] connected, passed on")
        forwarded = self.forwarded[identifier] = Forwarded(proxy)
        proxy.register_listener(forwarded)
        if not proxy.central_system_proxy.connect(self.config.connexion_url, ClientCredentials()):
            say(f"[{identifier}] refused: ConnexionUrl is not usable")
            proxy.disconnect()


def look_at_all(system: ICentralSystem, application: Application, cycles: int, speed: float) -> None:
    """Read the configuration of all of them, every five seconds."""
    done = 0
    while cycles == 0 or done < cycles:
        time.sleep(5 / speed)
        for charge_point in system.charge_points:
            configuration = charge_point.get_configuration()
            count = "no answer" if configuration is None else f"{len(configuration.values)} keys"
            say(f"----- {charge_point.identifier}, served here: {count}")
        for forwarded in list(application.forwarded.values()):
            if forwarded.charge_point.is_connected:
                answer = forwarded.charge_point.call(GetConfigurationReq()).response
                count = "no answer" if answer is None else f"{len(answer.configuration_key or ())} keys"
                say(f"----- {forwarded.charge_point.identifier}, passed on: {count}")
        done += 1
    say(f"{done} rounds done")


def main() -> int:
    options = parser("A central system that passes some of its charge points on to another one.", FOLDER).parse_args()
    begin("Central system and local controller", options)
    try:
        config = IniConfig(options.folder / "quick_start_cs_lc_hybrid.ini").local_controller
        application = Application(config)
        system = ICentralSystem.create(config, application)
    except ConfigError as error:
        return fail(str(error))
    if options.reset and not system.reset_data():
        return fail("the stored data could not be forgotten")
    with system:
        if not system.start():
            return fail("the central system could not be started, see the log above")
        say(f"listening on {config.listen_url}, passing on to {config.connexion_url}")
        look_at_all(system, application, options.cycles, options.speed)
    return 0


if __name__ == "__main__":
    run(main)
