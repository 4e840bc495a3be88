"""What is read from bytes that anybody may have written, and what must come of it.

A target has sound files to begin with, and a function that reads what a fuzzer made of
them: it is read and keeps what was promised, or it is refused by a documented error
that names the file. Whatever else happens is a failure.
"""

# What is refused is judged by its words, and nothing else may be raised.
# ruff: noqa: PT017

import binascii
import contextlib
import json
import struct
import tempfile
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save
from scipy.io import savemat

from sk_erts import ERTSClassifier
from sk_erts._training.archive import read_archive, write_archive
from sk_erts.datasets import (
    open_records,
    read_aecg,
    read_csv,
    read_dicom,
    read_edf,
    read_mat,
    read_muse_xml,
    read_scp,
)
from sk_erts.datasets._annotations import read_beats
from sk_erts.datasets._options import Reading
from sk_erts.datasets._records import read_record
from sk_erts.exceptions import (
    ArchiveError,
    DoubtfulInputWarning,
    ExplanationWarning,
    RecordError,
    RecordNotFoundError,
    WeightsWarning,
)
from sk_erts.models import load_weights, save_weights
from sk_erts.models._resnet1d import ResNet1d
from sk_erts.selection import DBPD, SMRD, FocusFilter
from tests.conftest import bumps
from tests.datasets.formats import (
    SCP_NUMBERS,
    aecg_lead,
    aecg_series,
    aecg_times,
    dicom_channel,
    dicom_group,
    huffman,
    muse,
    muse_lead,
    scp_file,
    scp_leads,
    scp_rhythm,
    steps,
    write_aecg,
    write_dicom,
    write_edf,
    write_muse,
)
from tests.datasets.wfdb_files import write_annotations, write_kinds

__all__ = ["TARGETS", "Target"]

X = steps(2, 120)
NAMES = ("II", "V1")
TABLE = {"lead_names": NAMES, "unit": "uV", "fs": 250}
# A byte of text or of packed differences may stand for so many samples; none for more.
MOST_SAMPLES_PER_BYTE = 8


@dataclass(frozen=True)
class Target:
    """Something that reads bytes.

    Attributes
    ----------
    seeds : callable
        Returns sound contents, given an empty folder.
    attempt : callable
        Reads contents, given a folder with the seeds' files; returns whether they could
        be read, and raises if anything else than a documented error came of them.
    is_tree : bool
        Whether contents are JSON, which is changed as such.
    """

    seeds: Callable[[Path], list[bytes]]
    attempt: Callable[[bytes, Path], bool]
    is_tree: bool = False


def check_record(record, n_bytes, most_per_byte=MOST_SAMPLES_PER_BYTE):
    """Check what is promised of a record that was read from so many bytes."""
    signal = record.signal
    assert signal.dtype == np.float32
    assert signal.ndim == 2
    assert signal.size > 0
    assert np.isfinite(signal).all()
    assert len(record.lead_names) == len(signal)
    assert all(isinstance(name, str) for name in record.lead_names)
    assert 0 < record.fs < np.inf
    if most_per_byte is not None:
        assert signal.size <= most_per_byte * n_bytes


def file_target(ending, write, read, most_per_byte=MOST_SAMPLES_PER_BYTE, repair=None):
    """Return the target of a reader of single files."""

    def seeds(folder):
        contents = []
        for k, own in enumerate(write):
            own(folder / f"{k}{ending}")
            contents.append((folder / f"{k}{ending}").read_bytes())
        return contents

    def attempt(data, folder):
        path = folder / f"fuzzed{ending}"
        path.write_bytes(data if repair is None else repair(data))
        try:
            record = read(path)
        except RecordError as error:
            assert str(path) in str(error), error
            return False
        check_record(record, len(data), most_per_byte)
        return True

    return Target(seeds, attempt)


def repaired_scp(data):
    """Return a file of sections with right checksums, so that what is in them counts.

    One byte in front says whether they are repaired.
    """
    do, content = data[:1], bytearray(data[1:])
    if do[:1] < b"\x40" or len(content) < 6:
        return bytes(content)
    at = 6
    while at + 8 <= len(content):
        (n_bytes,) = struct.unpack_from("<I", content, at + 4)
        if not 8 < n_bytes <= len(content) - at:
            break
        crc = binascii.crc_hqx(bytes(content[at + 2 : at + n_bytes]), 0xFFFF)
        struct.pack_into("<H", content, at, crc)
        at += n_bytes
    struct.pack_into("<I", content, 2, len(content))
    crc = binascii.crc_hqx(bytes(content[2:]), 0xFFFF)
    struct.pack_into("<H", content, 0, crc)
    return bytes(content)


