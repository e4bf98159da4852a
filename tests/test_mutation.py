"""The changes that `make mutate` makes are changes of the code as it is."""

from pathlib import Path

from tests.mutation.changes import ROOT, changes


def test_each_change_stands_once_in_its_file_and_has_tests() -> None:
    for change in changes().values():
        assert change.found == 1, change.name
        assert change.new != change.old
        assert change.tests
        assert all((ROOT / "tests" / f"{name}.py").exists() for name in change.tests)


def test_a_change_is_python() -> None:
    for change in changes().values():
        source = Path(ROOT / "src" / "ringhook" / change.file).read_text()
        compile(source.replace(change.old, change.new), change.file, "exec")
