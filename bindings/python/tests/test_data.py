import datetime
import importlib.util
import json
import os
import subprocess

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

import recore
from conftest import ORCHARD

RECORE = os.path.join(os.environ["REC_BUILD_FOLDER"], "bin/recore")
FACTS = ("n_users", "n_items", "n_interactions", "user_id_type", "item_id_type")


def facts(dataset):
    description = dataset.describe()
    return tuple(description[name] for name in FACTS)


def test_a_file_is_loaded_and_described(orchard):
    assert facts(orchard) == (600, 400, 25000, "bytes", "bytes")
    d = orchard.describe()
    assert d["n_train"] + d["n_valid"] + d["n_test"] == 25000 and d["n_test"] > 0


def test_columns_frames_and_streams_give_the_same_data_set(grid, tmp_path):
    users, items = grid
    times = np.arange(len(users)) + 1_700_000_000
    weights = np.linspace(0, 1, len(users))
    frame = pd.DataFrame({"u": users, "i": items, "t": pd.to_datetime(times, unit="s"), "w": weights})
    named = dict(user="u", item="i", time="t", weight="w")
    table = pa.table({"u": users, "i": items, "t": times, "w": weights})
    made = {
        "columns": recore.Dataset.from_columns(users, items, times, weights),
        "lists": recore.Dataset.from_columns(users.tolist(), tuple(items.tolist()), times.tolist(), weights.tolist()),
        "int32": recore.Dataset.from_columns(users.astype(np.int32), items.astype(np.uint16), times, weights),
        "strided": recore.Dataset.from_columns(np.repeat(users, 2)[::2], items, times, weights),
        "pandas": recore.Dataset.from_pandas(frame, **named),
        "pandas of Arrow": recore.Dataset.from_pandas(frame.convert_dtypes(dtype_backend="pyarrow"), **named),
        "table": recore.Dataset.from_arrow(table, **named),
        "reader": recore.Dataset.from_arrow(table.to_reader(max_chunksize=7), **named),
        "frame as stream": recore.Dataset.from_arrow(frame, **named),
    }
    parquet, csv = tmp_path / "rows.parquet", tmp_path / "rows.csv"
    pa.parquet.write_table(table, parquet, row_group_size=11)
    pd.DataFrame({"u": users, "i": items, "t": times, "w": weights}).to_csv(csv, index=False)
    made |= {"Parquet": recore.Dataset.load(parquet, **named), "CSV": recore.Dataset.load(csv, **named)}
    columns = "--user-column u --item-column i --time-column t --weight-column w".split()
    train = [RECORE, "train", "--model", "popularity", "--all", "--json", *columns]
    for file in (parquet, csv):  # the command reads Parquet by its own reader
        subprocess.run([*train, "--data", file, "--out", file.with_suffix(file.suffix + ".rec")], check=True, capture_output=True)
    facts_of = [json.loads(subprocess.run([RECORE, "info", f"{file}.rec", "--json"], check=True, capture_output=True).stdout.splitlines()[0])
                for file in (parquet, csv)]
    assert facts_of[0]["data_hash"] == facts_of[1]["data_hash"]
    with pytest.raises(recore.InvalidArgumentError, match="test: cannot be given with the format parquet"):
        recore.Dataset.load(parquet, **named, test=csv)
    expected = train_file(made["columns"], tmp_path / "expected")
    for name, dataset in made.items():
        assert facts(dataset) == (10, 10, len(users), "int64", "int64"), name
        assert dataset.describe()["time"] == {"first": int(times[0]), "last": int(times[-1])}, name
        assert train_file(dataset, tmp_path / name) == expected, name


