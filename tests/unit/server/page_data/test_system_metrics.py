"""Charts of the machine, out of what the SDK measures."""

from __future__ import annotations

import json

import pytest

from sweeper.server.page_data.system_metrics import GROUPS, charts, placed


def row(time, **values):
    """Make a measurement; `__` stands for a dot."""
    return {"_timestamp": 1000.0 + time, "_wandb": True} | {
        f"system.{key.replace('__', '.')}": value for key, value in values.items()
    }


def test_measurements_become_charts(client):
    """Of one kind and unit on one chart, GPUs first, over the seconds since the first one."""
    client.init("r")
    rows = [
        row(0, cpu=10.5, gpu__0__gpu=90, gpu__1__gpu=80, memory_percent=5),
        row(15, cpu=20, gpu__0__gpu=95, memory_percent=6),
    ]
    files = {"wandb-events.jsonl": {"offset": 0, "content": [json.dumps(one) for one in rows]}}
    client.stream("r", files=files)
    told = client.http.get("/-/data/local/p/runs/r/system").json()
    assert told["rows"] == 2
    gpu, cpu, memory = told["charts"]
    assert (gpu["group"], gpu["title"], gpu["unit"], gpu["x"]) == ("GPU", "GPU at work", "%", [0, 15])
    assert gpu["lines"] == [{"name": "GPU 0", "y": [90, 95]}, {"name": "GPU 1", "y": [80, None]}]
    assert cpu["lines"] == [{"name": "this run", "y": [10.5, 20]}]
    assert memory["title"] == "Memory of the machine"


def test_a_run_without_measurements_has_no_charts(client):
    """And no fault."""
    client.init("r")
    assert client.http.get("/-/data/local/p/runs/r/system").json() == {"rows": 0, "charts": []}


@pytest.mark.parametrize(
    ("key", "group", "unit", "line"),
    [
        ("gpu.3.memoryAllocatedBytes", "GPU", "bytes", "GPU 3"),
        ("gpu.0.fanSpeed", "GPU", "", "0.fanSpeed"),
        ("cpu.12.cpu_percent", "CPU", "%", "core 12"),
        ("proc.memory.rssMB", "Memory", "MB", "taken"),
        ("disk./.usageGB", "Disk", "GB", "/"),
        ("disk./data/x.usagePercent", "Disk", "%", "/data/x"),
        ("disk.nvme0n1.in", "Disk", "MB", "nvme0n1"),
        ("disk.in", "Disk", "MB", "all"),
        ("network.sent", "Network", "bytes", "sent"),
        ("ipu.<b>", "Other", "", "ipu.<b>"),
    ],
)
def test_every_key_has_its_place(key, group, unit, line):
    """The ones that are not known are shown all the same."""
    chart, name = placed(key)
    assert (chart.group, chart.unit, name) == (group, unit, line)
    assert chart.group in GROUPS


def test_no_peak_is_lost_in_a_long_run():
    """Each piece of the time shows its lowest and its highest value, in the order in which they came."""
    values = [50.0] * 1000
    values[333], values[334] = 100.0, 0.0
    values[555], values[556] = 0.0, 100.0
    (chart,) = charts([row(number, cpu=value) for number, value in enumerate(values)], buckets=10)
    drawn = chart["lines"][0]["y"]
    assert len(drawn) == len(chart["x"]) == 20
    assert drawn[6:8] == [100.0, 0.0]
    assert drawn[10:12] == [0.0, 100.0]
    assert chart["x"][0] == 0
    assert chart["x"][-1] == 999


def test_a_piece_without_a_value_is_a_hole():
    """As where a GPU came later."""
    rows = [row(number, cpu=1.0, gpu__0__gpu=None if number < 50 else 2.0) for number in range(100)]
    gpu = charts(rows, buckets=4)[0]
    assert gpu["lines"][0]["y"] == [None] * 4 + [2.0] * 4


def test_what_is_no_number_is_left_out():
    """Words, truth values and what has no time; GPU 10 stands behind GPU 9."""
    rows = [
        row(0, gpu__10__gpu=1, gpu__9__gpu=1, cpu="busy", memory=True, network__sent=float("nan")),
        {"system.cpu": 1},
    ]
    (only,) = charts(rows)
    assert [line["name"] for line in only["lines"]] == ["GPU 9", "GPU 10"]


def test_megabytes_are_told_in_bytes():
    """Which a page writes as 1.5 GB or 300 MB, as they come."""
    (chart,) = charts([row(0, proc__memory__rssMB=1.5)])
    assert (chart["unit"], chart["lines"][0]["y"]) == ("bytes", [1.5 * 2**20])
