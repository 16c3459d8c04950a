"""Fixtures of the end-to-end tests. PLATE_BIN is the folder of the built programs; PLATE_DATA that of the real recordings."""
import os
import pathlib

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def bin():
    """bin("plate-trace") is the path of a built program, or of a script in the tree."""
    folder = os.environ.get("PLATE_BIN")
    assert folder, "set PLATE_BIN to the folder with plated, plate-trace, ..."

    def find(name):
        for path in (pathlib.Path(folder) / name, ROOT / "analysis" / name):
            if os.access(path, os.X_OK):
                return str(path)
        pytest.fail(f"{name} is not in {folder}: build it first")

    return find


@pytest.fixture(scope="session")
def shared_data():
    folder = pathlib.Path(os.environ.get("PLATE_DATA") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"NO REAL RECORDINGS: {folder} is not there, set PLATE_DATA")
    return folder
