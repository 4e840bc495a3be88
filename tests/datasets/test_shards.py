"""Folders of shards: what they give back, how they are read, and what is refused."""

import json
import os
import pickle
import shutil
import subprocess
import sys

import numpy as np
import pytest
import zarr
from numpy.testing import assert_array_equal
from sklearn.model_selection import cross_val_score

from sk_erts import ERTSClassifier
from sk_erts.datasets import (
    ShardedRecords,
    _packed,
    _shard,
    _shards,
    make_ecg,
    open_records,
    to_memmap,
    to_shards,
)
from sk_erts.exceptions import RecordError, RecordNotFoundError

N = 70  # more than are read at once
PER_SHARD = 16  # so that the last shard is not full
CLASSES = ("NORM", "BBB")
X, Y = make_ecg(N, n_leads=2, duration_s=1.5, classes=CLASSES, random_state=0)
KEYS = [
    slice(3, 40),
    slice(None, None, -7),
    [4, 4, 0, 69, 5],
    np.arange(N) % 3 == 0,
    np.random.default_rng(0).permutation(N),
    np.array([], dtype=int),
]


@pytest.fixture(params=["float32", "int16"])
def dtype(request):
    return request.param


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "ecg.zarr"


@pytest.fixture
def sharded(folder, dtype):
    return to_shards(X, folder, dtype=dtype, records_per_shard=PER_SHARD)


@pytest.fixture
def stored(tmp_path, dtype):
    """Return the same records from one file."""
    return np.array(load(to_memmap(X, tmp_path / "x.npy", dtype=dtype)))


def load(records):
    return records.load() if hasattr(records, "load") else records


