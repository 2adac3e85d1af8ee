from __future__ import annotations

import importlib
import json
import os
from copy import copy
from typing import TYPE_CHECKING, Any, Mapping, Optional, Sequence, Union, cast

import numpy as np
from numpy.typing import NDArray

from . import _raw, _recore
from ._columns import TIME_UNITS, Numbers, Times, column, moments
from ._errors import InvalidArgumentError, InvalidDataError, UnsupportedError
from ._handle import Handle, choice, options, run
from ._ids import Ids, SupportsArray, as_ids, from_raw, id_form

if TYPE_CHECKING:
    import threading

_ID_TYPES = {"auto": _recore.REC_ID_AUTO, "int64": _recore.REC_ID_INT64, "bytes": _recore.REC_ID_BYTES}
_PARTS = {"train": _recore.REC_PART_TRAIN, "valid": _recore.REC_PART_VALID, "test": _recore.REC_PART_TEST}
_SPLITS = {
    "ratio": _recore.REC_SPLIT_RATIO,
    "leave_one_out": _recore.REC_SPLIT_LEAVE_ONE_OUT,
    "temporal": _recore.REC_SPLIT_TEMPORAL,
    "session": _recore.REC_SPLIT_SESSION,
    "ratio_global": _recore.REC_SPLIT_RATIO_GLOBAL,
}
Parts = Union[SupportsArray, Sequence[int], Sequence[str]]
_BAD_ROWS = {"error": _recore.REC_BAD_ROW_ERROR, "skip": _recore.REC_BAD_ROW_SKIP}
_QUOTES = {"auto": _recore.REC_QUOTES_AUTO, "csv": _recore.REC_QUOTES_CSV, "none": _recore.REC_QUOTES_NONE}


