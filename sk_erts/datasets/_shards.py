"""A folder of shards: more records than one file should hold."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from sk_erts._lib.checks import check_choice, check_count, check_shape, refuse
from sk_erts._lib.typing import Array, FloatArray, IntArray
from sk_erts._lib.whole import to_disk, whole_folder
from sk_erts.datasets._damage import reading
from sk_erts.datasets._lazy import LazyRecords
from sk_erts.datasets._packed import pieces_of
from sk_erts.datasets._shard import ENTRY_BYTES, Shard, index_of
from sk_erts.exceptions import RecordError, RecordNotFoundError

__all__ = ["ShardedRecords", "to_shards"]

# Of a shard, where nobody says how many records it holds: large enough that ten
# million records are some hundred files, small enough to be copied in a minute.
SHARD_BYTES = 2**28
# Shards that are held open; a process may open 256 files where it may open fewest.
N_OPEN = 128
ITEM_TYPES: dict[str, np.dtype[Any]] = {
    "float32": np.dtype("<f4"),
    "int16": np.dtype("<i2"),
}
OPEN = ("_shard", "_scale")


class ShardedRecords(LazyRecords):
    """Records in a folder of shards, in the format Zarr 3.

    `to_shards` writes such folders and `open_records` opens them. Reading needs no
    other package. A batch is read in the order in which it lies in the shards, and
    the system is told of all of it first, so that it fetches the parts side by side.

    Parameters
    ----------
    path : path-like
        A folder that `to_shards` wrote.

    Raises
    ------
    RecordNotFoundError
        If there is no such folder.
    RecordError
        If the folder is none of `to_shards`, or is not whole; of shards, the length
        is looked at here and the rest when they are read.

    See Also
    --------
    PackedRecords : One file.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sk_erts.datasets import make_ecg, to_shards
    >>> X, _ = make_ecg(4, random_state=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     sharded = to_shards(X, Path(folder, "ecg.zarr"), records_per_shard=3)
    ...     print(sharded, bool((sharded[[3, 0]].load() == X[[3, 0]]).all()))
    ShardedRecords(shape=(4, 12, 1000)) True
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        shape, self._stored, self._per_shard = _read_metadata(Path(self.path))
        super().__init__(shape)
        self._record_bytes = int(np.prod(shape[1:])) * ITEM_TYPES[self._stored].itemsize
        self._open()

    def __getstate__(self) -> dict[str, Any]:
        """Leave the open files behind: whoever gets this opens them anew."""
        return {key: value for key, value in vars(self).items() if key not in OPEN}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if _read_metadata(Path(self.path)) != (
            self._stored_shape,
            self._stored,
            self._per_shard,
        ):
            raise RecordError(
                f"{self.path}: the folder must be the one that these ShardedRecords "
                "were opened from. It holds others now: open it again."
            )
        self._open()

    def _open(self) -> None:
        folder, (n, *_) = Path(self.path), self._stored_shape
        shape = n, self._per_shard, self._record_bytes
        # Of no method of this object: a circle would keep the files open.
        self._shard = lru_cache(N_OPEN)(partial(_open_shard, folder, *shape))
        for number in range(-(-n // self._per_shard)):
            n_bytes = _n_in(number, n, self._per_shard) * self._record_bytes
            n_bytes += ENTRY_BYTES * self._per_shard
            _check_size(_path_of(folder, number), n_bytes, "the shard")
        self._scale = _read_scale(folder, n) if self._stored == "int16" else None

    def _read(self, rows: IntArray) -> FloatArray:
        order = np.argsort(rows, kind="stable")
        ordered = rows[order]
        shape = (len(rows), *self._stored_shape[1:])
        stored: Array = np.empty(shape, dtype=ITEM_TYPES[self._stored])
        runs = self._runs(ordered)
        for start in range(0, len(runs), N_OPEN):
            some = runs[start : start + N_OPEN]
            for run in some:
                self._fetch(ordered, run)
            for run in some:
                shard, first = self._place(int(ordered[run.start]))
                shard.read(first, [stored[k] for k in order[run.start : run.stop]])
        X: FloatArray = stored.astype(np.float32, copy=False)
        if self._scale is not None:
            X *= self._scale[rows][:, np.newaxis, np.newaxis]
        return X

    def _runs(self, rows: IntArray) -> list[range]:
        """Return which of some sorted rows lie one after another in a shard."""
        follows = (np.diff(rows) == 1) & (rows[1:] % self._per_shard != 0)
        starts = [0, *(np.flatnonzero(~follows) + 1).tolist()] if len(rows) else []
        return list(map(range, starts, [*starts[1:], len(rows)]))

    def _fetch(self, rows: IntArray, run: range) -> None:
        shard, first = self._place(int(rows[run.start]))
        shard.will_need(first, len(run))

    def _place(self, row: int) -> tuple[Shard, int]:
        """Return the shard of a record, and its place there."""
        number, place = divmod(row, self._per_shard)
        return self._shard(number), place


def to_shards(
    records: Any,
    path: str | os.PathLike[str],
    *,
    dtype: str = "float32",
    records_per_shard: int | None = None,
    overwrite: bool = False,
    n_jobs: int | None = None,
    verbose: bool = False,
) -> ShardedRecords:
    """Write records to a folder of shards, and open it.

    The folder is a group of the format Zarr 3, which other programs read too: an array
    ``signal`` of shape (n_samples, n_leads, n_times), each record a chunk of a shard,
    uncompressed, and with ``dtype="int16"`` an array ``scale`` of shape (n_samples,),
    by which the records are multiplied. It appears under its name when it is whole; a
    crash leaves none.

    Parameters
    ----------
    records : ndarray of shape (n_samples, n_leads, n_times), RecordArray or similar
        What has `shape` and can be sliced; an array of zarr, too.
    path : path-like
        Folder to write.
    dtype : {"float32", "int16"}, default="float32"
        ``"int16"`` takes half the space and keeps each record to one part in 65,534 of
        its largest amplitude.
    records_per_shard : int, default=None
        Records in each file; None is as many as are some 256 MB.
    overwrite : bool, default=False
        Whether a folder of this name may be replaced, if it is one of `to_shards`.
    n_jobs : int, default=None
        Number of processes that read; None is one.
    verbose : bool, default=False
        Whether to show a progress bar.

    Returns
    -------
    X : ShardedRecords of shape (n_samples, n_leads, n_times)
        What `open_records` returns.

    Raises
    ------
    ValueError
        If a parameter is not what it must be, or a record holds values that are not
        finite.
    FileExistsError
        If there is such a file or folder, and it may not be replaced.

    See Also
    --------
    to_memmap : Writes one file, which is read as fast, up to the size of a disk.

    References
    ----------
    .. [1] Zarr core specification 3, and its codec ``sharding_indexed``,
       https://zarr-specs.readthedocs.io

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sk_erts.datasets import make_ecg, open_records, to_shards
    >>> X, _ = make_ecg(4, random_state=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = to_shards(X, Path(folder, "ecg.zarr"), dtype="int16")
    ...     sharded = open_records(Path(folder, "ecg.zarr"))
    ...     print(sharded, bool(abs(sharded.load() - X).max() < 1e-3))
    ShardedRecords(shape=(4, 12, 1000)) True
    """
    check_choice("to_shards", "dtype", dtype, ITEM_TYPES)
    if not hasattr(records, "shape"):
        wanted = "be an array or a collection with a shape: records of one length"
        advice = "Bring records to one length with sk_erts.preprocessing.FixLength."
        refuse("to_shards", "records", wanted, type(records).__name__, advice)
    shape = tuple(map(int, records.shape))
    check_shape("to_shards", "records", shape, "(n_samples, n_leads, n_times)")
    if records_per_shard is None:
        record_bytes = int(np.prod(shape[1:])) * ITEM_TYPES[dtype].itemsize
        records_per_shard = max(1, min(shape[0], SHARD_BYTES // record_bytes))
    per_shard = check_count("to_shards", "records_per_shard", records_per_shard)
    target = Path(path)
    _check_target(target, overwrite)
    with whole_folder(target) as folder:
        pieces = pieces_of("to_shards", records, dtype, n_jobs, verbose)
        _write(folder, shape, dtype, per_shard, pieces)
    return ShardedRecords(path)


def _check_target(target: Path, overwrite: bool) -> None:
    """Raise if a folder may not be written; before any record is read."""
    if not os.path.lexists(target):
        return
    if not overwrite:
        raise FileExistsError(
            f"{target} is there already. Remove it, name another folder, or, to "
            "to_shards, pass overwrite=True."
        )
    try:
        _read_metadata(target)
    except (RecordError, RecordNotFoundError) as error:
        raise FileExistsError(
            f"{target} is no folder of to_shards, which alone may be replaced. Remove "
            "it, or name another folder."
        ) from error


def _write(
    folder: Path,
    shape: tuple[int, ...],
    dtype: str,
    per_shard: int,
    pieces: Iterable[Array],
) -> None:
    """Write all files of a folder; those that say what it is come last."""
    (folder / "signal" / "c").mkdir(parents=True)
    scales, number, n_written = [], 0, 0
    file: Any = None
    try:
        for piece in pieces:
            if dtype == "int16":
                scales.append(piece["scale"])
                piece = piece["signal"]
            piece = np.ascontiguousarray(piece, dtype=ITEM_TYPES[dtype])
            while len(piece):
                if file is None:
                    where = _path_of(folder, number)
                    where.parent.mkdir(parents=True)
                    file = where.open("wb")
                now = piece[: per_shard - n_written]
                file.write(now.data)
                n_written, piece = n_written + len(now), piece[len(now) :]
                if n_written == per_shard:
                    _finish(file, n_written, per_shard, now[0].nbytes)
                    file, number, n_written = None, number + 1, 0
        if file is not None:
            _finish(file, n_written, per_shard, now[0].nbytes)
    finally:
        if file is not None:
            file.close()
    _write_json(folder / "signal", _metadata_of_signal(shape, dtype, per_shard))
    if dtype == "int16":
        (folder / "scale" / "c").mkdir(parents=True)
        scale = np.concatenate(scales).astype("<f4")
        with (folder / "scale" / "c" / "0").open("wb") as file:
            file.write(scale.data)
            to_disk(file)
        _write_json(folder / "scale", _metadata_of_scale(shape[0]))
    _write_json(folder, {"zarr_format": 3, "node_type": "group", "attributes": {}})


def _finish(file: Any, n_records: int, per_shard: int, record_bytes: int) -> None:
    """Write the index of a shard behind its records."""
    index = index_of(n_records, record_bytes, per_shard)
    file.write(index.data)
    to_disk(file)
    file.close()


def _write_json(folder: Path, content: dict[str, Any]) -> None:
    with (folder / "zarr.json").open("w", encoding="utf-8") as file:
        json.dump(content, file, indent=2)
        to_disk(file)


def _n_in(number: int, n_records: int, per_shard: int) -> int:
    """Return how many records a shard holds: the last one may have fewer."""
    return min(per_shard, n_records - number * per_shard)


def _open_shard(
    folder: Path, n_records: int, per_shard: int, record_bytes: int, number: int
) -> Shard:
    n_in = _n_in(number, n_records, per_shard)
    return Shard(_path_of(folder, number), n_in, per_shard, record_bytes)


def _read_scale(folder: Path, n_records: int) -> FloatArray:
    """Return by what each record is multiplied."""
    path = folder / "scale" / "c" / "0"
    _check_size(path, 4 * n_records, "the file of scales")
    scale = np.fromfile(path, dtype="<f4").astype(np.float32, copy=False)
    if not (np.isfinite(scale) & (scale > 0)).all():
        raise RecordError(
            f"{path}: each scale must be a finite number above 0. Copy the folder "
            "anew, or write it again."
        )
    return scale


def _path_of(folder: Path, number: int) -> Path:
    return folder / "signal" / "c" / str(number) / "0" / "0"


def _metadata_of_signal(
    shape: tuple[int, ...], dtype: str, per_shard: int
) -> dict[str, Any]:
    """Return what Zarr calls an array in shards, each record a chunk."""
    little = {"name": "bytes", "configuration": {"endian": "little"}}
    sharding = {
        "chunk_shape": [1, *shape[1:]],
        "codecs": [little],
        # No checksum: there is but one index that a shard can have.
        "index_codecs": [little],
        "index_location": "end",
    }
    return _metadata(
        shape,
        dtype,
        [per_shard, *shape[1:]],
        [{"name": "sharding_indexed", "configuration": sharding}],
        attributes={"unit": "mV"} if dtype == "float32" else {"unit": "scale in mV"},
        dimension_names=["record", "lead", "time"],
    )


def _metadata_of_scale(n_records: int) -> dict[str, Any]:
    return _metadata(
        (n_records,),
        "float32",
        [n_records],
        [{"name": "bytes", "configuration": {"endian": "little"}}],
        attributes={"unit": "mV"},
        dimension_names=["record"],
    )


def _metadata(
    shape: tuple[int, ...],
    dtype: str,
    chunk_shape: list[int],
    codecs: list[dict[str, Any]],
    **more: Any,
) -> dict[str, Any]:
    return {
        "zarr_format": 3,
        "node_type": "array",
        "shape": list(shape),
        "data_type": dtype,
        "chunk_grid": {
            "name": "regular",
            "configuration": {"chunk_shape": chunk_shape},
        },
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": 0,
        "codecs": codecs,
        **more,
    }


def _read_metadata(folder: Path) -> tuple[tuple[int, int, int], str, int]:
    """Return shape, type of the numbers and records per shard of a folder."""
    if not folder.is_dir():
        raise RecordNotFoundError(
            f"{folder}: there is no such folder. Give the one that to_shards wrote."
        )
    found = _read_json(folder / "signal" / "zarr.json")
    shape: Any = None
    with suppress(KeyError, TypeError, ValueError, IndexError):
        n, n_leads, n_times = found["shape"]
        shape, dtype = (n, n_leads, n_times), found["data_type"]
        per_shard = found["chunk_grid"]["configuration"]["chunk_shape"][0]
        if min(*shape, per_shard) >= 1 and dtype in ITEM_TYPES:
            expected = _metadata_of_signal(shape, dtype, per_shard)
            if found == expected and _read_json(folder / "zarr.json"):
                return shape, dtype, per_shard
    raise RecordError(
        f"{folder}: the folder must be one that to_shards wrote. Got another "
        "'signal/zarr.json'; open the array with zarr, and write it with to_shards."
    )


def _read_json(path: Path) -> dict[str, Any]:
    with reading(os.fspath(path), "a file of the folder that to_shards writes"):
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            raise ValueError(f"a {type(content).__name__}")
        return content


def _check_size(path: Path, expected: int, what: str) -> None:
    try:
        size = path.stat().st_size
    except FileNotFoundError as error:
        raise RecordNotFoundError(
            f"{path}: {what} is not there. Copy the folder anew, or write it again."
        ) from error
    if size != expected:
        raise RecordError(
            f"{path}: {what} must have {expected} bytes. Got {size} instead; copy the "
            "folder anew, or write it again."
        )