def scp_writers():
    """Return functions that write sound files, behind a byte for `repaired_scp`."""
    kinds = []
    for n_differences in (0, 1, 2):
        for code in (None, huffman):
            samples = X[:, :60]
            tables = {2: struct.pack("<H", 19999)} if code else {}
            sections = {
                **tables,
                3: scp_leads(SCP_NUMBERS[:2], 60),
                6: scp_rhythm(samples, n_differences=n_differences, code=code),
            }
            kinds.append(b"\xff" + scp_file(sections))
    return [partial(Path.write_bytes, data=data) for data in kinds]


def write_matrix(path, matrix=X[:, :40], **how):
    savemat(path, {"ecg": matrix, "fs": 250.0}, appendmat=False, **how)


def write_muse_records(path, compact=False):
    leads = [muse_lead(name, x[:40]) for name, x in zip(NAMES, X, strict=True)]
    waveforms = [muse(leads)] if compact else [muse(leads, kind="Median"), muse(leads)]
    write_muse(path, *waveforms)


def write_aecg_records(path):
    leads = [aecg_lead(name, x[:40]) for name, x in zip(NAMES, X, strict=True)]
    write_aecg(path, aecg_series([aecg_times(), *leads]))


def write_dicom_records(path):
    channels = [dicom_channel(number) for number in (1, 2)]
    write_dicom(path, [dicom_group(X[:, :40], channels)])


def write_text(path, text):
    path.write_text(text, encoding="utf-8")


def tables():
    """Return functions that write tables of text."""
    rows = "\n".join(f"{a / 1000:.3f},{b / 1000:.3f}" for a, b in X[:, :20].T)
    timed = "\n".join(f"{k / 250:.4f},{row}" for k, row in enumerate(rows.splitlines()))
    return [
        partial(write_text, text=text)
        for text in (
            f"II (mV),V1 (mV)\n{rows}",
            f"time (s),II (mV),V1 (mV)\n{timed}",
            f"'II','V1'\n'mV','mV'\n{rows}",
            f"II;V1\n{rows.replace(',', ';').replace('.', ',')}",
            f"II\tV1\n\n# a remark\n{rows.replace(',', chr(9))}",
            f'"II, mV","V1"\nNA,0.5\n{rows}',
        )
    ]


def read_table(path):
    """Read a table by what it tells, or by what is told of it."""
    for told in ({"fs": 250}, {"unit": "mV", "missing": "cut", "allow_flat": True}):
        with contextlib.suppress(RecordError):
            return read_csv(path, **told)
    return read_csv(path, fs=250, unit="uV", missing="interpolate")


def headers():
    """Return the target of WFDB headers, beside sound signal files."""

    def seeds(folder):
        write_kinds(folder)
        return [file.read_bytes() for file in sorted(folder.glob("*.hea"))]

    def attempt(data, folder):
        (folder / "fuzzed.hea").write_bytes(data)
        n_bytes = sum(file.stat().st_size for file in folder.iterdir())
        n_read = 0
        for how in (
            Reading(),
            Reading(allow_flat=True, missing="interpolate", fs=250.0, gain=200.0),
            Reading(allow_flat=True, missing="cut", leads=(0,)),
        ):
            try:
                record = read_record(folder / "fuzzed", how)
            except (RecordError, RecordNotFoundError) as error:
                # Of what it is made of, the part is named that is wrong.
                assert str(folder) in str(error), error
                continue
            check_record(record, n_bytes)
            n_read += 1
        return n_read > 0

    return Target(seeds, attempt)


def signal_files():
    """Return the target of WFDB signal files, each beside its sound header."""

    def names(folder):
        return sorted(file.stem for file in folder.glob("*.dat"))

    def seeds(folder):
        write_kinds(folder)
        return [
            bytes([k]) + (folder / f"{name}.dat").read_bytes()
            for k, name in enumerate(names(folder))
        ]

    def attempt(data, folder):
        known = names(folder)
        name = known[data[0] % len(known)] if data else known[0]
        file = folder / f"{name}.dat"
        sound = file.read_bytes()
        try:
            file.write_bytes(data[1:])
            record = read_record(folder / name, Reading(missing="cut"))
        except (RecordError, RecordNotFoundError) as error:
            assert str(folder) in str(error), error
            return False
        finally:
            file.write_bytes(sound)
        check_record(record, len(data), most_per_byte=64)
        return True

    return Target(seeds, attempt)


