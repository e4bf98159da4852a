"""What a build is made of: its bill of materials, its size and its digest.

`python -m ringhook_ops.deployed.manifest .aws-sam/build` writes `sbom.cdx.json` (CycloneDX 1.6)
into each function, and says how large each is and what it is known by; `make build` does so.
"""

import hashlib
import io
import json
import sys
import uuid
import zipfile
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

from ringhook_ops.bundle import FUNCTIONS, ROOT

BILL = "sbom.cdx.json"
LARGEST = 2_500_000  # bytes of a function, zipped
# How SPDX writes what these packages call their licence; dateutil's LICENSE leaves the choice.
SPDX = {
    "Apache License 2.0": "Apache-2.0",
    "Dual License": "Apache-2.0 OR BSD-3-Clause",
    "PSFL": "PSF-2.0",
}


def packages(function: Path) -> list[Distribution]:
    """The packages in a function's directory, by name."""
    found = distributions(path=[str(function)])
    return sorted(found, key=lambda package: canonicalize_name(package.name))


def licence(package: Distribution) -> str:
    """The licence that a package's METADATA names, in SPDX's words.

    Raises:
        ValueError: METADATA names none.
    """
    for field in ("License-Expression", "License"):
        if field in package.metadata:
            named = package.metadata[field]
            return SPDX.get(named, named)
    raise ValueError(f"{package.name} {package.version} names no licence")


def bill_of_materials(function: Path) -> str:
    """What is in a function's directory, as CycloneDX JSON: the same text for the same packages."""
    shipped = packages(function)
    components = {canonicalize_name(package.name): _component(package) for package in shipped}
    bom = Bom(components=components.values())
    application = Component(
        type=ComponentType.APPLICATION,
        name="ringhook",
        bom_ref="ringhook",
        licenses=[LicenseFactory().make_from_string("Apache-2.0")],
    )
    bom.metadata.component = application
    asked = (ROOT / "src" / "requirements.in").read_text().splitlines()
    bom.register_dependency(
        application, [components[name] for name in _names(asked) if name in components]
    )
    for package in shipped:
        needed = (name for name in _names(package.requires or []) if name in components)
        bom.register_dependency(
            components[canonicalize_name(package.name)], [components[name] for name in needed]
        )
    document = json.loads(JsonV1Dot6(bom).output_as_string())
    # Neither when it was written nor by what random number it is called is part of the build.
    del document["metadata"]["timestamp"], document["serialNumber"]
    text = json.dumps(document, sort_keys=True)
    document["serialNumber"] = uuid.uuid5(uuid.NAMESPACE_OID, text).urn
    return json.dumps(document, indent=1, sort_keys=True) + "\n"


def _component(package: Distribution) -> Component:
    name = canonicalize_name(package.name)
    url = PackageURL("pypi", name=name, version=package.version)
    return Component(
        type=ComponentType.LIBRARY,
        name=name,
        version=package.version,
        bom_ref=str(url),
        purl=url,
        licenses=[LicenseFactory().make_from_string(licence(package))],
    )


def _names(requirements: list[str]) -> Iterator[NormalizedName]:
    """The packages that requirements name and no extra adds."""
    for line in requirements:
        if line and not line.startswith("#"):
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                yield canonicalize_name(requirement.name)


def zipped(function: Path) -> int:
    """How many bytes a function's directory has as a zip file."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as files:
        for path in _files(function):
            files.write(path, path.relative_to(function))
    return len(archive.getvalue())


def digest(function: Path) -> str:
    """SHA-256 over the names and contents of all files in a function's directory, in hex."""
    total = hashlib.sha256()
    for path in _files(function):
        total.update(f"{path.relative_to(function).as_posix()}\0".encode())
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def _files(function: Path) -> list[Path]:
    return sorted(path for path in function.rglob("*") if path.is_file())


def _main(build: Path) -> None:
    for name in FUNCTIONS:
        function = build / name
        (function / BILL).write_text(bill_of_materials(function))
        size = zipped(function) / 1e6
        print(f"{name}: {size:.1f} MB zipped (at most {LARGEST / 1e6:.1f}), {digest(function)}")


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
