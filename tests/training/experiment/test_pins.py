"""A work whose code changed counts its version up, or is pinned anew by somebody who looked."""

import json

import pytest

from . import pins

WORKS = pins.works()
TABLE = json.loads(pins.TABLE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("work", WORKS, ids=[work.name for work in WORKS])
def test_code_does_not_change_under_a_version(work):
    pinned, found = TABLE.get(work.name, {}), pins.pin(work)
    before, now = pinned.get("code", {}), found["code"]
    changed = sorted(name for name in before | now if before.get(name) != now.get(name))
    if changed and pinned.get("version") == found["version"]:
        pytest.fail(
            f"The code behind the work {work.name!r} changed in {', '.join(changed)}, but its "
            f"version is {work.version} as before. Can the same configuration now give another "
            f"result? Then count `version` up where the work is made, or old results pass for new "
            f"ones. In either case pin the code as it is: {pins.COMMAND}"
        )
    assert found == pinned, f"pin the code as it is: {pins.COMMAND}"


def test_every_work_is_pinned_and_nothing_else():
    assert sorted(TABLE) == [work.name for work in WORKS], f"pin the works: {pins.COMMAND}"


#: A work, a module that it calls, and one that it imports in a function.
PROJECT = {
    "a.work": '''
"""A work."""
from a import tools
from a.tools import LOW as low, Config

PRESETS = {"paper": 1}

def compute(config: Config, inputs):
    """Compute."""
    from a.late import shift  # here for a reason
    return tools.scale(inputs["x"]) + low + shift()

def other():
    return tools.unused()
''',
    "a.tools": """
LOW = 3
HIGH = 4

class Config:
    width: int = 1

    def half(self):
        return self.width / HIGH

def scale(x):
    return _scale(x)

def _scale(x):
    return 2 * x

def unused():
    return 5
""",
    "a.late": "def shift():\n    return 1\n",
}


def hashes(**changed: tuple[str, str]) -> dict[str, str]:
    """The hashes where in these modules something is replaced by something else."""
    project = dict(PROJECT)
    for name, (old, new) in changed.items():
        assert old in project[f"a.{name}"]
        project[f"a.{name}"] = project[f"a.{name}"].replace(old, new)
    return pins.hashes("a.work", "compute", read=project.get)


@pytest.mark.parametrize(
    "changed",
    [
        {"work": ('"""Compute."""', '"""Do it."""')},
        {"work": ('"""A work."""', "")},
        {"work": ("# here for a reason", "")},
        {"tools": ("\nLOW = 3", "\n\n#: The lowest.\nLOW = (\n    3\n)\n")},
        {"work": ('"paper": 1', '"paper": 2')},
        {"work": ("tools.unused()", "7")},
        {"tools": ("return 5", "return 6")},
    ],
)
def test_words_and_what_is_not_reached_count_for_nothing(changed):
    assert hashes(**changed) == hashes()


@pytest.mark.parametrize(
    ("where", "changed"),
    [
        ("work", ("+ low", "- low")),
        ("work", ('inputs["x"]', 'inputs["y"]')),
        ("tools", ("LOW = 3", "LOW = 4")),
        ("tools", ("HIGH = 4", "HIGH = 5")),
        ("tools", ("return 2 * x", "return 3 * x")),
        ("tools", ("width: int = 1", "width: int = 2")),
        ("late", ("return 1", "return 2")),
    ],
)
def test_whatever_is_reached_counts_and_its_module_is_named(where, changed):
    before, after = hashes(), hashes(**{where: changed})
    assert before.keys() == after.keys() == set(PROJECT)
    assert {name for name in after if after[name] != before[name]} == {f"a.{where}"}


def test_reaches_what_a_work_rests_on_and_no_section():
    reached = {work.name: pins.pin(work)["code"].keys() for work in WORKS}
    assert {"training.cnn", "training.networks", "training.presets"} <= reached["classifier"]
    assert {"training.gan", "training.diffaugment", "training.seeds"} <= reached["generator"]
    assert {"training.phantom.scanner", "lesion.roi"} <= reached["phantom"]
    assert {"training.cohort", "training.patches"} <= reached["cohort"]
    every = set().union(*reached.values())
    assert not [name for name in every if name.startswith("training.experiment.sections")]
    assert "training.phantom.scanner" not in reached["classifier"]