class Dataset(Handle["_recore.DatasetHandle"]):
    """Interactions with their ids, the part (train, valid, test) of each, and item titles. Immutable."""

    def __init__(self, raw: _recore.DatasetHandle) -> None:
        super().__init__(raw, _recore.rec_dataset_destroy)

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, format: Optional[str] = None, user: Optional[str] = None,
             item: Optional[str] = None, time: Optional[str] = None, weight: Optional[str] = None,
             label: Optional[str] = None, impression_key: Optional[str] = None, separator: Optional[str] = None,
             header: Optional[bool] = None, quotes: str = "auto", time_unit: str = "auto",
             time_format: Optional[str] = None, missing: Optional[str] = None, part: Optional[str] = None,
             valid: Optional[str | os.PathLike[str]] = None, test: Optional[str | os.PathLike[str]] = None,
             user_ids: str = "auto", item_ids: str = "auto", bad_rows: str = "error",
             max_bad_rows: int = 0, min_weight: Optional[float] = None, memory_limit_bytes: int = 0,
             cancel: Optional[threading.Event] = None) -> Dataset:
        """Reads a file or folder. describe()["read_as"] shows what was found rather than given, "notes" what could be wrong.

        Args:
            path: .gz is read as text. Files that are already split keep their parts; in any other file every row is train.
                A Parquet file is read by pyarrow, as from_arrow() does; what pyarrow unpacks is beside memory_limit_bytes.
            format: csv, tsv, parquet, lightgcn, recbole, rechorus, movielens, gru4rec or two_tower; by default it is detected.
            user, item, time, weight, label: column names; by default the usual ones. time="", weight="" or label="" ignores
                that column. A label is 1 for a clicked row, 0 for one that was only shown.
            impression_key: "time" or a column: labelled rows of one user with equal values are an impression list.
            header: whether the first line of a CSV or TSV file names the columns; by default it does unless it has a number or
                a date in it. Without a header columns are named "1", "2", ...
            quotes: "auto", "csv", or "none": a quote is a character.
            time_unit: "s", "ms", "us" or "ns" of times that are numbers; auto goes by their size.
            time_format: of dates, from %Y %m %d %H %M %S %y %b %a %I %p %z; by default ISO 8601.
            missing: words, by comma, for an id that is missing; such rows are left out and counted.
            part: "train", "valid" or "test": of every row, for files that have no parts of their own.
            valid, test: files of the same format, whose rows are these parts.
            user_ids, item_ids: "auto", "int64" or "bytes"; auto is int64 when every id is a decimal number. A number and its
                text are the same id.
            bad_rows: "error", or "skip" for up to max_bad_rows (0 = 1000).
            min_weight: rows below are left out.
            cancel: ends the call with CancelledError when another thread sets it.
        Raises:
            NotFoundError, IoError, InvalidDataError (with file and line), LimitError, UnsupportedError, CancelledError.
        """
        stream = _parquet_stream(path) if format in (None, "auto", "parquet") else None
        if format == "parquet" and stream is None and os.path.isfile(path):
            raise InvalidDataError(f"{os.fspath(path)}: the file is not Parquet", argument="format")
        given = _reading(
            user_ids, item_ids, bad_rows, min_weight, format=format if stream is None else None, user_column=user, item_column=item, time_column=time,
            weight_column=weight, label_column=label, impression_key=impression_key, separator=separator,
            header=_header(header), quotes=choice("quotes", quotes, _QUOTES),
            time_unit=choice("time_unit", time_unit, TIME_UNITS), time_format=time_format, missing=missing,
            part=0 if part is None else choice("part", part, _PARTS), has_part=int(part is not None),
            valid_path=None if valid is None else os.fspath(valid), test_path=None if test is None else os.fspath(test),
            max_bad_rows=max_bad_rows, memory_limit_bytes=memory_limit_bytes)
        if stream is None:
            return cls(_recore.rec_dataset_load(path, given, run(cancel)))
        of_text = {"separator": separator, "header": header, "quotes": None if quotes == "auto" else quotes, "valid": valid,
                   "test": test}
        for name, value in of_text.items():
            if value is not None:
                raise InvalidArgumentError(f"{name}: cannot be given with the format parquet", argument=name)
        return cls(_recore.rec_dataset_create_from_arrow(stream.__arrow_c_stream__(), given, run(cancel)))

    @classmethod
    def from_columns(cls, users: Ids, items: Ids, times: Optional[Times] = None, weights: Optional[Numbers] = None,
                     parts: Optional[Parts] = None, *, labels: Optional[Numbers] = None,
                     impressions: Optional[Numbers] = None, titles: Optional[Mapping[Any, str]] = None,
                     more_users: Optional[Ids] = None, more_items: Optional[Ids] = None,
                     time_unit: str = "auto", memory_limit_bytes: int = 0, cancel: Optional[threading.Event] = None) -> Dataset:
        """A data set from columns of equal length n, which are copied.

        Args:
            users, items: [n] ids: int64 arrays or int lists, or str and bytes.
            times: [n] numbers since 1970 UTC, in time_unit, or datetime64. What is below a second decides the order of a
                user's rows, and is not kept otherwise.
            time_unit: "s", "ms", "us" or "ns"; auto goes by the size of the numbers.
            weights: [n] finite numbers.
            parts: [n] "train", "valid", "test", or 0, 1, 2; by default all is train.
            labels: [n] 1 for a clicked row, 0 for one that was only shown.
            impressions: [n] int64: labelled rows of one user with equal numbers are an impression list; by default times.
            titles: item id -> title.
            more_users, more_items: ids that the data set has with or without rows, of the kind of users and items.
            cancel: as in load().
        Raises:
            InvalidArgumentError (lengths that differ), InvalidDataError (with the row), LimitError, CancelledError, TypeError.
        """
        user_ids, item_ids = as_ids(users, "users"), as_ids(items, "items")
        times, unit = moments(times, time_unit)
        title_items = as_ids(list(titles), "titles") if titles else None
        title_texts = list(titles.values()) if titles else None
        return cls(_recore.rec_flat_dataset_create(
            user_ids, item_ids, column(times, np.int64, "times"), column(weights, np.float32, "weights"),
            column(_part_numbers(parts), np.int32, "parts"), column(labels, np.float32, "labels"),
            column(impressions, np.int64, "impressions"), title_items, title_texts,
            None if more_users is None else as_ids(more_users, "more_users"),
            None if more_items is None else as_ids(more_items, "more_items"), unit, memory_limit_bytes, run(cancel)))

    @classmethod
    def from_scipy(cls, matrix: Any, *, users: Optional[Ids] = None, items: Optional[Ids] = None,
                   cancel: Optional[threading.Event] = None) -> Dataset:
        """A data set from a SciPy sparse matrix of users by items; its stored values are the weights.

        Args:
            matrix: [n_users, n_items], of any sparse format. A row or column without values is a user or item without rows.
            users, items: [n_users], [n_items] ids of the rows and columns; by default their numbers.
        Raises:
            InvalidArgumentError (ids of another length), InvalidDataError (a value that is not finite).
        """
        if not hasattr(matrix, "tocoo") or len(matrix.shape) != 2:
            raise TypeError(f"matrix: must be a sparse matrix of two dimensions, got {type(matrix).__name__}"
                            f"{getattr(matrix, 'shape', '')}")
        coo = matrix.tocoo()
        if np.iscomplexobj(coo.data):
            raise TypeError("matrix: must have real values, got complex ones")
        ids = []
        for given, n, name in ((users, coo.shape[0], "users"), (items, coo.shape[1], "items")):
            of_axis = np.arange(n) if given is None else as_ids(given, name)
            if isinstance(of_axis, list):
                of_axis = np.array(of_axis, dtype=object)
            if len(of_axis) != n:
                raise InvalidArgumentError(f"{name}: must be as many as the matrix has, {n}, got {len(of_axis)}", argument=name)
            if len(set(of_axis.tolist())) != n:
                raise InvalidArgumentError(f"{name}: must be different, but an id is there twice", argument=name)
            ids.append(of_axis)
        return cls.from_columns(ids[0][coo.row], ids[1][coo.col], weights=coo.data, more_users=ids[0], more_items=ids[1],
                                cancel=cancel)

    @classmethod
    def from_pandas(cls, df: Any, *, user: str, item: str, time: Optional[str] = None, weight: Optional[str] = None,
                    part: Optional[str] = None, label: Optional[str] = None, impression: Optional[str] = None,
                    titles: Optional[Mapping[Any, str]] = None, time_unit: str = "auto", memory_limit_bytes: int = 0,
                    cancel: Optional[threading.Event] = None) -> Dataset:
        """A data set from columns of a pandas DataFrame, or of a polars one; a null in any of them is an InvalidDataError.

        Other frames with __arrow_c_stream__ do as well, without part and titles.
        """
        if not hasattr(df, "isna") and part is None and titles is None:
            return cls.from_arrow(df, user=user, item=item, time=time or "", weight=weight or "", label=label or "",
                                  impression_key=impression, time_unit=time_unit, memory_limit_bytes=memory_limit_bytes,
                                  cancel=cancel)
        times, weights, parts, labels, impressions = (
            None if name is None else _frame_column(df, name) for name in (time, weight, part, label, impression))
        return cls.from_columns(_frame_column(df, user), _frame_column(df, item), times, weights, parts, labels=labels,
                                impressions=impressions, titles=titles, time_unit=time_unit,
                                memory_limit_bytes=memory_limit_bytes, cancel=cancel)

    @classmethod
    def from_arrow(cls, stream: Any, *, user: Optional[str] = None, item: Optional[str] = None, time: Optional[str] = None,
                   weight: Optional[str] = None, label: Optional[str] = None, impression_key: Optional[str] = None,
                   time_unit: str = "auto", part: Optional[str] = None,
                   user_ids: str = "auto", item_ids: str = "auto", min_weight: Optional[float] = None,
                   bad_rows: str = "error", max_bad_rows: int = 0, memory_limit_bytes: int = 0,
                   cancel: Optional[threading.Event] = None) -> Dataset:
        """A data set from anything with __arrow_c_stream__: a pyarrow Table or RecordBatchReader, polars, DuckDB.

        The batches are read once, without a copy of the stream in between. Id columns are integers, strings or binaries
        without nulls. Column names as in load().
        """
        export = getattr(stream, "__arrow_c_stream__", None)
        if export is None:
            lazy = "; collect() it first" if hasattr(stream, "collect") else ""
            raise TypeError(f"stream: must have __arrow_c_stream__, got {type(stream).__name__}{lazy}")
        given = _reading(
            user_ids, item_ids, bad_rows, min_weight, user_column=user, item_column=item, time_column=time,
            weight_column=weight, label_column=label, impression_key=impression_key,
            time_unit=choice("time_unit", time_unit, TIME_UNITS), part=0 if part is None else choice("part", part, _PARTS),
            has_part=int(part is not None), max_bad_rows=max_bad_rows, memory_limit_bytes=memory_limit_bytes)
        return cls(_recore.rec_dataset_create_from_arrow(export(), given, run(cancel)))

    def split(self, kind: str = "ratio", *, ratio: Sequence[float] = (0.8, 0.1, 0.1), seed: int = 0,
              cancel: Optional[threading.Event] = None) -> Dataset:
        """A copy of the data set with new parts.

        Args:
            kind: "ratio" (by user, shuffled), "leave_one_out", "temporal", "session" or "ratio_global".
            ratio: train, valid and test; sums to 1.
        Raises:
            InvalidArgumentError, InvalidDataError (the split needs times and the data set has none), CancelledError.
        """
        if len(ratio) != 3:
            raise InvalidArgumentError(f"ratio: must be three numbers, got {ratio!r}", argument="ratio")
        given = options(_raw.rec_split_options_t, kind=choice("kind", kind, _SPLITS), train_ratio=ratio[0],
                        valid_ratio=ratio[1], test_ratio=ratio[2], seed=seed)
        return Dataset(_recore.rec_dataset_split(self._handle, given, run(cancel)))

    def save(self, directory: str | os.PathLike[str], *, cancel: Optional[threading.Event] = None) -> None:
        """Writes DIRECTORY/<its name>.{train,valid,test}.inter and .item, RecBole benchmark files: rows, labels, lists, titles.

        Candidates, relations, features, and users and items without rows are left out; a warning in the log names them.
        """
        _recore.rec_dataset_save(self._handle, directory, run(cancel))

    def describe(self) -> dict[str, Any]:
        """Counts (n_users, n_items, n_train, ...), id types, time range and quantiles."""
        return cast("dict[str, Any]", json.loads(_recore.rec_dataset_describe(self._handle)))

    @property
    def n_users(self) -> int:
        return int(_recore.rec_dataset_counts(self._handle)[0])

    @property
    def n_items(self) -> int:
        return int(_recore.rec_dataset_counts(self._handle)[1])

    def user_ids(self, ids: str = "str") -> NDArray[Any]:
        """Ids of all users, with and without rows, in order of first appearance: int64, or an object array of str (or bytes)."""
        return from_raw(_recore.rec_dataset_user_ids(self._handle, np.arange(self.n_users), id_form(ids) == "str"))

    def item_ids(self, ids: str = "str") -> NDArray[Any]:
        """Ids of all items; as user_ids()."""
        return from_raw(_recore.rec_dataset_item_ids(self._handle, np.arange(self.n_items), id_form(ids) == "str"))

    def __len__(self) -> int:
        """The number of interactions."""
        return int(_recore.rec_dataset_counts(self._handle)[2])

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """The rows for any consumer of Arrow: pyarrow.table(dataset), polars.DataFrame(dataset).

        Columns: user_id, item_id, those that the data set has of time (int64 seconds), weight, label and impression, and part.
        """
        return _recore.rec_dataset_export_arrow(self._handle)

    def to_arrow(self) -> Any:
        """The rows as a pyarrow.Table, with the columns of __arrow_c_stream__. Needs pyarrow."""
        return _module("pyarrow").RecordBatchReader.from_stream(self).read_all()

    def to_pandas(self) -> Any:
        """The rows as a pandas.DataFrame, with the columns of __arrow_c_stream__. Needs pandas and pyarrow."""
        return self.to_arrow().to_pandas()

    def to_scipy(self, part: Optional[str] = None) -> tuple[Any, NDArray[Any], NDArray[Any]]:
        """A scipy.sparse.csr_matrix of users by items, with user_ids() and item_ids() of its rows and columns.

        A value is the sum of a pair's weights, which are float32, or how often the pair occurs in data without weights; of labelled data, only
        clicked rows count. Needs SciPy and pyarrow.

        Args:
            part: "train", "valid" or "test"; by default all. The matrix has the users and items of all parts, also those
                without rows.
        """
        if part is not None:
            choice("part", part, _PARTS)
        table = self.to_arrow()
        users, items = self.user_ids("bytes"), self.item_ids("bytes")
        user, item = _rows_of(table["user_id"], users), _rows_of(table["item_id"], items)
        weights = table["weight"].to_numpy().astype(np.float64) if "weight" in table.column_names else np.ones(len(user))
        chosen = np.ones(len(user), np.bool_) if part is None else table["part"].to_numpy() == part
        if "label" in table.column_names:
            chosen &= table["label"].to_numpy() != 0
        matrix = _module("scipy.sparse").csr_matrix((weights[chosen], (user[chosen], item[chosen])), (len(users), len(items)))
        return matrix.astype(np.float32), self.user_ids(), self.item_ids()

    def __deepcopy__(self, memo: Any) -> Dataset:
        return copy(self)

    def _text(self) -> str:
        return ": {} users, {} items, {} interactions".format(*_recore.rec_dataset_counts(self._handle))