def test_the_rows_come_back_as_a_table_a_frame_and_a_matrix(grid):
    users, items = grid
    times = np.arange(len(users)) + 1_700_000_000
    weights = np.linspace(1, 2, len(users)).astype(np.float32)
    dataset = recore.Dataset.from_columns(users, items, times, weights, parts=np.arange(len(users)) % 3)
    frame = dataset.to_pandas()
    assert frame.columns.tolist() == ["user_id", "item_id", "time", "weight", "part"]
    assert frame.user_id.tolist() == users.tolist() and frame.item_id.tolist() == items.tolist()
    assert frame.time.tolist() == times.tolist() and np.array_equal(frame.weight, weights)
    assert frame.part[:4].tolist() == ["train", "valid", "test", "train"]
    assert (len(dataset), dataset.n_users, dataset.n_items) == (len(users), 10, 10)
    matrix, rows, columns = dataset.to_scipy("valid")
    rows = np.sort(rows)
    assert matrix.nnz == len(users) // 3 and rows.tolist() == sorted(set(users.tolist())) and matrix.shape == (10, 10)
    again = recore.Dataset.from_pandas(frame, user="user_id", item="item_id", time="time", weight="weight", part="part")
    assert pa.table(again).equals(pa.table(dataset))
    bytes_ids = recore.Dataset.from_columns([b"a\xff", b"b"], ["x", "y"]).to_arrow()
    assert bytes_ids["user_id"].to_pylist() == [b"a\xff", b"b"] and bytes_ids["item_id"].to_pylist() == ["x", "y"]
    dataset.close()
    with pytest.raises(recore.ClosedError):
        dataset.to_arrow()


def test_a_sparse_matrix_keeps_its_shape():
    import scipy.sparse

    matrix = scipy.sparse.csr_array(np.array([[0, 2, 0], [0, 0, 0], [1, 0, 0]], dtype=np.float32))
    dataset = recore.Dataset.from_scipy(matrix)
    assert (dataset.n_users, dataset.n_items, len(dataset)) == (3, 3, 2)
    assert dataset.to_pandas()[["user_id", "item_id", "weight"]].values.tolist() == [[0, 1, 2], [2, 0, 1]]
    model = recore.train(dataset, "bprmf", epochs=1, emb_size=4)
    items, _ = model.recommender().recommend([1], k=3)  # a user without rows
    assert sorted(items[0].tolist()) == [-1, 0, 1]  # nor has item 2 a row, so it is not recommended
    again, users, columns = dataset.to_scipy()
    assert again.shape == (3, 3) and dict(zip(users, again.toarray().sum(axis=1))) == {0: 2, 2: 1, 1: 0} and len(columns) == 3
    named = recore.Dataset.from_scipy(matrix, users=["a", "b", "c"], items=[7, 8, 9])
    assert sorted(named.user_ids()) == ["a", "b", "c"] and sorted(named.item_ids().tolist()) == [7, 8, 9]
    assert named.to_scipy()[0].shape == (3, 3)
    whole = recore.Dataset.from_columns([1, 1, 1], [10, 10, 10], weights=[2.0**24, 1, 1])
    assert whole.to_scipy()[0].sum() == 2.0**24 + 2  # float32 alone would lose both
    for wrong in (np.eye(3), scipy.sparse.coo_array(np.ones(3)), scipy.sparse.csr_matrix(np.eye(3) * 1j), [[1]]):
        with pytest.raises(TypeError, match="^matrix: must"):
            recore.Dataset.from_scipy(wrong)
    with pytest.raises(recore.InvalidArgumentError, match="users: must be different"):
        recore.Dataset.from_scipy(matrix, users=["a", "a", "b"])
    assert sorted(recore.train(named, "popularity").item_ids().tolist()) == [7, 8, 9]
    with pytest.raises(recore.InvalidArgumentError, match="users: must be as many as the matrix has, 3, got 2"):
        recore.Dataset.from_scipy(matrix, users=["a", "b"])
    with pytest.raises(recore.InvalidArgumentError, match="more_items: must be int64 as the rows. ids are, got text"):
        recore.Dataset.from_columns([1], [1], more_items=["x"])


def test_a_parquet_file_has_options_as_a_text_file_has(tmp_path):
    pd.DataFrame({"userId": [1, 2], "movieId": ["a", "NA"], "timestamp": ["01/02/2014"] * 2}).to_parquet(tmp_path / "p.parquet")
    dataset = recore.Dataset.load(tmp_path / "p.parquet", time_format="%d/%m/%Y", missing="NA")
    assert len(dataset) == 1 and dataset.describe()["time"]["first"] == 1391212800 and dataset.describe()["n_missing"] == 1
    for option in (dict(separator=","), dict(header=True), dict(quotes="none"), dict(valid=tmp_path / "p.parquet")):
        with pytest.raises(recore.InvalidArgumentError, match=f"{next(iter(option))}: cannot be given with the format parquet"):
            recore.Dataset.load(tmp_path / "p.parquet", **option)


