"""What ships: pinned by hash, with its licences and a bill of materials, small, the same twice.

A function's directory is made here as `sam build` makes it, of src/ and of the packages that
src/requirements.txt pins, which are those that the tests run with.
"""

import importlib.metadata
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from samcli.lib.utils.hash import dir_checksum
from samcli.yamlhelper import yaml_parse

from ringhook_ops import bundle
from ringhook_ops.deployed import manifest

SRC = bundle.ROOT / "src"
LOCK = (SRC / "requirements.txt").read_text()
# Version, marker and hashes of each package of requirements.txt.
PINNED = {
    found["name"]: found
    for found in re.finditer(
        r"^(?P<name>[a-z0-9-]+)==(?P<version>\S+)( ; (?P<marker>.+?))?"
        r"(?P<hashes>( \\\n +--hash=sha256:[0-9a-f]{64})+)$",
        LOCK,
        re.MULTILINE,
    )
}
ASKED = [
    Requirement(line)
    for line in (SRC / "requirements.in").read_text().splitlines()
    if not line.startswith("#")
]
# What may be shipped with a work under Apache-2.0 on no more than the licence's text beside it.
PERMISSIVE = {"Apache-2.0", "BSD-3-Clause", "MIT", "MIT-0", "PSF-2.0"}


def needed(name: str, python: str, machine: str) -> set[str]:
    """What an installed package needs where the functions run."""
    lambdas = {
        "extra": "",
        "implementation_name": "cpython",
        "os_name": "posix",
        "platform_machine": machine,
        "platform_python_implementation": "CPython",
        "platform_system": "Linux",
        "python_full_version": f"{python}.0",
        "python_version": python,
        "sys_platform": "linux",
    }
    requirements = map(Requirement, importlib.metadata.requires(name) or [])
    return {
        canonicalize_name(requirement.name)
        for requirement in requirements
        if requirement.marker is None or requirement.marker.evaluate(lambdas)
    }


def test_every_line_that_is_pinned_has_hashes_and_wheels_alone_are_taken() -> None:
    lines = [line for line in LOCK.splitlines() if line and line[0] not in " #"]
    assert lines[0] == "--only-binary :all:"
    assert len(lines) == 1 + len(PINNED)
    assert "//" not in LOCK


def test_what_is_asked_for_is_pinned_at_its_version() -> None:
    assert ASKED
    for requirement in ASKED:
        pinned = PINNED[canonicalize_name(requirement.name)]
        assert str(requirement.specifier) == f"=={pinned['version']}"


@pytest.mark.parametrize("machine", ["aarch64", "x86_64"])
@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13", "3.14"])
def test_all_that_is_needed_is_pinned_and_nothing_else(python: str, machine: str) -> None:
    missing: set[str] = {canonicalize_name(requirement.name) for requirement in ASKED}
    reached: set[str] = set()
    while missing:
        reached |= missing
        missing = set().union(*(needed(name, python, machine) for name in missing)) - reached
    assert reached == set(PINNED)


def test_the_tests_run_with_what_ships() -> None:
    installed = {name: importlib.metadata.version(name) for name in PINNED}
    assert installed == {name: pinned["version"] for name, pinned in PINNED.items()}


def test_make_build_chooses_wheels_of_the_template_s_processor() -> None:
    template = yaml_parse((bundle.ROOT / "template.yaml").read_text())
    default = template["Parameters"]["Architecture"]["Default"]
    assert f"\nARCHITECTURE ?= {default}\n" in (bundle.ROOT / "Makefile").read_text()