def _rows_of(column: Any, ids: NDArray[Any]) -> NDArray[np.int64]:
    """Where each id of an Arrow column stands among all ids, which are int64 or bytes."""
    given = column.to_numpy() if ids.dtype == np.int64 else np.array(column.cast("large_binary").to_pylist(), dtype=object)
    order = np.argsort(ids, kind="stable")
    return order[np.searchsorted(ids[order], given)]


def _parquet_stream(path: str | os.PathLike[str]) -> Any:
    """The record batches of a Parquet file; None for any other file or folder."""
    if not os.path.isfile(path):
        return None
    with open(path, "rb") as file:
        if file.read(4) != b"PAR1":
            return None
    arrow = _module("pyarrow")
    try:
        parquet = _module("pyarrow.parquet").ParquetFile(path)
        return arrow.RecordBatchReader.from_batches(parquet.schema_arrow, parquet.iter_batches(1 << 14))
    except (arrow.ArrowInvalid, OSError) as error:
        raise InvalidDataError(f"{os.fspath(path)}: {error}", argument="path") from error


def _module(name: str) -> Any:
    """A package that only some methods need."""
    try:
        return importlib.import_module(name)
    except ImportError:
        package = name.split(".")[0]
        raise UnsupportedError(f"{package} is needed for this, and is not installed: pip install {package}") from None


