"""What users install: the wheel holds everything that the code opens, the requirements have both bounds.

The wheel is made without a network: with the setuptools of the development environment, and nothing is resolved.
"""

from __future__ import annotations

import configparser
import os
import re
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

import openocpp
from tests.conftest import scaled

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ["openocpp", "schemas", "setup.py", "setup.cfg", "README.rst", "LICENSE", "samples/LICENSE"]


@pytest.fixture(scope="module", name="wheel")
def built_wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel, made from links to the sources, so that nothing is written beside them."""
    work = tmp_path_factory.mktemp("wheel")
    source = work / "source"
    (source / "samples").mkdir(parents=True)
    for name in SOURCES:
        (source / name).symlink_to(ROOT / name)
    command = [sys.executable, "setup.py", "-q", "bdist_wheel", "--dist-dir", str(work)]
    run = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    (path,) = work.glob("*.whl")
    return zipfile.ZipFile(path)


def settings() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser


def installed_names() -> set[str]:
    """Every file of the package as it must stand in the wheel."""
    names = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "openocpp").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    return names | {f"openocpp/{path.relative_to(ROOT).as_posix()}" for path in (ROOT / "schemas").rglob("*.json")}


def test_the_wheel_holds_every_file_of_the_package_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    packed = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert packed == installed_names()


def test_the_wheel_holds_all_schemas(wheel: zipfile.ZipFile) -> None:
    schemas = [name for name in wheel.namelist() if re.fullmatch(r"openocpp/schemas/\w+\.json", name)]
    assert len(schemas) == 78


def test_the_wheel_says_what_it_is(wheel: zipfile.ZipFile) -> None:
    (metadata_name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    metadata = wheel.read(metadata_name).decode()
    assert f"\nVersion: {openocpp.__version__}\n" in metadata
    assert "\nRequires-Python: >=3.11\n" in metadata
    assert "LGPL-2.1-or-later" in metadata
    licences = {name.split("/", 1)[1] for name in wheel.namelist() if name.endswith("LICENSE")}
    assert {name.removeprefix("licenses/") for name in licences} == {"LICENSE", "samples/LICENSE"}


def test_an_installed_copy_works_without_the_checkout(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    wheel.extractall(tmp_path)
    script = (
        "import openocpp\n"
        "from openocpp.messages.schema import find_schemas\n"
        "print(openocpp.__version__, openocpp.__file__, find_schemas(), sep='\\n')\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    version, module, schemas = run.stdout.splitlines()
    assert version == openocpp.__version__
    assert Path(module) == tmp_path / "openocpp" / "__init__.py"
    assert Path(schemas) == tmp_path / "openocpp" / "schemas"


BOOT = """
import os, sys, threading
import openocpp
from openocpp import *

class Requests(DefaultChargePointRequestHandler):
    def boot_notification(self, *fields):
        return RegistrationStatus.Accepted

class Operator(DefaultCentralSystemEventsHandler):
    def charge_point_connected(self, charge_point):
        charge_point.register_handler(Requests())

class Application(DefaultChargePointEventsHandler):
    registered = threading.Event()
    def get_tx_start_stop_meter_value(self, connector_id):
        return 0
    def boot_notification(self, status, time):
        self.registered.set()

settings = CentralSystemConfig(listen_url="ws://127.0.0.1:0/ocpp", database_path="central.db")
with ICentralSystem.create(settings, Operator()) as central:
    assert central.start()
    url = f"ws://127.0.0.1:{central.port}/ocpp"
    config = ChargePointConfig(connexion_url=url, charge_point_identifier="CP1", database_path="station.db")
    with IChargePoint.create(config, MemoryOcppConfig({"NumberOfConnectors": 1}), Application()) as charge_point:
        assert charge_point.start()
        assert Application.registered.wait(float(sys.argv[1]))
        assert charge_point.log_security_event("Hello")
print(openocpp.__file__)
"""


def test_a_charge_point_boots_in_a_fresh_environment(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    """Installed without a network; what it requires is lent by the environment of the tests."""
    environment = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    python = environment / "bin" / "python"
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    install += ["--no-index", "--no-deps", "--disable-pip-version-check", str(wheel.filename)]
    unaided = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    installed = subprocess.run(install, env=unaided, capture_output=True, text=True, check=False)
    assert installed.returncode == 0, installed.stderr
    lent = {**unaided, "PYTHONPATH": sysconfig.get_path("purelib"), "PYTHONSAFEPATH": "1"}
    run = subprocess.run(
        [python, "-W", "error", "-c", BOOT, str(scaled(20))],
        cwd=tmp_path,
        env=lent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert Path(run.stdout.strip()).is_relative_to(environment)
    assert {path.name for path in tmp_path.glob("*.db")} == {"central.db", "station.db"}


def test_a_checkout_finds_its_own_schemas() -> None:
    from openocpp.messages.schema import find_schemas

    assert find_schemas() == ROOT / "schemas"


def test_every_requirement_has_a_lower_and_an_upper_bound() -> None:
    for requirement in settings()["options"]["install_requires"].split("\n"):
        if requirement and not requirement.startswith("#"):
            assert re.fullmatch(r"[\w-]+>=[\d.]+,<[\d.]+", requirement), requirement


def test_the_interpreters_promised_are_those_tested() -> None:
    parser = settings()
    named = re.findall(r"Python :: (3\.\d+)", parser["metadata"]["classifiers"])
    tested = [f"3.{name[3:]}" for name in re.findall(r"py3\d+", parser["tox:tox"]["env_list"])]
    assert named == tested
