"""Transaction logs, read and written."""

from __future__ import annotations

import pytest

from sweeper.backend import transaction_log
from sweeper.backend.transaction_log import BLOCK, new_record

HEAD = b":W&B\xe1\xbe\x00"


def texts(*values: str) -> list:
    """Records with a line of console output each."""
    records = []
    for value in values:
        record = new_record()
        record.output_raw.line = value
        records.append(record)
    return records


def read_lines(path) -> list[str]:
    return [record.output_raw.line for record in transaction_log.read(path)]


@pytest.mark.parametrize("length", [0, 1, BLOCK - 30, BLOCK - 20, BLOCK - 14, BLOCK - 8, BLOCK, 3 * BLOCK + 5])
def test_what_is_written_is_read(tmp_path, length):
    """Records of any length come back, whatever is left of a block."""
    path, lines = tmp_path / "a.wandb", ["first", "x" * length, "", "y" * (BLOCK - 1), "last"]
    transaction_log.write(path, HEAD, texts(*lines))
    assert read_lines(path) == lines
    assert transaction_log.header(path) == HEAD


@pytest.mark.parametrize("left", range(18))
def test_whatever_is_left_of_a_block_is_filled(tmp_path, left):
    """With zeros where no frame fits, with a part of none of the record's bytes where nothing but a frame does."""
    path = tmp_path / "a.wandb"
    transaction_log.write(path, HEAD, texts(""))
    (shortest,) = texts("")
    shortest.num = 1
    around = len(path.read_bytes()) - shortest.ByteSize()  # header and frame
    for length in range(BLOCK - around - left - 20, BLOCK):
        (record,) = texts("x" * length)
        record.num = 1
        if around + record.ByteSize() == BLOCK - left:
            break
    transaction_log.write(path, HEAD, texts("x" * length, "second", "y" * (BLOCK - 7), "last"))
    assert read_lines(path) == ["x" * length, "second", "y" * (BLOCK - 7), "last"]
    written = path.read_bytes()
    if left < 7:
        assert written[BLOCK - left : BLOCK] == bytes(left)
        assert written[BLOCK + 6] == 1  # whole, at the beginning of the next block
    else:
        assert written[BLOCK - left + 6] == 2  # the first part, which may be empty


def test_a_log_that_was_cut_anywhere_gives_what_is_whole(tmp_path):
    """At each of its bytes: never half a record, never an error, and all that was whole before the cut."""
    path, lines = tmp_path / "a.wandb", ["one", "two", "three"]
    transaction_log.write(path, HEAD, texts(*lines))
    whole = path.read_bytes()
    found = []
    for size in range(len(whole) + 1):
        path.write_bytes(whole[:size])
        found.append(read_lines(path))
    assert all(some == lines[: len(some)] for some in found)
    assert [len(some) for some in found] == sorted(len(some) for some in found)
    assert found[-1] == lines
    assert len(found[-2]) == 2


def test_records_are_numbered(tmp_path):
    """They have the numbers 1 to n, as wandb-core's own."""
    path = tmp_path / "a.wandb"
    transaction_log.write(path, HEAD, texts("a", "b"))
    assert [record.num for record in transaction_log.read(path)] == [1, 2]


def test_a_torn_log_is_read_up_to_the_tear(tmp_path):
    """A killed process leaves half a record, or a header alone, or nothing."""
    path = tmp_path / "a.wandb"
    transaction_log.write(path, HEAD, texts("whole", "z" * 2 * BLOCK))
    whole = path.read_bytes()
    for size in (len(whole) - 1, BLOCK + 3, BLOCK):
        path.write_bytes(whole[:size])
        assert read_lines(path) == ["whole"]
    for rest in (HEAD, b""):
        path.write_bytes(rest)
        assert read_lines(path) == []
    path.write_bytes(whole[:30] + bytes([whole[30] ^ 1]) + whole[31:])
    assert read_lines(path) == ["whole"]


def test_the_sdks_own_log_is_read(tmp_path):
    """What wandb-core writes of an offline run is read whole: the framing is its own."""
    import wandb

    settings = wandb.Settings(mode="offline", silent=True, console="off", x_disable_stats=True)
    with wandb.init(dir=tmp_path, project="p", id="abc", config={"lr": 0.1}, settings=settings) as run:
        for step in range(300):
            run.log({"value": step, "text": "x" * 200})
    wandb.teardown()
    (path,) = tmp_path.glob("wandb/offline-run-*/run-abc.wandb")
    records = list(transaction_log.read(path))
    assert path.stat().st_size > 2 * BLOCK
    assert [record.num for record in records] == list(range(1, len(records) + 1))
    assert sum(record.HasField("history") for record in records) == 300
    assert records[-1].HasField("exit")