def annotations():
    """Return the target of annotated beats."""

    def seeds(folder):
        write_annotations(folder, "a", (5, 28), (40, 1), (60, 5), (9, 1))
        write_annotations(folder, "b", (40, 1), (9, 8))
        return [file.read_bytes() for file in sorted(folder.glob("*.atr"))]

    def attempt(data, folder):
        (folder / "fuzzed.atr").write_bytes(data)
        try:
            found, at = read_beats(str(folder / "fuzzed"), "NVA", 200)
        except RecordError as error:
            assert "fuzzed" in str(error), error
            return False
        assert len(found) == len(at) > 0
        assert set(found) <= set("NVA")
        assert 0 <= at.min() <= at.max() < 200
        return True

    return Target(seeds, attempt)


def archives_of_arrays():
    """Return the target of archives of `numpy.savez`, and of arrays alone."""
    records = np.linspace(0, 1, 24, dtype=np.float32).reshape(2, 2, 6)

    def seeds(folder):
        contents = []
        for write in (np.savez, np.savez_compressed):
            for arrays in ({"X": records}, {"ecg": records[:, 0].astype(">f8")}):
                buffer = BytesIO()
                write(buffer, **arrays)
                contents.append(b"\0" + buffer.getvalue())
        for array in (records, np.asfortranarray(records)):
            buffer = BytesIO()
            np.save(buffer, array)
            contents += [own + buffer.getvalue() for own in (b"\0", b"\1")]
        return contents

    def attempt(data, folder):
        how, content = data[:1], data[1:]
        path = folder / "fuzzed.npz"
        if how == b"\1":  # an array in an archive that is sound
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("X.npy", content)
        else:
            path.write_bytes(content)
        try:
            opened = open_records(path)
            size = opened[:].size  # a map is read too
        except ValueError as error:
            assert str(path) in str(error), error
            return False
        assert 2 <= opened.ndim <= 3
        assert opened.dtype.kind in "iuf"
        assert size == np.prod(opened.shape)
        return True

    return Target(seeds, attempt)


@cache
def fitted(several=False):
    """Return a small classifier, fitted."""
    records, codes, _ = bumps(12, n_leads=1, n_times=32)
    records = records[:, :, ::2]
    y = codes[:, None] <= np.arange(3) if several else np.array(list("abc"))[codes]
    clf = ERTSClassifier(
        module__width=2,
        module__blocks=(1,),
        module__kernel_size=3,
        max_epochs=1,
        batch_size=8,
        random_state=0,
        verbose=0,
        **(
            {"selection": FocusFilter(SMRD(0.4), threshold=0.3)}
            if several
            else {"data_dropout": DBPD(0.4), "optimizer": torch.optim.SGD}
        ),
    )
    return clf.fit(records, y.astype(int) if several else y), records


