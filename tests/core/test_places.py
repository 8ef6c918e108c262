"""Files and folders by path and by URI, on this machine and on an S3 that moto plays."""

import pickle
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from urllib.request import Request, urlopen

import pyarrow as pa
import pytest

from core.places import Place, StorageError, _answered
from core.records import Reject, arrow_schema
from core.runs import RunConflict, Table, claim
from core.tables import rows_of

ROW = asdict(Reject(item_id="a", article_id="PMC1.1", stage="s", code="c", message="m"))


@pytest.fixture(params=["disk", "s3"])
def somewhere(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A folder that is not there yet, by path or by URI."""
    return str(tmp_path / "run") if request.param == "disk" else f"{request.getfixturevalue('bucket')}/run"


def test_a_place_is_the_same_by_its_uri(bucket: str, storage_server: str, tmp_path: Path) -> None:
    stated = (
        f"{bucket}/my%20run?region=us-east-1&scheme=http&endpoint_override={storage_server.removeprefix('http://')}"
    )
    for uri in (str(tmp_path), f"file://{tmp_path}", f"{bucket}/run/", stated):
        file = Place.at(uri) / "split=train" / "a b"
        file.write_bytes(b"seen")
        again = pickle.loads(pickle.dumps(file))  # noqa: S301  # as it goes to a worker
        assert Place.at(file.uri).read_bytes() == Place.at(str(again)).read_bytes() == b"seen"
    assert Place.at(tmp_path).uri == str(tmp_path) and Place.at(f"file://{tmp_path}").is_local
    assert (Place.at(stated) / "a").uri.startswith(f"{bucket}/my%20run/a?region")


def test_files_are_listed_read_and_deleted(somewhere: str) -> None:
    folder = Place.at(somewhere)
    assert folder.files() == folder.names() == [] and not folder.exists() and folder.is_empty()
    (folder / "b.json").write_json({"x": 1})
    (folder / "a").write_bytes(b"a")
    (folder / "below" / "c").write_bytes(b"c")
    assert folder.names() == ["a", "b.json", "below"]
    assert folder.files() == ["a", "b.json"] and folder.exists() and not folder.is_empty()
    assert (folder / "b.json").read_json() == {"x": 1}
    assert not (folder / "a").is_empty()
    assert (folder / "a").is_file() and not folder.is_file() and not (folder / "none").is_file()
    with pytest.raises(FileNotFoundError):
        (folder / "none").read_bytes()
    for _ in range(2):
        (folder / "below").delete()
        assert not (folder / "below" / "c").exists() and folder.files() == ["a", "b.json"]


def test_a_folder_stands_whole_in_the_place_of_the_one_before(somewhere: str) -> None:
    place = Place.at(somewhere) / "model"
    for names in (["config.json", "weights", "old"], ["config.json", "weights"]):
        with place.written(last="config.json") as draft:
            for name in names:
                (draft / name).write_text(f"{name} of {len(names)}")
            (draft / "tokenizer").mkdir()
            (draft / "tokenizer" / "words").write_text("w")
    assert place.files() == ["config.json", "weights"] and (place / "weights").read_bytes() == b"weights of 2"
    with place.near() as here:
        assert (here / "tokenizer" / "words").read_text() == "w"
    with (place / "weights").near() as file:
        assert file.name == "weights" and file.read_text() == "weights of 2"


def test_what_fails_while_it_is_written_leaves_what_stood(somewhere: str) -> None:
    place = Place.at(somewhere)
    with place.written(last="config.json") as draft:
        (draft / "config.json").write_text("first")
    with pytest.raises(ValueError, match="no"), place.written(last="config.json") as draft:
        (draft / "config.json").write_text("second")
        raise ValueError("no")
    assert (place / "config.json").read_bytes() == b"first"


def test_elsewhere_the_last_file_goes_first_and_comes_last(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place.at(bucket) / "model"
    for name in ("config.json", "weights"):
        (place / name).write_bytes(b"old")
    with monkeypatch.context() as broken, pytest.raises(OSError, match="lost"):
        broken.setattr("core.places.fs.copy_files", lambda *_, **__: (_ for _ in ()).throw(FileNotFoundError("lost")))
        with place.written(last="config.json") as draft:
            (draft / "config.json").write_text("new")
    assert not (place / "config.json").exists()


def test_a_table_is_the_same_wherever_it_stands(somewhere: str) -> None:
    table = Table(Place.at(somewhere) / "pairs", Reject)
    claim(table.place, {"seed": 0})
    for number in range(3):
        data = pa.Table.from_pylist([ROW | {"item_id": f"{number}"}] * (number + 1), schema=arrow_schema(Reject))
        table.commit(number, tables={"split=train": data}, rejects=[Reject(**ROW)], inputs="x", counts={"seen": 1})
    files = table.files("split=train")
    assert files == [f"{somewhere}/pairs/split=train/part-0000{number}.parquet" for number in range(3)]
    assert rows_of(files, Reject).to_table(columns=["item_id"])["item_id"].to_pylist() == ["0", "1", "1", "2", "2", "2"]
    assert table.read("split=train", ["code"]).num_rows == table.rows == 6
    assert table.read_part(1).num_rows == 2 and table.select("item_id", ["2"]).num_rows == 3
    assert table.rejects().num_rows == 3
    with pytest.raises(RunConflict, match="seed was 0, now 1"):
        claim(table.place, {"seed": 1})


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("ftp://host/run", "there is no storage ftp://; write s3://, gs://, file:// or a path"),
        ("s3://", "names no bucket; write s3://BUCKET/FOLDER"),
        ("s3://bucket/my run", "Cannot parse URI"),
        ("s3://bucket/run?colour=red", "Unexpected query parameter"),
        ("file://run", "write file:///folder"),
        ("s3://AKIA:secret@bucket/run", "keys stand in no URI"),
    ],
)
def test_a_uri_that_cannot_be_is_refused_in_one_line(uri: str, said: str) -> None:
    with pytest.raises(StorageError) as told:
        Place.at(uri)
    assert said in str(told.value) and "\n" not in str(told.value) and "secret" not in str(told.value)


def test_a_missing_bucket_is_said_with_what_to_do(bucket: str) -> None:
    with pytest.raises(StorageError, match=r"s3://no-such-bucket/a: .*NO_SUCH_BUCKET.*AWS_ACCESS_KEY_ID.*AWS_ENDPOINT"):
        (Place.at("s3://no-such-bucket") / "a").write_bytes(b"x")


def test_refused_access_is_said_with_what_to_do(bucket: str, storage_server: str) -> None:
    def strict_after(requests: str) -> None:
        """From then on moto asks who is asking."""
        headers = {"Content-Type": "text/plain"}
        urlopen(Request(f"{storage_server}/moto-api/reset-auth", requests.encode(), headers)).close()

    strict_after("0")
    try:
        with pytest.raises(StorageError, match=rf"{bucket}/a: .*ACCESS_DENIED.*AWS_REGION") as told:
            Place.at(f"{bucket}/a").exists()
        assert "\n" not in str(told.value)
    finally:
        strict_after("inf")


def test_google_storage_that_does_not_answer_is_said_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    place = Place.at("gs://bucket/run?retry_limit_seconds=1")
    assert Place.at("gs://bucket/run").uri == "gs://bucket/run" and place.scheme == "gs"
    with pytest.raises(StorageError, match="GOOGLE_APPLICATION_CREDENTIALS") as told:
        place.exists()
    assert "\n" not in str(told.value)


def test_a_file_of_pieces_is_there_when_all_are(tmp_path: Path, bucket: str) -> None:
    def failing() -> Iterator[bytes]:
        yield b"one"
        raise ValueError

    for folder in (Place.at(tmp_path), Place.at(bucket)):
        (folder / "whole").write_pieces(iter([b"one", b"two"]))
        assert (folder / "whole").read_bytes() == b"onetwo" and folder.stamps()["whole"].startswith("6 ")
    with pytest.raises(ValueError):
        (Place.at(tmp_path) / "cut").write_pieces(failing())
    assert Place.at(tmp_path).files() == ["whole"]


def test_that_a_proxy_is_not_used_for_buckets_is_said_where_one_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StorageError) as told, _answered("s3", "s3://bucket/a"):
        raise OSError("no answer")
    assert "PROXY" not in str(told.value)
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    with pytest.raises(StorageError, match="HTTPS_PROXY is not used for s3://"), _answered("s3", "s3://bucket/a"):
        raise OSError("no answer")
