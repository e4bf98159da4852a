"""What ships: pinned by hash, with its licences and a bill of materials, small, the same twice.

A function's directory is made here as `sam build` makes it, of src/ and of the packages that
src/requirements.txt pins, which are those that the tests run with.
"""

import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from samcli.lib.utils.hash import dir_checksum

from ringhook import building
from ringhook_ops import bundle
from ringhook_ops.deployed import manifest

SRC = bundle.ROOT / "src"
# What ships, and what the build checks routes.toml with.
FILES = ("requirements", "checks")


def lock(name: str) -> str:
    return (SRC / f"{name}.txt").read_text()


def pinned_in(name: str) -> dict[str, re.Match[str]]:
    """Version, marker and hashes of each package."""
    lines = re.finditer(
        r"^(?P<name>[a-z0-9-]+)==(?P<version>\S+)( ; (?P<marker>.+?))?"
        r"(?P<hashes>( \\\n +--hash=sha256:[0-9a-f]{64})+)$",
        lock(name),
        re.MULTILINE,
    )
    return {found["name"]: found for found in lines}


def asked_in(name: str) -> list[Requirement]:
    lines = (SRC / f"{name}.in").read_text().splitlines()
    return [Requirement(line) for line in lines if not line.startswith("#")]


PINNED = pinned_in("requirements")
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


@pytest.mark.parametrize("name", FILES)
def test_every_line_that_is_pinned_has_hashes_and_wheels_alone_are_taken(name: str) -> None:
    lines = [line for line in lock(name).splitlines() if line and line[0] not in " #"]
    assert lines[0] == "--only-binary :all:"
    assert len(lines) == 1 + len(pinned_in(name))
    assert "//" not in lock(name)


@pytest.mark.parametrize("name", FILES)
def test_what_is_asked_for_is_pinned_at_its_version(name: str) -> None:
    assert asked_in(name)
    for requirement in asked_in(name):
        pinned = pinned_in(name)[canonicalize_name(requirement.name)]
        assert str(requirement.specifier) == f"=={pinned['version']}"


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("machine", ["aarch64", "x86_64"])
@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13", "3.14"])
def test_all_that_is_needed_is_pinned_and_nothing_else(
    python: str, machine: str, name: str
) -> None:
    missing: set[str] = {canonicalize_name(requirement.name) for requirement in asked_in(name)}
    reached: set[str] = set()
    while missing:
        reached |= missing
        missing = set().union(*(needed(name, python, machine) for name in missing)) - reached
    assert reached == set(pinned_in(name))


def test_the_tests_run_with_what_ships() -> None:
    pinned = PINNED | pinned_in("checks")
    installed = {name: importlib.metadata.version(name) for name in pinned}
    assert installed == {name: found["version"] for name, found in pinned.items()}


def made_by_sam(directory: Path, runtime: str = building.RUNTIME) -> dict[str, str]:
    """What the target of a function sees, as SAM calls it."""
    (directory / "build" / "ReceiverFunction").mkdir(parents=True)
    (directory / "build.toml").write_text(
        "[function_build_definitions.one]\n"
        f'runtime = "{runtime}"\narchitecture = "x86_64"\nfunctions = ["ReceiverFunction"]\n'
    )
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {"PATH": path, "ARTIFACTS_DIR": str(directory / "build" / "ReceiverFunction")}


def target(environ: dict[str, str], **more: str) -> str:
    """Run the target of a function; what it says when it stops."""
    command = ["make", "--makefile", str(SRC / "Makefile"), "build-ReceiverFunction"]
    ran = subprocess.run(
        command, cwd=SRC, env=environ | more, capture_output=True, text=True, check=False
    )
    assert ran.returncode
    return ran.stderr


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"RINGHOOK_ARCHITECTURE": "arm64"}, "--parameter-overrides Architecture=arm64"),
        ({"RINGHOOK_RUNTIME": "python3.1"}, "--parameter-overrides Runtime=python3.1"),
        ({"RINGHOOK_ROUTES": "routes.toml"}, "give the whole path"),
    ],
)
def test_a_build_that_is_told_other_things_than_the_template_stops(
    tmp_path: Path, variables: dict[str, str], says: str
) -> None:
    assert says in target(made_by_sam(tmp_path), **variables)