def test_a_build_for_another_processor_than_its_wheels_stops(tmp_path: Path) -> None:
    (tmp_path / "build.toml").write_text(
        "[function_build_definitions.one]\nruntime = 'python3.13'\narchitecture = 'x86_64'\n"
    )
    command = [sys.executable, "-m", "ringhook_ops.bundle", str(tmp_path / "build"), "arm64"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert "make build ARCHITECTURE=x86_64" in ran.stderr


@pytest.fixture(scope="module")
def unfinished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A function's directory as `sam build` leaves it."""
    function = tmp_path_factory.mktemp("unfinished")
    for name in PINNED:
        for file in importlib.metadata.files(name) or []:
            if ".." not in file.parts and "__pycache__" not in file.parts:
                copy = function / file
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(str(file.locate()), copy)
    shutil.copytree(SRC, function, dirs_exist_ok=True)
    return function


def finished(unfinished: Path, function: Path) -> Path:
    shutil.copytree(unfinished, function)
    bundle.drop_unneeded(function)
    bundle.finish(function, sys.executable)
    (function / manifest.BILL).write_text(manifest.bill_of_materials(function))
    return function


@pytest.fixture(scope="module")
def function(unfinished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is uploaded."""
    return finished(unfinished, tmp_path_factory.mktemp("build") / "Function")


def test_two_builds_have_one_digest(unfinished: Path, function: Path, tmp_path: Path) -> None:
    again = finished(unfinished, tmp_path / "Another")
    assert manifest.digest(again) == manifest.digest(function)
    # By this one `sam deploy` knows whether there is anything to upload.
    assert dir_checksum(str(again)) == dir_checksum(str(function))


def test_a_changed_byte_and_a_changed_name_are_another_digest(tmp_path: Path) -> None:
    file = tmp_path / "a"
    digests = set()
    for name, content in (("a", "1"), ("a", "2"), ("b", "2")):
        file = file.rename(tmp_path / name) if file.exists() else file
        file.write_text(content)
        digests.add(manifest.digest(tmp_path))
    assert len(digests) == 3


def test_a_function_is_small(function: Path) -> None:
    assert manifest.zipped(function) <= manifest.LARGEST


def test_the_handlers_import_from_bytecode_alone(function: Path) -> None:
    assert not list(function.rglob("*.py"))
    code = f"import sys; sys.path.insert(0, {str(function)!r}); import ringhook.receiver"
    code += ", ringhook.dialer, ringhook.keeper"
    region = {"AWS_DEFAULT_REGION": "eu-west-1"}
    subprocess.run([sys.executable, "-I", "-S", "-c", code], env=region, check=True)


def test_pynacl_ships_to_whom_a_route_needs_it(unfinished: Path, tmp_path: Path) -> None:
    (tmp_path / "nacl").mkdir()
    (tmp_path / "other").mkdir()
    routes = tmp_path / "routes.toml"
    for provider, kept in (("gohighlevel", True), ("shopify", False)):
        routes.write_text(f'[sources.one]\nprovider = "{provider}"\n')
        bundle.drop_unneeded(tmp_path)
        assert (tmp_path / "nacl").exists() is kept
    assert (tmp_path / "other").exists()


def test_no_other_provider_needs_pynacl() -> None:
    importing = {path.stem for path in SRC.rglob("*.py") if "from nacl" in path.read_text()}
    assert importing == set(bundle.NEEDED_BY)


def test_every_package_that_ships_comes_with_its_licence(function: Path) -> None:
    packages = manifest.packages(function)
    assert len(packages) > 10
    for package in packages:
        texts = [file for file in package_files(function, package.name) if is_licence(file)]
        assert texts, package.name


def package_files(function: Path, name: str) -> list[Path]:
    return [
        path
        for directory in function.glob("*.dist-info")
        if canonicalize_name(directory.name.split("-")[0]) == canonicalize_name(name)
        for path in directory.rglob("*")
    ]


def is_licence(path: Path) -> bool:
    return path.is_file() and "LICENSE" in path.name and path.stat().st_size > 500


def test_every_licence_that_ships_is_permissive(function: Path) -> None:
    for package in manifest.packages(function):
        choices = set(manifest.licence(package).split(" OR "))
        assert choices & PERMISSIVE, package.name


def test_the_bill_of_materials_is_valid_and_whole(function: Path) -> None:
    text = (function / manifest.BILL).read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    bill = json.loads(text)
    listed = {component["name"]: component for component in bill["components"]}
    # What stands in the directory, but ringhook itself, is of a package that is listed.
    top = {path.name.split(".")[0] for path in function.iterdir() if "dist-info" not in path.name}
    owners = importlib.metadata.packages_distributions()
    theirs = top - {"ringhook", "routes", "sbom"}
    assert {canonicalize_name(owners[name][0]) for name in theirs} == set(listed)
    for name, component in listed.items():
        assert component["version"] == PINNED[name]["version"]
        assert component["purl"] == f"pkg:pypi/{name}@{component['version']}"
        assert component["licenses"]


def test_the_bill_of_materials_says_who_needs_whom(function: Path) -> None:
    bill = json.loads((function / manifest.BILL).read_text())
    needs = {entry["ref"]: entry.get("dependsOn", []) for entry in bill["dependencies"]}
    reached, left = set[str](), ["ringhook"]
    while left:
        reached.add(ref := left.pop())
        left += [other for other in needs[ref] if other not in reached]
    assert reached == {"ringhook", *(component["bom-ref"] for component in bill["components"])}
