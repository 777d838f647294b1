"""``--space wide``: one width for all hidden layers, searched, trained, saved and gone on with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import pytest

from tfcourse import babysit, train
from tfcourse.babysitting.setting import begin_with
from tfcourse.cohort.plan import plan_cohorts
from tfcourse.data.prepare import DataOptions, prepare
from tfcourse.errors import UserError
from tfcourse.models.spec import NetworkSpec, OptimizerSpec
from tfcourse.search.padding import Padding
from tfcourse.space.course import default_space, most_units
from tfcourse.space.space_file import read_space, space_from_toml
from tfcourse.tuning import plan as plan_of_run

WIDTHS = read_space("wide")["width"].values
TRIALS = 6


@pytest.fixture(scope="module")
def wide_run(pets_csv: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("wide") / "run"
    words = ["--data", str(pets_csv), "--target", "kind", "--space", "wide", "--trials", str(TRIALS)]
    assert train.main([*words, "--epochs", "3", "--single", "--quiet", "--out", str(run)]) == 0
    return run


def trials_of(run: Path) -> list[dict[str, Any]]:
    paths = sorted(run.glob("search/trial_*/trial.json"))
    return [json.loads(path.read_text(encoding="utf-8"))["hyperparameters"]["values"] for path in paths]


def test_it_has_one_width_in_the_place_of_units() -> None:
    space = read_space("wide")
    assert not [name for name in space.names if name.startswith("units")]
    assert set(space.names) - set(default_space().names) == {"width", "weight_decay"}
    assert most_units(space) == max(WIDTHS)


def test_units_and_width_are_not_searched_together() -> None:
    with pytest.raises(UserError, match=r"units and width are both given; .* Give one"):
        space_from_toml({"units": 64, "width": [64, 128]})


def test_every_width_of_a_choice_has_programs_without_padding() -> None:
    padding = Padding.of_space(space_from_toml({"width": [32, 256]}), inputs=8, examples=1000)
    for width in (32, 256):
        assert padding.member(NetworkSpec(8, 3, (width, width)), OptimizerSpec(), 0).pad_to == width
    ranged = Padding.of_space(space_from_toml({"width": {"low": 32, "high": 48}}), inputs=8, examples=1000)
    assert ranged.member(NetworkSpec(8, 3, (33, 33)), OptimizerSpec(), 0).pad_to == 48


@pytest.mark.parametrize("examples", [1000, 90_000])
@pytest.mark.parametrize("beside", [[], [128], [256], [256, 128, 256]])
def test_a_program_is_of_one_width_whoever_trains_with_it(examples: int, beside: list[int]) -> None:
    padding = Padding.of_space(read_space("wide"), inputs=16, examples=examples)
    members = [
        padding.member(NetworkSpec(16, 3, (width,) * layers), OptimizerSpec(), seed)
        for seed, (width, layers) in enumerate([(128, 2), (128, 3), *((width, 2) for width in beside)])
    ]
    plans = plan_cohorts(members, [32] * len(members), examples=examples)
    assert sorted(index for plan in plans for index in plan.indices) == list(range(len(members)))
    for plan in plans:
        (width,) = {members[index].pad_to for index in plan.indices}
        assert set(plan.widths[:-1]) == {width}


def test_all_hidden_layers_of_a_trial_have_its_width(wide_run: Path) -> None:
    tried = trials_of(wide_run)
    assert len(tried) == TRIALS
    assert {values["width"] for values in tried} == set(WIDTHS)
    result = json.loads((wide_run / "result.json").read_text(encoding="utf-8"))
    best = tried[int(result["best"]["trial_id"])]
    model = keras.saving.load_model(wide_run / "model.keras", compile=False)
    dense = [layer.units for layer in model._flatten_layers() if isinstance(layer, keras.layers.Dense)]
    assert sorted(dense) == [model.output_shape[-1], *[best["width"]] * best["layers"]]


def test_it_is_gone_on_with_by_name(
    wide_run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert train.main(["--resume", str(wide_run), "--space", "wide", "--quiet"]) == 0
    with monkeypatch.context() as other_version:
        other_version.setattr(plan_of_run, "default_batch_size", lambda rows: 8)
        assert train.main(["--resume", str(wide_run), "--space", "wide", "--quiet"]) == 0
    assert train.main(["--resume", str(wide_run), "--space", "wide.toml", "--quiet"]) == 2
    assert "there is no file 'wide.toml'" in capsys.readouterr().err


def test_it_is_for_fully_connected_networks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train.main(["--network", "conv", "--space", "wide", "--out", str(tmp_path / "run")]) == 2
    assert "'width' is for --network mlp, not for --network conv" in capsys.readouterr().err


def test_a_training_begins_from_its_winner(wide_run: Path, tmp_path: Path) -> None:
    words = ["start", "--from", str(wide_run), "--set", "epochs=1", "--out", str(tmp_path / "one"), "--quiet"]
    assert babysit.main(words) == 0
    record = json.loads((tmp_path / "one" / "run.json").read_text(encoding="utf-8"))
    assert set(record["start"]["network"]["units"]) <= set(WIDTHS)


@pytest.mark.parametrize(
    ("words", "winner", "units"),
    [
        (["width=32"], None, (32, 32)),
        ([], {"optimizer": "adam", "learning_rate": 0.01, "layers": 3, "width": 128}, (128, 128, 128)),
        (["layers=2"], {"optimizer": "adam", "learning_rate": 0.01, "layers": 3, "width": 128}, (128, 128)),
        (["units=9,8"], {"optimizer": "adam", "learning_rate": 0.01, "layers": 3, "width": 128}, (9, 8)),
        (["width=16"], {"optimizer": "adam", "learning_rate": 0.01, "layers": 2, "units_1": 7, "units_2": 8}, (16, 16)),
    ],
)
def test_a_babysat_network_has_the_width_that_was_set(
    pets_csv: Path, words: list[str], winner: dict[str, Any] | None, units: tuple[int, ...]
) -> None:
    prepared = prepare(DataOptions(str(pets_csv), target="kind"))
    assert begin_with(words, prepared, winner).network.units == units
    with pytest.raises(UserError, match=r"units and width were given; .* Give one"):
        begin_with(["units=8", "width=9"], prepared, winner)