def test_a_build_for_a_python_that_is_not_there_says_how_to_go_on(tmp_path: Path) -> None:
    said = target(made_by_sam(tmp_path, "python3.1"))
    assert "python3.1 does not run here" in said
    assert "--parameter-overrides Runtime=" in said


def test_a_routes_file_that_is_wrong_stops_the_build_with_its_line(tmp_path: Path) -> None:
    routes = tmp_path / "routes.toml"
    routes.write_text((SRC / "routes.toml").read_text().replace("agent_id = 1042", "agent_id = []"))
    with pytest.raises(building.BuildError) as told:
        building.place(tmp_path / "Function", routes)
    assert str(told.value).startswith(f"{routes}:24: routes[0].call.agent_id: ")
    assert not (tmp_path / "Function").exists()


def test_a_routes_file_that_is_not_there_stops_the_build(tmp_path: Path) -> None:
    with pytest.raises(building.BuildError, match=r"none\.toml"):
        building.place(tmp_path / "Function", tmp_path / "none.toml")


def test_the_functions_of_one_build_are_made_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []

    def install(directory: Path, architecture: str) -> None:
        made.append(architecture)
        directory.mkdir(parents=True, exist_ok=True)

    monkeypatch.setattr(building, "install", install)
    made_by_sam(tmp_path)
    first, second = (tmp_path / "build" / name for name in ("ReceiverFunction", "DialerFunction"))
    building.build("ReceiverFunction", first, {})
    building.build("DialerFunction", second, {})
    assert made == ["x86_64"]
    assert manifest.digest(first) == manifest.digest(second)

    file = tmp_path / "build.toml"
    os.utime(file, ns=(0, file.stat().st_mtime_ns + 1))
    building.build("ReceiverFunction", first, {})
    assert len(made) == 2


@pytest.fixture(scope="module")
def unfinished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A function's directory with all that is installed and placed, before it is made small."""
    function = tmp_path_factory.mktemp("unfinished")
    for name in PINNED:
        for file in importlib.metadata.files(name) or []:
            if ".." not in file.parts and "__pycache__" not in file.parts:
                copy = function / file
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(str(file.locate()), copy)
    building.place(function, SRC / "routes.toml")
    return function


def finished(unfinished: Path, function: Path) -> Path:
    shutil.copytree(unfinished, function)
    building.drop_unneeded(function)
    building.finish(function)
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
    code += ", ringhook.dialer, ringhook.keeper\n"
    code += "ringhook.receiver.compiled.load(ringhook.receiver.ROUTES).sources['shop']\n"
    code += "assert not {'pydantic', 'ringhook.routing.routes_file'} & set(sys.modules)"
    region = {"AWS_DEFAULT_REGION": "eu-west-1"}
    subprocess.run([sys.executable, "-I", "-S", "-c", code], env=region, check=True)


def test_what_checks_the_routes_does_not_ship(function: Path) -> None:
    shipped = {path.stem for path in (function / "ringhook").rglob("*")}
    assert not shipped & {"building", "checked", "routes_file", "toml_lines", "whole_file"}
    assert not list(function.glob("pydantic*"))


def test_pynacl_ships_to_whom_a_route_needs_it(unfinished: Path, tmp_path: Path) -> None:
    (tmp_path / "nacl").mkdir()
    (tmp_path / "other").mkdir()
    routes = tmp_path / "routes.toml"
    for provider, kept in (("gohighlevel", True), ("shopify", False)):
        routes.write_text(f'[sources.one]\nprovider = "{provider}"\n')
        building.drop_unneeded(tmp_path)
        assert (tmp_path / "nacl").exists() is kept
    assert (tmp_path / "other").exists()


def test_no_other_provider_needs_pynacl() -> None:
    importing = {path.stem for path in SRC.rglob("*.py") if "from nacl" in path.read_text()}
    assert importing == set(building.NEEDED_BY)


def test_every_package_that_ships_comes_with_its_licence(function: Path) -> None:
    packages = manifest.packages(function)
    assert len(packages) >= 6
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
    # It compiles grammars for seconds when it is loaded, and this test alone asks it.
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

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