def test_ids_like_words_for_missing_ones_survive_a_save(tmp_path):
    recore.Dataset.from_columns(["NA", "NA", "b"], [1, 2, 3]).save(tmp_path / "na")
    assert len(recore.Dataset.load(tmp_path / "na")) == 3


def test_lists_of_labelled_rows_come_back(tmp_path):
    dataset = recore.Dataset.from_columns([1, 1, 1, 1], [1, 2, 3, 4], times=[5, 5, 5, 5], labels=[1, 0, 1, 0], impressions=[7, 7, 8, 8])
    again = recore.Dataset.from_arrow(dataset)
    assert again.describe()["n_impressions"] == dataset.describe()["n_impressions"] == 2
    assert dataset.to_scipy()[0].sum() == 2  # clicked rows


def test_lists_are_measured_without_a_model():
    report = recore.evaluate_lists([[5, 1, 2], []], [["1", "2"], ["7"]], "recall@2,rbp@2[0.5]")
    assert report.values("recall@2").tolist() == [0.5, 0] and report["rbp@2"] == 0.125 and report.users.tolist() == [0, 1]
    graded = recore.evaluate_lists([["a", "b"], ["c"]], [["b", "a"], ["c"]], ["ndcg@2"], gains=[[3, 1], [1]])
    assert graded.values("ndcg@2").tolist() == pytest.approx([(1 + 3 / np.log2(3)) / (3 + 1 / np.log2(3)), 1])
    for bad, argument in ((dict(metrics="auc"), "metrics"), (dict(gains=[[1]]), "gains"), (dict(truth=[[1]]), "truth")):
        with pytest.raises(recore.InvalidArgumentError) as failure:
            recore.evaluate_lists(**{"ranked": [[5, 1], []], "truth": [[1, 2], [7]], "metrics": "ndcg@2", **bad})
        assert failure.value.argument == argument
    padded = np.array([[5, 1, -1, -1], [7, 8, 9, 6], [-1, -1, -1, -1]])
    assert recore.evaluate_lists(padded, [[1], [7], [7]], "recall@4").values("recall@4").tolist() == [1, 1, 0]
    texts = np.array([["a", None, None]], dtype=object)
    assert recore.evaluate_lists(texts, [["a"]], "recall@4")["recall@4"] == 1
    with pytest.raises(recore.InvalidDataError, match="position 2 is in it twice"):
        recore.evaluate_lists([[5, 5]], [[5]], "ndcg@2")


class Frame:
    """What polars and others share: columns by name and the Arrow C stream, and nothing of pandas."""

    def __init__(self, table):
        self._table = table
        self.columns = table.column_names

    def __getitem__(self, name):
        return self._table[name]

    def __arrow_c_stream__(self, requested_schema=None):
        return self._table.__arrow_c_stream__(requested_schema)


def frames(columns):
    """Data frames that are not of pandas: a stand-in for any, and polars where it is installed."""
    made = {"stand-in": Frame(pa.table(columns))}
    if importlib.util.find_spec("polars") is not None:
        import polars
        made["polars"] = polars.DataFrame(columns)
    return made


