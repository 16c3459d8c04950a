"""What plate-trace verify proves of a sealed file, and what it says when it cannot."""
import json, pathlib, shutil, struct, subprocess, zlib

import h5py
import numpy as np
import pytest

MARKS = "t_s,kind,value\n0,exercise,single_leg_hip_thrust\n0,side,left\n30,side,right\n"


@pytest.fixture(scope="module")
def sealed(tmp_path_factory, bin):
    folder = tmp_path_factory.mktemp("sealed")
    data = pathlib.Path(__file__).parents[1] / "data"
    done = subprocess.run([bin("plate-trace"), "import", data / "hip_thrust_left_right.csv", "-o", folder / "x.h5"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder / "x.h5"


def trace(bin, *args):
    return subprocess.run([bin("plate-trace"), *map(str, args)], capture_output=True, text=True, timeout=60)


def footer(path):
    data = path.read_bytes()
    size, = struct.unpack_from("<I", data, len(data) - 12)
    return data, len(data) - size


def test_a_reader_of_ones_own_finds_the_damaged_block(sealed):
    data, at = footer(sealed)
    magic, version, block, covered = struct.unpack_from("<8sIIQ", data, at)
    assert (magic, version, block, covered) == (b"PLDSUMS\0", 1, 65536, at)
    sums = [zlib.crc32(data[i:min(i + block, covered)]) for i in range(0, covered, block)]
    assert sums == list(struct.unpack_from(f"<{len(sums)}I", data, at + 24))
    assert struct.unpack_from("<I", data, len(data) - 16)[0] == zlib.crc32(data[at:-16]) and data[-8:] == b"PLDSUMS\0"


def test_every_byte_of_the_footer_is_guarded(sealed, bin, tmp_path):
    data, at = footer(sealed)
    for byte in range(at, len(data)):
        changed = bytearray(data)
        changed[byte] ^= 1 << byte % 8
        (tmp_path / "y.h5").write_bytes(changed)
        done = trace(bin, "verify", tmp_path / "y.h5")
        assert done.returncode == 1 and "footer is damaged" in done.stderr, (byte - at, done.stderr)


def test_a_flip_is_told_to_the_bit(sealed, bin, tmp_path):
    data, at = footer(sealed)
    for byte, bit in ((0, 0), (at // 3, 7), (at - 1, 3), (at // 2, 5)):
        changed = bytearray(data)
        changed[byte] ^= 1 << bit
        (tmp_path / "y.h5").write_bytes(changed)
        done = trace(bin, "verify", tmp_path / "y.h5")
        assert done.returncode == 1 and f"y.h5: bit {bit} of byte {byte} of the file is flipped\n" in done.stderr, done.stderr
    changed[1000] ^= 255
    last = min(at, 65536) - 1
    (tmp_path / "y.h5").write_bytes(changed)
    assert f"bytes 0 to {last} of the file are damaged" in trace(bin, "verify", tmp_path / "y.h5").stderr


def test_rows_that_another_program_adds(sealed, bin, tmp_path):
    """The footer then goes, as HDF5 cuts the file at its own end; a correction of ours brings it back."""
    path = tmp_path / "y.h5"
    shutil.copy(sealed, path)
    assert "every byte as it was written" in trace(bin, "verify", path).stdout
    with h5py.File(path, "r+") as h5:
        table = h5["session"]
        row = np.zeros(1, table.dtype)
        row["key"], row["value"] = b"note", b"by hand"
        table.resize(len(table) + 1, axis=0)
        table[-1] = row[0]
    done = trace(bin, "verify", path)
    assert done.returncode == 0 and "no footer" in done.stdout, done.stdout + done.stderr
    done = trace(bin, "correct", path, "--note", "back")
    assert done.returncode == 0, done.stderr
    assert "every byte as it was written" in trace(bin, "verify", path).stdout


def test_what_was_changed_with_care_is_told_by_the_recomputation(sealed, bin, tmp_path):
    path = tmp_path / "y.h5"
    shutil.copy(sealed, path)
    with h5py.File(path, "r+") as h5:
        row = h5["reps"][1]
        row["peak_force_N"] += 1
        h5["reps"][1] = row
    done = trace(bin, "verify", path)
    assert done.returncode == 1 and "digest" in done.stderr and "rep row 2: stored \"peak_force_N\":" in done.stderr, done.stderr


@pytest.mark.parametrize("verb", ["info", "verify", "reps", "asymmetry"])
def test_a_later_format_is_refused(sealed, bin, tmp_path, verb):
    path = tmp_path / "y.h5"
    shutil.copy(sealed, path)
    with h5py.File(path, "r+") as h5:
        h5.attrs.modify("format_version", np.int32(2))
    done = trace(bin, verb, path)
    assert done.returncode == 1 and done.stderr == f"plate-trace: {path}: format 2, and this program reads 1: use a later one\n", done.stderr


@pytest.mark.parametrize("cut", [1, 100, 5000, 0.5, 0.9])
def test_a_file_that_was_cut_off(sealed, bin, tmp_path, cut):
    data = sealed.read_bytes()
    path = tmp_path / "y.h5"
    path.write_bytes(data[:-cut] if cut >= 1 else data[:int(len(data) * cut)])
    done = trace(bin, "verify", path)
    assert done.returncode == 1 and done.stderr.startswith(f"plate-trace: {path}: "), done.stdout + done.stderr


@pytest.fixture(scope="module")
def personal(tmp_path_factory, bin):
    """A trace that says who, what hurts, where it was kept and when; with corrections."""
    folder = tmp_path_factory.mktemp("Jane-Doe")
    data = pathlib.Path(__file__).parents[1] / "data"
    (folder / "marks.csv").write_text("t_s,kind,value\n0,subject,Jane-Doe\n0,side,left\n1,note,her left knee hurts\n20,body_mass_kg,61.5\n22,side,right\n")
    path = folder / "20240102T030405Z-Jane-Doe.h5"
    trace(bin, "import", data / "hip_thrust_left_right.csv", "-o", path, "--marks", folder / "marks.csv")
    assert trace(bin, "correct", path, "--note", "Jane again", "--who", "Dr. Jones").returncode == 0
    return path


@pytest.mark.parametrize("format", ["json", "csv"])
def test_an_anonymous_export(personal, bin, tmp_path, format):
    path, out = personal, tmp_path / "out"
    plain = trace(bin, "export", path, "--format", "json", "-o", "-").stdout
    assert all(word in plain for word in ("Jane-Doe", "knee", "Jane again", "20240102T", "created_utc_ns"))
    assert trace(bin, "export", path, "--format", format, "--anonymise", "-o", out).returncode == 0
    text = out.read_text()
    assert not any(word in text for word in ("Jane", "knee", "20240102", "utc", "host_ns", "CSV import", "station"))
    if format == "json":
        exported = json.loads(text)
        assert exported["reps"] == json.loads(plain)["reps"] and "61.5" in text
        assert [m["kind"] for m in exported["marks"]] == ["side", "body_mass_kg", "side"]


def all_bytes(path):
    """What a reader can get out of an archive, filters undone, and the file itself."""
    parts = [path.read_bytes()]
    with h5py.File(path) as h5:
        things = [h5]
        h5.visititems(lambda _, o: things.append(o))
        for o in things:
            parts += [np.asarray(h5py.AttributeManager(o)[name]).tobytes() for name in o.attrs]
            parts += [o[()].tobytes()] if isinstance(o, h5py.Dataset) else []
    return b"\0".join(parts)


def test_an_anonymous_archive(personal, bin, tmp_path):
    """Its digest is a new one, its numbers are the old ones, its corrections stand behind what was sealed."""
    path, out = tmp_path / personal.name, tmp_path / "out.h5"
    shutil.copy(personal, path)
    with h5py.File(path) as h5:
        year = h5.attrs["created_utc"][:5]
    for args in (["--involved", "left", "--note", "Jane was wrong", "--who", "Dr. Jones"], ["--set", "1", "--discard-rep", "2", "--who", "Dr. Jones"]):
        assert trace(bin, "correct", path, *args).returncode == 0
    words = [b"Jane", b"knee", b"Jones", b"20240102", b"hurts", b"import plate", str(personal.parent).encode(), year]
    told = all_bytes(path)
    assert all(word in told for word in words[:3] + words[4:6] + words[7:])
    done = trace(bin, "export", path, "--format", "h5", "--anonymise", "--pseudonym", "P7", "-o", out)
    assert (done.returncode, done.stderr) == (0, "") and not list(tmp_path.glob("out.h5?*"))
    told = all_bytes(out)
    assert [word for word in words if word in told] == []
    assert "every byte as it was written" in trace(bin, "verify", out).stdout
    for verb in (["reps"], ["reps", "--stored"], ["reps", "--as-recorded"], ["asymmetry"]):
        ours, theirs = (trace(bin, *verb, "--json", p).stdout for p in (out, path))
        assert ours.replace(out.name, path.name) == theirs and ours, verb
    with h5py.File(out) as a, h5py.File(path) as b:
        assert np.array_equal(a["plates/plate/counts"][:], b["plates/plate/counts"][:]) and len(a["corrections"]) == len(b["corrections"]) == 2
        assert all(a[t].attrs["sealed_rows"] == b[t].attrs["sealed_rows"] for t in ("sets", "asymmetry", "corrections", "reps"))
        assert a.attrs["digest"] != b.attrs["digest"] and a.attrs["created_utc"].startswith(b"1970-01-01T00:00:00.0")
        assert [row["value"] for row in a["session"] if row["key"] == b"subject"] == [b"P7"]
    again = trace(bin, "export", path, "--format", "h5", "-o", out)
    assert again.returncode == 1 and "exists" in again.stderr
    assert trace(bin, "export", path, "--format", "h5", "-o", tmp_path / "no" / "x.h5").returncode == 1
    assert trace(bin, "export", path, "--format", "h5", "-o", "-").returncode == 2 and trace(bin, "export", path, "--format", "csv", "--pseudonym", "x", "-o", "y").returncode == 2
    assert trace(bin, "export", path, "--format", "h5", "-o", tmp_path / "same.h5").returncode == 0
    with h5py.File(path) as a, h5py.File(tmp_path / "same.h5") as b:
        assert a.attrs["digest"] == b.attrs["digest"]


def test_an_anonymous_configuration(bin, tmp_path):
    """Paths and ports in it may name somebody: none of them is left."""
    folder = tmp_path / "Jane-Doe"
    folder.mkdir()
    data = pathlib.Path(__file__).parents[1] / "data"
    named = "archive_dir: DIR\nring_dir: DIR\nstream: {data: 'ipc://DIR/d', control: 'ipc://DIR/c', secret_key: DIR/key, clients: DIR/list}\n"
    (folder / "plated.yaml").write_text(named.replace("DIR", str(folder)) + f"""plates:
- {{name: plate, port: {folder}/port, rate_Hz: 100, cells: [{{name: front_left}}, {{name: front_right}}, {{name: back_left}}, {{name: back_right}}]}}
""")
    path, out = tmp_path / "in.h5", tmp_path / "out.h5"
    done = trace(bin, "import", data / "hip_thrust_left_right.csv", "-o", path, "-c", folder / "plated.yaml")
    assert done.returncode == 0, done.stderr
    assert trace(bin, "export", path, "--format", "h5", "--anonymise", "-o", out).returncode == 0
    assert all_bytes(path).count(b"Jane-Doe") >= 7 and b"Jane-Doe" not in all_bytes(out)