class TestWhatIsRead:
    def test_is_what_one_file_gives(self, sharded, stored):
        assert isinstance(sharded, ShardedRecords)
        assert sharded.shape == X.shape
        assert sharded.load().dtype == np.float32
        assert_array_equal(sharded.load(), stored)

    @pytest.mark.parametrize("key", KEYS, ids=repr)
    def test_some_of_them_in_any_order(self, sharded, stored, key, monkeypatch):
        with monkeypatch.context() as patch:
            patch.setattr(ShardedRecords, "_read", None)  # nothing is read yet
            part = sharded[key]
        assert isinstance(part, ShardedRecords)
        assert_array_equal(part.load(), stored[key])
        assert_array_equal(part[::2].load(), stored[key][::2])
        taken = np.arange(len(part))[::-1]
        assert_array_equal(part.take(taken), stored[key][::-1])

    @pytest.mark.parametrize("k", [0, 15, 16, -1, np.int64(69)])
    def test_one_of_them(self, sharded, stored, k):
        assert_array_equal(sharded[k], stored[k])

    def test_out_of_range(self, sharded):
        with pytest.raises(IndexError):
            sharded[[0, N]]
        with pytest.raises(IndexError):
            sharded[:3].take(np.array([3]))

    @pytest.mark.parametrize("per_shard", [1, 35, N, N + 1, None])
    def test_however_they_are_divided(self, folder, dtype, stored, per_shard):
        sharded = to_shards(X, folder, dtype=dtype, records_per_shard=per_shard)
        assert_array_equal(sharded[::-3].load(), stored[::-3])
        n_files = len(list((folder / "signal" / "c").iterdir()))
        assert n_files == (1 if per_shard is None else -(-N // per_shard))

    def test_a_shard_is_some_256_mb_by_default(self, folder, monkeypatch):
        monkeypatch.setattr(_shards, "SHARD_BYTES", 10 * X[0].nbytes + 1)
        to_shards(X, folder)
        assert len(list((folder / "signal" / "c").iterdir())) == 7

    def test_more_shards_than_are_held_open(self, sharded, stored, monkeypatch):
        monkeypatch.setattr(_shards, "N_OPEN", 2)
        order = np.random.default_rng(1).permutation(N)
        before = n_open_files()
        again = open_records(sharded.path)
        assert_array_equal(again.take(order), stored[order])
        assert n_open_files() == before + 2
        del again
        assert n_open_files() == before

    def test_more_than_one_call_reads(self, sharded, stored, monkeypatch):
        monkeypatch.setattr(_shard, "N_PER_CALL", 3)
        assert_array_equal(sharded.load(), stored)

    def test_a_system_that_reads_less_than_it_was_asked_for(
        self, sharded, stored, monkeypatch
    ):
        read = _shard._read_at

        def a_little(handle, views, offset):
            return read(handle, [views[0][:100]], offset)

        monkeypatch.setattr(_shard, "_read_at", a_little)
        assert_array_equal(sharded[[3, 4, 40]].load(), stored[[3, 4, 40]])

    def test_a_system_that_only_seeks(self, sharded, stored, monkeypatch):
        monkeypatch.delattr(os, "preadv")
        monkeypatch.setattr(_shard, "CAN_TELL", False)
        assert_array_equal(open_records(sharded.path)[::-1].load(), stored[::-1])


def n_open_files():
    return len(os.listdir("/proc/self/fd"))


class TestFormat:
    def test_zarr_reads_the_same(self, sharded, stored, dtype):
        """An independent reader, which goes by the specification."""
        group = zarr.open_group(sharded.path, mode="r")
        signal = group["signal"][:]
        assert signal.dtype == dtype
        if dtype == "int16":
            signal = signal * group["scale"][:][:, np.newaxis, np.newaxis]
        assert_array_equal(signal, stored)
        assert group["signal"].chunks == (1, 2, 150)
        assert group["signal"].shards == (PER_SHARD, 2, 150)
        one = group["signal"][69]  # by the index of the last shard, which is not full
        assert one.shape == (2, 150)

    def test_arrays_of_zarr_are_written(self, folder, tmp_path):
        other = zarr.create_array(tmp_path / "other", data=X, chunks=(9, 2, 150))
        assert_array_equal(to_shards(other, folder).load(), X)

    def test_reading_and_writing_need_no_zarr(self, sharded):
        script = (
            "import sys; sys.modules['zarr'] = None\n"
            "from sk_erts.datasets import open_records, to_shards\n"
            "records = open_records(sys.argv[1])\n"
            "to_shards(records, sys.argv[1] + '2')\n"
        )
        subprocess.run([sys.executable, "-c", script, sharded.path], check=True)
        assert_array_equal(open_records(sharded.path + "2").load(), sharded.load())


class TestEstimator:
    def test_the_same_fit_as_from_one_file_and_an_array(
        self, small, sharded, stored, tmp_path, dtype
    ):
        one_file = open_records(tmp_path / "x.npy")
        fits = [
            ERTSClassifier(**small).fit(records, Y)
            for records in (sharded, one_file, stored)
        ]
        proba = fits[0].predict_proba(sharded)
        status = fits[0].selection_.status
        for other in fits[1:]:
            assert_array_equal(other.predict_proba(stored), proba)
            assert_array_equal(other.selection_.status, status)

    @pytest.mark.parametrize("n_jobs", [None, 2])
    def test_cross_validation_divides_it(
        self, small, sharded, stored, monkeypatch, n_jobs
    ):
        monkeypatch.setattr(ShardedRecords, "load", None)
        clf = ERTSClassifier(**small | {"max_epochs": 3})
        scores = cross_val_score(clf, sharded, Y, cv=2, n_jobs=n_jobs)
        assert_array_equal(scores, cross_val_score(clf, stored, Y, cv=2))

    def test_a_hint_changes_nothing(self, small, sharded, monkeypatch):
        """Whether the system fetches records before they are read."""
        told = []
        with monkeypatch.context() as patch:
            patch.setattr(os, "posix_fadvise", lambda *which: told.append(which))
            with_hints = ERTSClassifier(**small).fit(sharded, Y)
        assert told
        monkeypatch.setattr(_shard, "CAN_TELL", False)
        without = ERTSClassifier(**small).fit(sharded, Y)
        assert_array_equal(
            with_hints.predict_proba(sharded), without.predict_proba(sharded)
        )


class TestHints:
    @pytest.fixture
    def told(self, monkeypatch):
        calls = []

        def note(handle, start, size, what):
            assert what == os.POSIX_FADV_WILLNEED
            name = os.readlink(f"/proc/self/fd/{handle}")
            number = int(os.path.relpath(name, start=os.sep).split(os.sep)[-3])
            calls.append((number, start, size))

        monkeypatch.setattr(os, "posix_fadvise", note)
        return calls

    def test_are_of_the_records_of_a_batch(self, sharded, dtype, told):
        sharded[::-1].take(np.array([40, 3, 2]))  # record k is record 69 - k
        size = 300 * np.dtype(dtype).itemsize
        assert told == [  # 29, and 66 and 67 together
            (29 // 16, 29 % 16 * size, size),
            (66 // 16, 66 % 16 * size, 2 * size),
        ]

    def test_of_a_batch_come_before_it_is_read(self, sharded, told, monkeypatch):
        read = _shard.Shard.read

        def note(self, first, into):
            told.append("read")
            return read(self, first, into)

        monkeypatch.setattr(_shard.Shard, "read", note)
        sharded.take(np.array([40, 3, 4]))
        assert [call if call == "read" else call[0] for call in told] == [
            0,
            2,
            "read",
            "read",
        ]

    def test_that_a_file_system_refuses(self, sharded, stored, monkeypatch):
        def refuse(*which):
            raise OSError(22, "Invalid argument")

        monkeypatch.setattr(os, "posix_fadvise", refuse)
        assert_array_equal(sharded.load(), stored)


class TestPickling:
    def test_travels_as_its_path(self, sharded):
        part = sharded[40:3:-2]
        again = pickle.loads(pickle.dumps(part))
        assert_array_equal(again.load(), part.load())
        assert len(pickle.dumps(sharded)) < 3000

    def test_files_are_opened_where_it_arrives(self, sharded):
        script = (
            "import pickle, sys\n"
            "records = pickle.load(sys.stdin.buffer)\n"
            "sys.stdout.buffer.write(records.load().tobytes())\n"
        )
        told = subprocess.run(
            [sys.executable, "-c", script],
            input=pickle.dumps(sharded[5:50]),
            check=True,
            stdout=subprocess.PIPE,
        )
        assert told.stdout == sharded[5:50].load().tobytes()

    def test_another_folder_of_the_same_name(self, folder, sharded):
        pickled = pickle.dumps(sharded)
        to_shards(X[:60], folder, overwrite=True)
        with pytest.raises(RecordError, match=r"ecg\.zarr: .* It holds others now"):
            pickle.loads(pickled)


class TestWriting:
    def test_a_crash_leaves_nothing(self, folder, tmp_path, dtype, monkeypatch):
        load = _packed._load

        def crash(part, first, *how):
            if first:
                raise KeyboardInterrupt
            return load(part, first, *how)

        monkeypatch.setattr(_packed, "_load", crash)
        with pytest.raises(KeyboardInterrupt):
            to_shards(X, folder, dtype=dtype, records_per_shard=PER_SHARD)
        assert list(tmp_path.iterdir()) == []

    def test_a_crash_leaves_what_was_there(self, folder, tmp_path, monkeypatch):
        to_shards(X, folder)
        monkeypatch.setattr(_shards, "_write_json", None)
        with pytest.raises(TypeError):
            to_shards(X + 1, folder, overwrite=True)
        assert list(tmp_path.iterdir()) == [folder]
        assert_array_equal(open_records(folder).load(), X)

    def test_a_folder_is_not_replaced_unless_asked(self, folder, monkeypatch):
        to_shards(X, folder)
        with monkeypatch.context() as patch:
            patch.setattr(_packed, "_load", None)  # nothing is read
            with pytest.raises(FileExistsError, match="overwrite=True"):
                to_shards(X + 1, folder)
        assert_array_equal(open_records(folder).load(), X)
        replaced = to_shards(X[:50] + 1, folder, overwrite=True)
        assert_array_equal(replaced.load(), X[:50] + 1)

    def test_anything_else_is_never_replaced(self, folder):
        folder.mkdir()
        (folder / "thesis.txt").write_text("years of work")
        with pytest.raises(FileExistsError, match="no folder of to_shards, which"):
            to_shards(X, folder, overwrite=True)
        assert (folder / "thesis.txt").read_text() == "years of work"

    def test_may_be_written_over_itself(self, folder):
        sharded = to_shards(X, folder, records_per_shard=PER_SHARD)
        assert_array_equal(to_shards(sharded[9:], folder, overwrite=True).load(), X[9:])

    @pytest.mark.parametrize("n_jobs", [None, 2])
    def test_from_another_collection(self, sharded, tmp_path, n_jobs):
        copy = to_shards(sharded[::-1], tmp_path / "copy", n_jobs=n_jobs)
        assert_array_equal(copy.load(), sharded.load()[::-1])

    def test_gets_the_rights_of_new_folders(self, folder, tmp_path):
        to_shards(X, folder)
        (tmp_path / "new").mkdir()
        assert folder.stat().st_mode == (tmp_path / "new").stat().st_mode

    @pytest.mark.parametrize("spoilt", [np.nan, np.inf])
    def test_bad_samples_are_named(self, folder, tmp_path, spoilt):
        x = X.copy()
        x[68, 1, 3] = spoilt
        with pytest.raises(ValueError, match="Record 68 of to_shards .*NaN or inf"):
            to_shards(x, folder)
        assert list(tmp_path.iterdir()) == []

    def test_parameters(self, folder):
        with pytest.raises(ValueError, match="'float32' or 'int16'. Got 'int8'"):
            to_shards(X, folder, dtype="int8")
        with pytest.raises(ValueError, match=r"Got shape \(70, 150\) instead"):
            to_shards(X[:, 0], folder)
        for wrong in (0, 2.5, True):
            with pytest.raises(ValueError, match="'records_per_shard' .* of at least"):
                to_shards(X, folder, records_per_shard=wrong)

    def test_records_of_different_lengths(self, folder):
        ragged = [X[0], X[1, :, :99]]
        with pytest.raises(ValueError, match=r"Got list instead\. .*FixLength"):
            to_shards(ragged, folder)


class TestDamage:
    def test_no_folder(self, folder):
        with pytest.raises(RecordNotFoundError, match=r"ecg\.zarr: there is no such"):
            ShardedRecords(folder)

    def test_a_folder_of_something_else(self, folder):
        folder.mkdir()
        with pytest.raises(RecordNotFoundError, match=r"signal/zarr\.json: .* not the"):
            open_records(folder)

    def test_an_array_of_another_program(self, folder):
        group = zarr.create_group(folder)
        group.create_array("signal", data=X, chunks=(1, 2, 150), shards=(70, 2, 150))
        with pytest.raises(RecordError, match="must be one that to_shards wrote"):
            open_records(folder)

    @pytest.mark.parametrize("content", ["", "[]", "{}", '{"shape": "many"}', "\xff"])
    def test_other_metadata(self, folder, sharded, content):
        path = folder / "signal" / "zarr.json"
        path.write_text(content, encoding="latin-1")
        with pytest.raises(RecordError, match=r"ecg\.zarr"):
            open_records(folder)

    @pytest.mark.parametrize(
        ("name", "value"),
        [("shape", [80, 2, 150]), ("shape", [-1, 2, 150]), ("data_type", "int32")],
    )
    def test_metadata_that_do_not_go_with_the_shards(self, folder, name, value):
        to_shards(X, folder, records_per_shard=PER_SHARD)
        path = folder / "signal" / "zarr.json"
        metadata = json.loads(path.read_text()) | {name: value}
        path.write_text(json.dumps(metadata))
        with pytest.raises(RecordError, match=r"ecg\.zarr"):
            open_records(folder)

    def test_a_folder_copied_in_part(self, folder, sharded):
        shutil.rmtree(folder / "signal" / "c" / "2")
        with pytest.raises(RecordNotFoundError, match="c/2/0/0: the shard is not ther"):
            open_records(folder)

    def test_a_shard_cut_short(self, folder, sharded):
        path = folder / "signal" / "c" / "3" / "0" / "0"
        os.truncate(path, path.stat().st_size - 1)
        with pytest.raises(RecordError, match=r"c/3/0/0: .* must have \d+ bytes\. Got"):
            open_records(folder)
        with pytest.raises(RecordError, match="c/3/0/0"):
            pickle.loads(pickle.dumps(sharded))
        with pytest.raises(RecordError, match="c/3/0/0"):
            sharded.load()  # it was opened before

    @pytest.mark.parametrize("place", [0, 3, -1])
    def test_another_index(self, folder, place):
        to_shards(X, folder, records_per_shard=PER_SHARD)
        path = folder / "signal" / "c" / "4" / "0" / "0"  # 6 records, 10 free places
        content = bytearray(path.read_bytes())
        content[place if place < 0 else 6 * X[0].nbytes + 16 * place] ^= 1
        path.write_bytes(content)
        opened = open_records(folder)
        assert_array_equal(opened[:64].load(), X[:64])
        with pytest.raises(RecordError, match="c/4/0/0: .* 6 records one behind anoth"):
            opened[64]

    @pytest.mark.parametrize("wrong", [0, -1, np.nan, np.inf])
    def test_another_scale(self, folder, wrong):
        to_shards(X, folder, dtype="int16")
        path = folder / "scale" / "c" / "0"
        scale = np.fromfile(path, "<f4")
        scale[5] = wrong
        scale.tofile(path)
        with pytest.raises(RecordError, match="scale must be a finite number above 0"):
            open_records(folder)

    def test_scales_cut_short(self, folder):
        to_shards(X, folder, dtype="int16")
        os.truncate(folder / "scale" / "c" / "0", 4 * N - 4)
        with pytest.raises(RecordError, match="scales must have 280 bytes. Got 276"):
            open_records(folder)