def test_frames_of_others_are_taken_like_those_of_pandas(grid, tmp_path):
    users, items = grid
    times, weights = np.arange(len(users)) + 1_700_000_000, np.linspace(0, 1, len(users))
    columns = {"u": users, "i": [f"item {i}" for i in items], "t": times.astype("datetime64[s]").astype("datetime64[us]"),
               "w": weights, "y": users % 2, "p": times // 10}
    named = dict(user="u", item="i", time="t", weight="w", label="y", impression="p")
    expected = recore.Dataset.from_pandas(pd.DataFrame(columns), **named)
    for name, frame in frames(columns).items():
        dataset = recore.Dataset.from_pandas(frame, **named)
        assert facts(dataset) == facts(expected), name
        assert dataset.describe()["label"] == expected.describe()["label"], name
        assert train_file(dataset, tmp_path / "it") == train_file(expected, tmp_path / "it"), name
    for name, frame in frames({"u": ["a", None], "i": [1, 2]}).items():
        with pytest.raises(recore.InvalidDataError):
            recore.Dataset.from_pandas(frame, user="u", item="i")
        with pytest.raises(recore.Error, match="there is no column 'who'"):
            recore.Dataset.from_pandas(frame, user="who", item="i")


    parts = ["train", "test", "train"]
    for name, frame in frames({"u": [1, 1, 2], "i": ["a", "b", "a"], "p": parts, "n": ["train", None, "test"]}).items():
        described = recore.Dataset.from_pandas(frame, user="u", item="i", part="p", titles={"a": "A"}).describe()
        assert (described["n_train"], described["n_test"]) == (2, 1), name
        with pytest.raises(recore.InvalidDataError, match="n: row 1: is null"):
            recore.Dataset.from_pandas(frame, user="u", item="i", part="n")
        with pytest.raises(recore.InvalidArgumentError, match="who: there is no such column"):
            recore.Dataset.from_pandas(frame, user="who", item="i", part="p")


def train_file(dataset, folder):
    dataset.save(folder)
    return (folder / f"{folder.name}.train.inter").read_bytes()


def test_text_columns_of_every_kind_give_the_same_ids():
    users, items = ["a", "b", "ü"], ["x", "y", "z"]
    columns = [users, np.array(users), np.array(users, dtype=object), pd.Series(users), pd.Series(users, dtype="string"),
               pa.array(users), pd.Series(users).astype("category")]
    for column in columns:
        model = recore.train(recore.Dataset.from_columns(column, items), "popularity")
        assert model.user_ids().tolist() == users


def test_times_of_pandas_with_a_zone_are_utc():
    zoned = pd.Series(pd.to_datetime(["2020-01-01", "2020-07-01"]).tz_localize("Europe/Berlin"))
    for times in (zoned, zoned.astype(pd.ArrowDtype(pa.timestamp("ns", "Europe/Berlin")))):
        frame = pd.DataFrame({"u": [1, 2], "i": [1, 2], "t": times})
        described = recore.Dataset.from_pandas(frame, user="u", item="i", time="t").describe()
        assert described["time"] == {"first": 1577833200, "last": 1593554400}, times.dtype


def test_a_lazy_frame_is_told_to_be_collected():
    class Lazy:
        def collect(self):
            return None

    with pytest.raises(TypeError, match="__arrow_c_stream__, got Lazy; collect"):
        recore.Dataset.from_arrow(Lazy())


def test_floats_that_do_not_tell_seconds_apart_are_refused():
    times = np.array([1511544070, 1511544071], np.float32)
    with pytest.raises(recore.InvalidDataError, match="float32 does not tell seconds apart"):
        recore.Dataset.from_columns([1, 1], [1, 2], times=times)
    frame = pd.DataFrame({"u": [1, 1], "i": [1, 2], "t": times})
    with pytest.raises(recore.InvalidDataError, match="does not tell seconds apart"):
        recore.Dataset.from_pandas(frame, user="u", item="i", time="t")
    with pytest.raises(recore.InvalidDataError, match="does not tell seconds apart"):
        recore.Dataset.from_arrow(pa.table({"user": [1, 1], "item": [1, 2], "time": pa.array(times)}))
    small = recore.Dataset.from_columns([1, 1], [1, 2], times=np.array([1, 2], np.float32))
    assert small.describe()["time"] == {"first": 1, "last": 2}


def test_parts_and_titles_come_from_columns():
    dataset = recore.Dataset.from_columns([1, 1, 1, 2], [10, 11, 12, 10], parts=["train", "valid", "test", "train"],
                                          titles={10: "Ten", 12: "Zwölf", 99: "never seen"})
    d = dataset.describe()
    assert (d["n_train"], d["n_valid"], d["n_test"]) == (2, 1, 1)
    model = recore.train(dataset, "popularity")
    assert model.titles([12, 11, 10, 12345]).tolist() == ["Zwölf", "", "Ten", ""]


def test_labels_and_lists_come_from_columns_and_files(tmp_path):
    users, items, labels, lists = [1, 1, 1, 2], [7, 8, 9, 7], [1, 0, 0, 1], [4, 4, 5, 4]
    dataset = recore.Dataset.from_columns(users, items, labels=labels, impressions=lists)
    described = dataset.describe()
    assert described["label"] == {"n_positive": 2, "n_negative": 2} and described["n_impressions"] == 3
    rows = zip(users, items, labels, lists)
    (tmp_path / "a.csv").write_text("user,item,clicked,page\n" + "".join(f"{u},{i},{y},{p}\n" for u, i, y, p in rows))
    loaded = recore.Dataset.load(tmp_path / "a.csv", label="clicked", impression_key="page").describe()
    assert (loaded["label"], loaded["n_impressions"]) == (described["label"], 3)
    with pytest.raises(recore.InvalidDataError, match="neither 0 nor 1"):
        recore.Dataset.from_columns(users, items, labels=[1, 0, 2, 0])


@pytest.mark.parametrize("kind", ["ratio", "ratio_global", "leave_one_out", "temporal", "session"])
def test_splits_keep_every_interaction(orchard, kind):
    d = orchard.split(kind, seed=3).describe()
    assert d["n_train"] + d["n_valid"] + d["n_test"] == 25000 and d["n_test"] > 0


def test_a_split_is_saved_and_read_back(orchard, tmp_path):
    orchard.save(tmp_path / "benchmark")
    again = recore.Dataset.load(tmp_path / "benchmark")
    assert again.describe()["n_test"] == orchard.describe()["n_test"]


def test_rows_below_min_weight_are_left_out():
    assert recore.Dataset.load(ORCHARD, min_weight=4).describe()["n_interactions"] < 25000


def test_what_is_below_a_second_orders_the_rows(tmp_path):
    items, order = [10, 11, 12], [12, 10, 11]
    for times, unit in (([5.5, 5.75, 5.25], "auto"), ([5500, 5750, 5250], "ms"),
                        (np.array([5500, 5750, 5250], "datetime64[ms]"), "auto"),
                        ([datetime.datetime(2020, 1, 1, 0, 0, 0, us, datetime.timezone.utc) for us in (5, 9, 2)], "auto"),
                        (np.array([5500, 5750, 5250], "datetime64[ns]") + np.timedelta64(1, "s"), "auto")):
        data = recore.Dataset.from_columns([1, 1, 1], items, times, time_unit=unit)
        data.save(tmp_path / "d")
        rows = (tmp_path / "d" / "d.train.inter").read_text().splitlines()[1:]
        assert [int(row.split("\t")[1]) for row in rows] == order


Columns, Pandas = recore.Dataset.from_columns, pd.DataFrame
BAD = [
    ("lengths", lambda: Columns([1, 2], [1]), recore.InvalidArgumentError, "items"),
    ("times too short", lambda: Columns([1, 2], [1, 2], times=[3]), recore.InvalidArgumentError, "times"),
    ("a header that is a text", lambda: recore.Dataset.load(ORCHARD, header="no"), recore.InvalidArgumentError, "header"),
    ("a time that is text", lambda: Columns([1], [1], times=["soon"]), recore.InvalidArgumentError, "times"),
    ("an id beyond int64", lambda: Columns(np.array([2**63], np.uint64), [1]), recore.InvalidArgumentError, "users"),
    ("a time that is not finite", lambda: Columns([1], [1], times=[float("inf")]), recore.InvalidDataError, "times"),
    ("nan weight", lambda: Columns([1], [1], weights=[float("nan")]), recore.InvalidDataError, "weights"),
    ("unknown part", lambda: Columns([1], [1], parts=["dev"]), recore.InvalidArgumentError, "parts"),
    ("part out of range", lambda: Columns([1], [1], parts=[7]), recore.InvalidDataError, "parts"),
    ("two dimensions", lambda: Columns(np.ones((2, 2), int), [1, 2]), recore.InvalidArgumentError, "users"),
    ("nothing", lambda: Columns([], []), recore.InvalidDataError, "users"),
    ("null in pandas", lambda: recore.Dataset.from_pandas(Pandas({"u": ["a", None], "i": [1, 2]}), user="u", item="i"),
     recore.InvalidDataError, "u"),
    ("null in Arrow", lambda: recore.Dataset.from_arrow(pa.table({"u": ["a", None], "i": [1, 2]}), user="u", item="i"),
     recore.InvalidDataError, None),
    ("masked user", lambda: Columns(np.ma.array([1, 2], mask=[0, 1]), [1, 2]), recore.InvalidDataError, "users"),
    ("masked time", lambda: Columns([1], [1], times=np.ma.array([1], mask=[1])), recore.InvalidDataError, "times"),
    ("masked weight", lambda: Columns([1], [1], weights=np.ma.array([1.0], mask=[1])), recore.InvalidDataError, "weights"),
    ("masked part", lambda: Columns([1], [1], parts=np.ma.array([0], mask=[1])), recore.InvalidDataError, "parts"),
    ("two columns of a name", lambda: recore.Dataset.from_pandas(Pandas([[1, 2, 3]], columns=["u", "u", "i"]), user="u",
                                                                 item="i"), recore.InvalidArgumentError, "u"),
    ("no such column", lambda: recore.Dataset.from_pandas(Pandas({"u": [1]}), user="u", item="i"),
     recore.InvalidArgumentError, "i"),
    ("no such format", lambda: recore.Dataset.load(ORCHARD, format="excel"), recore.InvalidArgumentError, "format"),
    ("bad ratio", lambda: recore.Dataset.load(ORCHARD).split(ratio=(0.5, 0.1, 0.1)), recore.InvalidArgumentError, None),
    ("bad split", lambda: recore.Dataset.load(ORCHARD).split("random"), recore.InvalidArgumentError, "kind"),
]


@pytest.mark.parametrize("name, call, error, argument", BAD, ids=[row[0] for row in BAD])
def test_bad_data_names_its_argument(name, call, error, argument):
    with pytest.raises(error) as caught:
        call()
    if argument is not None:
        assert caught.value.argument == argument


def test_messages_use_the_words_of_python(tmp_path):
    (tmp_path / "user_column").write_text("who,what\n1,2\n")
    with pytest.raises(recore.InvalidDataError) as caught:
        recore.Dataset.load(tmp_path / "user_column", format="csv", item="what")
    assert caught.value.argument == "user" and "user_column:1: " in str(caught.value)
    assert "name it with user, or say" in str(caught.value)


@pytest.mark.parametrize("ids", [[1.5], [None], ["a", 1], [1, "a"], "abc", b"abc", 7, [[1]], np.array([1.5])],
                         ids=lambda ids: repr(ids))
def test_what_is_no_list_of_ids_is_a_type_error(ids):
    with pytest.raises(TypeError, match="users"):
        recore.Dataset.from_columns(ids, [1])


def test_an_int_beyond_int64_is_an_overflow_error():
    with pytest.raises(OverflowError):
        recore.Dataset.from_columns([2**63], [1])


def test_a_bad_row_of_a_file_has_its_line(tmp_path):
    path = tmp_path / "bad.inter"
    path.write_text("user_id:token\titem_id:token\ttimestamp:float\na\tx\t1\nb\ty\tsoon\n")
    with pytest.raises(recore.InvalidDataError) as caught:
        recore.Dataset.load(path)
    assert caught.value.line == 3 and caught.value.file == str(path) and caught.value.status == "INVALID_DATA"


def test_a_stream_that_fails_is_released_once_and_reported():
    def batches():
        yield pa.record_batch({"u": [1], "i": [2]})
        raise ValueError("the source broke")

    schema = pa.schema([("u", pa.int64()), ("i", pa.int64())])
    for _ in range(50):
        with pytest.raises(recore.IoError, match="the source broke"):
            recore.Dataset.from_arrow(pa.RecordBatchReader.from_batches(schema, batches()), user="u", item="i")
    with pytest.raises(TypeError):
        recore.Dataset.from_arrow([1, 2], user="u", item="i")
