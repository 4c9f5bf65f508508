"""The table and the JSON, from figures that a hand can check."""

import json

import pytest

from benchmarks import report
from benchmarks.client import Request
from benchmarks.parts import Part
from benchmarks.rounds import Row
from benchmarks.sample import Sample, percentiles_ms
from benchmarks.server import Memory, Start


def sample(per_second: float, *, core: float = 1.0, client: float = 0.1) -> Sample:
    return Sample(
        round(per_second), 1.0, cpu_seconds=core, p50_ms=10, p95_ms=20, client_share=client
    )


def row(bare: list[Sample], served: list[Sample], **aims: float) -> Row:
    part = Part("/ask", Request("/"), lambda: None, lambda _: True, (8,), **aims)
    return Row(part, 8, bare, served)


def result(*rows: Row, seconds: float = 2.0, resident: float = 300.0) -> report.Result:
    memory = Memory(resident, resident + 50)
    return report.Result(list(rows), [Start(seconds, 1.5)], {"ready": memory, "after": memory})


def cells(text: str) -> list[dict[str, str]]:
    """Read a Markdown table."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    head, rule, *rest = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert set(rule) == {"---"}
    return [dict(zip(head, line, strict=True)) for line in rest]


def test_a_ratio_is_one_of_medians_and_its_spread_that_of_the_rounds() -> None:
    measured = row([sample(100), sample(200), sample(1000)], [sample(50), sample(160), sample(900)])
    (line,) = cells(report.text(result(measured)))
    assert line["images/s"] == "160"
    assert line["over bare"] == "0.80"
    assert line["rounds"] == "0.50-0.90"
    assert line["p95/p50"] == "2.0"
    assert line["p50 over bare"] == "1.0"
    # One core second for 200 images, and for 160.
    assert (line["bare CPU ms"], line["CPU ms"]) == ("5.00", "6.25")
    assert line["CPU over bare"] == "0.80"


@pytest.mark.parametrize(("served", "said"), [(70, "met"), (69, "MISSED")])
def test_says_whether_an_aim_was_met(served: int, said: str) -> None:
    text = report.text(result(row([sample(100)], [sample(served)], aim=0.70)))
    assert f"- /ask, over bare: 0.{served}, aim at least 0.7: {said}" in text


@pytest.mark.parametrize(
    ("aimed", "said"),
    [
        ({"seconds": 2.9}, "2.90, aim at most 3: met"),
        ({"seconds": 3.1}, "3.10, aim at most 3: MISSED"),
        ({"resident": 349.0}, "349.00, aim at most 350: met"),
        ({"resident": 351.0}, "351.00, aim at most 350: MISSED"),
    ],
)
def test_judges_start_and_memory(aimed: dict[str, float], said: str) -> None:
    measured = row([sample(100)], [sample(90)])
    assert said in report.text(result(measured, **aimed))


def test_judges_the_tail_of_latency() -> None:
    text = report.text(result(row([sample(100)], [sample(90)], aim_tail=1.9)))
    assert "/ask, p95/p50: 2.00, aim at most 1.9: MISSED" in text


def test_says_when_the_machine_was_busy_or_the_client_the_limit() -> None:
    quiet = report.text(result(row([sample(100)], [sample(90)])))
    assert "busy machine" not in quiet
    assert "the limit" not in quiet
    doubtful = row([sample(100, core=0.5)], [sample(90, client=0.95)])
    text = report.text(result(doubtful))
    assert "had 50% to 50% of their core" in text
    assert "/ask at 8: the client was the limit" in text


def test_json_holds_each_sample() -> None:
    measured = row([sample(100), sample(100)], [sample(80), sample(90)])
    read = json.loads(json.dumps(report.data(result(measured))))
    (line,) = read["rows"]
    assert line["over_bare"] == 0.85
    assert [s["images"] for s in line["served"]] == [80, 90]
    assert read["starts"] == [{"seconds": 2.0, "cpu_seconds": 1.5}]
    assert read["memory_mb"]["after"] == {"resident": 300.0, "summed": 350.0}


def test_percentiles() -> None:
    assert percentiles_ms([i / 1000 for i in range(101)]) == pytest.approx((50, 95))