@cache
def state_of(several):
    """Return tensors of a saved classifier by name, and what stands beside them."""
    from safetensors import safe_open

    clf, _ = fitted(several)
    with tempfile.TemporaryDirectory() as folder:
        clf.save(Path(folder, "c"))
        with safe_open(Path(folder, "c"), "pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return tensors, file.metadata()


def loaded(path):
    """Load a classifier; check what is promised if that can be done."""
    try:
        clf = ERTSClassifier.load(path, device="cpu")
    except ArchiveError as error:
        assert str(path) in str(error), error
        return False
    except ValueError as error:
        # What is foreign must be passed in.
        assert str(path) in str(error), error
        return False
    n_times = 16 if clf.n_times_in_ is None else clf.n_times_in_
    if clf.n_leads_in_ * n_times > 10_000:
        return True
    probe = np.zeros((2, clf.n_leads_in_, n_times), dtype=np.float32)
    probe[:, 0, 0] = 1
    clf.get_params()
    repr(clf.selection_)
    proba = clf.predict_proba(probe)
    assert proba.shape == (2, len(clf.classes_))
    return True


def trees():
    """Return the target of what a saved classifier tells of its tensors, in JSON."""

    def seeds(folder):
        return [
            json.dumps(
                {"several": several, "tree": json.loads(state_of(several)[1]["tree"])}
            ).encode()
            for several in (False, True)
        ]

    def attempt(data, folder):
        try:
            told = json.loads(data)
            several, tree = bool(told["several"]), told["tree"]
            text = json.dumps(tree)
        except (ValueError, KeyError, TypeError, RecursionError):
            return False
        tensors, metadata = state_of(several)
        path = folder / "fuzzed.sk_erts"
        path.write_bytes(save(tensors, {**metadata, "tree": text}))
        return loaded(path)

    return Target(seeds, attempt, is_tree=True)


def weights():
    """Return the target of what a file of weights tells, in JSON."""

    def seeds(folder):
        contents = []
        for several in (False, True):
            fitted(several)[0].save_weights(folder / "w")
            from safetensors import safe_open

            with safe_open(folder / "w", "pt") as file:
                told = {
                    key: json.loads(value)
                    for key, value in file.metadata().items()
                    if key in ("network", "parameters", "about")
                }
            contents.append(json.dumps({"several": several, "told": told}).encode())
        return contents

    def attempt(data, folder):
        try:
            given = json.loads(data)
            several = bool(given["several"])
            told = {str(key): json.dumps(value) for key, value in given["told"].items()}
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return False
        clf, _ = fitted(several)
        path = folder / "fuzzed.safetensors"
        path.write_bytes(
            save(
                clf.net_.module_.state_dict(), {"format": "pt", "sk_erts": "1", **told}
            )
        )
        n_read = 0
        try:
            load_weights(path)
            n_read += 1
        except ValueError as error:
            assert str(path) in str(error), error
        try:
            other = ERTSClassifier(device="cpu", verbose=0).load_weights(path)
        except ValueError as error:
            assert str(path) in str(error), error
            return n_read > 0
        n_times = 16 if other.n_times_in_ is None else other.n_times_in_
        if other.n_leads_in_ * n_times <= 10_000:
            probe = np.zeros((2, other.n_leads_in_, n_times), dtype=np.float32)
            probe[:, 0, 0] = 1
            assert other.predict_proba(probe).shape == (2, len(other.classes_))
        return True

    return Target(seeds, attempt, is_tree=True)


def tensor_files():
    """Return the target of whole files of classifiers and weights, byte by byte."""

    def seeds(folder):
        write_archive(folder / "a", "classifier", {"x": np.arange(5), "text": "old"})
        save_weights(ResNet1d(1, 2, width=2, blocks=(1,)), folder / "w")
        fitted()[0].save(folder / "c")
        return [(folder / name).read_bytes() for name in "awc"]

    def attempt(data, folder):
        path = folder / "fuzzed"
        path.write_bytes(data)
        n_read = 0
        for read in (
            partial(read_archive, what="classifier"),
            load_weights,
            loaded,
        ):
            try:
                n_read += read(path) is not False
            except ValueError as error:
                assert str(path) in str(error), error
        return n_read > 0

    return Target(seeds, attempt)


TARGETS = {
    "header": headers(),
    "signal": signal_files(),
    "annotations": annotations(),
    "scp": file_target(".scp", scp_writers(), read_scp, repair=repaired_scp),
    "muse": file_target(
        ".xml",
        [write_muse_records, partial(write_muse_records, compact=True)],
        read_muse_xml,
    ),
    "aecg": file_target(".xml", [write_aecg_records], read_aecg),
    "edf": file_target(
        ".edf",
        [
            partial(write_edf, samples=X[:, :40], names=NAMES, fs=20),
            partial(
                write_edf, samples=X[:, :40], names=NAMES, fs=20, annotations=[(1, "a")]
            ),
        ],
        read_edf,
    ),
    "dicom": file_target(".dcm", [write_dicom_records], read_dicom),
    "csv": file_target(".csv", tables(), read_table),
    "mat": file_target(
        ".mat",
        [
            write_matrix,
            partial(write_matrix, do_compression=True),
            partial(write_matrix, format="4"),
            partial(write_matrix, matrix=X[:, :40] / 7),
        ],
        partial(read_mat, **TABLE),
        most_per_byte=None,  # zlib packs zeros a thousandfold
    ),
    "npz": archives_of_arrays(),
    "tree": trees(),
    "weights": weights(),
    "tensors": tensor_files(),
}


def attempted(target, data, folder):
    """Attempt a target; warnings that are not of this package are failures."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for told in (DoubtfulInputWarning, ExplanationWarning, WeightsWarning):
            warnings.simplefilter("ignore", told)
        warnings.filterwarnings("ignore", message="X does not have valid feature names")
        # numpy's word on files of Python 2, which it reads.
        warnings.filterwarnings("ignore", message="Reading `.npy` or `.npz` file requ")
        return target.attempt(data, folder)
