"""A local controller: stands between charge points and their central system, and passes on what they say.

Heartbeats are announced here and then passed on by hand; every ten seconds the local controller itself asks something.
Run it between the samples ``quick_start_centralsystem``, with ListenUrl on port 8081, and ``quick_start_chargepoint``.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent.parent))

from openocpp import (  # noqa: E402
    NO_ANSWER,
    CallError,
    ChangeConfigurationReq,
    ClientCredentials,
    ConfigError,
    DefaultLocalControllerEventsHandler,
    ErrorCode,
    GetConfigurationReq,
    HeartbeatConf,
    HeartbeatReq,
    IChargePointProxy,
    ILocalController,
    ILocalControllerProxyEventsHandler,
    IniConfig,
    LocalControllerConfig,
    MessageTrigger,
    NoAnswer,
    TriggerMessageReq,
)
from samples.options import begin, fail, parser, run, say  # noqa: E402


class Pair(ILocalControllerProxyEventsHandler):
    """One charge point and its connection to the central system."""

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

    def heartbeat(self, request: HeartbeatReq) -> HeartbeatConf | NoAnswer:
        """Look at a message, then pass it on by hand."""
        say(f"{self.name} Heartbeat")
        result = self.charge_point.central_system_proxy.call(request)
        if result.error_code:
            raise CallError(result.error_code, result.error_description, result.error_details)
        if not result.ok:
            raise CallError(ErrorCode.GenericError, f"the central system did not answer: {result.outcome}")
        return result.response or NO_ANSWER


class Application(DefaultLocalControllerEventsHandler):
    """Lets everybody in, and connects them to the central system under their own identity."""

    def __init__(self, config: LocalControllerConfig) -> None:
        self.url = config.connexion_url
        self.credentials = ClientCredentials(
            tls12_cipher_list=config.tlsv12_cipher_list,
            tls13_cipher_list=config.tlsv13_cipher_list,
            server_certificate_ca=config.tls_server_certificate_ca,
            client_certificate=config.tls_client_certificate,
            client_certificate_private_key=config.tls_client_certificate_private_key,
            client_certificate_private_key_passphrase=config.tls_client_certificate_private_key_passphrase,
        )

    def client_failed_to_connect(self, ip_address: str) -> None:
        say(f"a client at {ip_address} did not get in")

    def check_credentials(self, identifier: str, password: bytes) -> bool:
        return True

    def charge_point_connected(self, charge_point: IChargePointProxy) -> None:
        say(f"[{charge_point.identifier}] connected from {charge_point.ip_address}")
        pair = Pair(charge_point)
        charge_point.register_listener(pair)
        charge_point.register_handler(HeartbeatReq, pair.heartbeat)
        # charge_point.credentials(self.credentials) would also pass on the user and password that it sent
        if not charge_point.central_system_proxy.connect(self.url, self.credentials):
            say(f"[{charge_point.identifier}] refused: ConnexionUrl is not usable")
            charge_point.disconnect()


def command(charge_point: IChargePointProxy) -> None:
    """Read the configuration, change a key, ask for messages: in the local controller's own name."""
    name = f"[{charge_point.identifier}]"
    say(f"----- {charge_point.identifier} -----")
    configuration = charge_point.call(GetConfigurationReq()).response
    for entry in (configuration and configuration.configuration_key) or ():
        say(f"{name}   {entry.key} = {entry.value or ''}{' (read-only)' if entry.readonly else ''}")
    changed = charge_point.call(ChangeConfigurationReq(key="HeartbeatInterval", value="10"))
    say(f"{name} HeartbeatInterval = 10: {changed.response.status if changed.response else changed.outcome}")
    for message in (MessageTrigger.StatusNotification, MessageTrigger.MeterValues, MessageTrigger.Heartbeat):
        connector_id = 0 if message is MessageTrigger.MeterValues else None
        asked = charge_point.call(TriggerMessageReq(requested_message=message, connector_id=connector_id))
        say(f"{name} trigger {message}: {asked.response.status if asked.response else asked.outcome}")


def command_all(controller: ILocalController, cycles: int, speed: float) -> None:
    done = 0
    while cycles == 0 or done < cycles:
        while not controller.charge_points:
            time.sleep(0.25)
        time.sleep(1 / speed)
        for charge_point in controller.charge_points:
            command(charge_point)
        done += 1
        time.sleep(10 / speed)
    say(f"{done} rounds done")


def main() -> int:
    options = parser("A local controller that passes everything on.", FOLDER).parse_args()
    begin("Local controller", options)
    try:
        config = IniConfig(options.folder / "quick_start_localcontroller.ini").local_controller
        controller = ILocalController.create(config, Application(config))
    except ConfigError as error:
        return fail(str(error))
    if options.reset and not controller.reset_data():
        return fail("the stored data could not be forgotten")
    with controller:
        if not controller.start():
            return fail("the local controller could not be started, see the log above")
        say(f"listening on {config.listen_url}, passing on to {config.connexion_url}")
        command_all(controller, options.cycles, options.speed)
    return 0


if __name__ == "__main__":
    run(main)