def _reading(user_ids: str, item_ids: str, bad_rows: str, min_weight: Optional[float],
             **fields: Any) -> _raw.rec_dataset_options_t:
    return options(
        _raw.rec_dataset_options_t, user_id_type=choice("user_ids", user_ids, _ID_TYPES),
        item_id_type=choice("item_ids", item_ids, _ID_TYPES), bad_rows=choice("bad_rows", bad_rows, _BAD_ROWS),
        min_weight=min_weight, has_min_weight=int(min_weight is not None), **fields)


def _header(header: Optional[bool]) -> int:
    if header is None:
        return _recore.REC_HEADER_AUTO
    if not isinstance(header, bool):
        raise InvalidArgumentError(f"header: must be True, False or None, got {header!r}", argument="header")
    return _recore.REC_HEADER_YES if header else _recore.REC_HEADER_NO


def _part_numbers(parts: Any) -> Any:
    if parts is None or getattr(getattr(parts, "dtype", None), "kind", "O") in "iu":
        return parts
    return [part if isinstance(part, (int, np.integer)) else choice("parts", part, _PARTS) for part in parts]


def _frame_column(df: Any, name: str) -> Any:
    if name not in df.columns:
        raise InvalidArgumentError(f"{name}: there is no such column; there are {', '.join(map(str, df.columns))}",
                                   argument=name)
    column = df[name]
    is_pandas = hasattr(column, "isna")
    if is_pandas and column.ndim != 1:
        raise InvalidArgumentError(f"{name}: there are several columns of this name", argument=name)
    nulls = (column.isna() if is_pandas else column.is_null()).to_numpy()
    if nulls.any():
        raise InvalidDataError(f"{name}: row {int(nulls.argmax())}: is null", argument=name)
    if not is_pandas:  # polars, whose times are UTC
        return column.to_numpy()
    if getattr(getattr(column.dtype, "pyarrow_dtype", column.dtype), "tz", None) is not None:
        column = column.dt.tz_convert("UTC").dt.tz_localize(None)
    values = column.to_numpy()
    if values.dtype == object and column.dtype.kind in "iuf":  # nullable numbers of older pandas
        values = column.to_numpy(dtype=np.int64 if column.dtype.kind in "iu" else np.float64)
    return values
