"""What TensorBoard finds in the event files, by its own reader and its own HParams backend."""

from __future__ import annotations

import shutil
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest

from tests.report.conftest import read
from tfcourse import train
from tfcourse.report.__main__ import main


@pytest.fixture(scope="module")
def multiplexer(report_run: Path) -> Any:
    """Return TensorBoard's view of the run folder, as ``tensorboard --logdir RUN`` has it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TensorBoard's own
        from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer

        found = EventMultiplexer()
        found.AddRunsFromDirectory(str(report_run))
        found.Reload()
    return found


def test_the_curves_are_the_trials(multiplexer: Any, report_run: Path) -> None:
    from tensorboard.util.tensor_util import make_ndarray

    trials = [read(path) for path in (report_run / "search").glob("trial_*/trial.json")]
    runs = {f"tensorboard/trial_{int(trial['trial_id']):04d}": trial for trial in trials}
    assert set(multiplexer.Runs()) - {"tensorboard", "."} == set(runs)
    for run, trial in runs.items():
        for name in ("loss", "val_loss", "accuracy", "val_accuracy"):
            observations = trial["metrics"]["metrics"].get(name, {"observations": []})["observations"]
            if not observations:
                continue
            events = multiplexer.Tensors(run, name)
            shown = [float(make_ndarray(event.tensor_proto)) for event in events]
            assert shown == pytest.approx([point["value"][0] for point in observations], rel=1e-5, nan_ok=True)
            assert [event.step for event in events] == list(range(1, len(observations) + 1))


def test_the_hparams_dashboard_lists_every_trial_with_its_setting(multiplexer: Any, report_run: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from tensorboard import context
        from tensorboard.backend.event_processing.data_provider import MultiplexerDataProvider
        from tensorboard.plugins.base_plugin import TBContext
        from tensorboard.plugins.hparams import api_pb2, backend_context, get_experiment, list_session_groups

        provider = MultiplexerDataProvider(multiplexer, str(report_run))
        backend = backend_context.Context(TBContext(data_provider=provider, logdir=str(report_run)))
        request = api_pb2.ListSessionGroupsRequest(
            start_index=0, slice_size=100, allowed_statuses=[api_pb2.STATUS_SUCCESS, api_pb2.STATUS_FAILURE]
        )
        best = request.col_params.add()
        best.metric.tag = "best/val_loss"
        context_of = context.RequestContext()
        experiment = get_experiment.Handler(
            context_of, backend, "", api_pb2.GetExperimentRequest(include_metrics=True)
        ).run()
        groups = list_session_groups.Handler(context_of, backend, "", request).run().session_groups
    infos = {info.name: info for info in experiment.hparam_infos}
    assert infos["learning_rate"].domain_interval.min_value == pytest.approx(1e-3)
    assert [value.string_value for value in infos["optimizer"].domain_discrete.values] == ["adam", "sgd"]
    files = (read(path) for path in (report_run / "search").glob("trial_*/trial.json"))
    states = {int(state["trial_id"]): state for state in files}
    assert len(groups) == len(states) == 20
    for group in groups:
        (session,) = group.sessions
        state = states[int(session.name.removeprefix("tensorboard/trial_"))]
        values = state["hyperparameters"]["values"]
        assert group.hparams["learning_rate"].number_value == pytest.approx(values["learning_rate"])
        assert group.hparams["optimizer"].string_value == values["optimizer"]
        assert session.status == (api_pb2.STATUS_SUCCESS if state["status"] == "COMPLETED" else api_pb2.STATUS_FAILURE)
        metrics = {each.name.tag: each.value for each in group.metric_values}
        if state["status"] == "COMPLETED":
            assert metrics["best/val_loss"] == pytest.approx(state["score"], rel=1e-5)


def test_writing_again_replaces_what_was_there(copied: Path) -> None:
    (copied / "tensorboard" / "trial_0000" / "events.out.tfevents.old").write_bytes(b"")
    assert main([str(copied), "--tensorboard"]) == 0
    names = [path.name for path in (copied / "tensorboard").rglob("events.out.tfevents.*")]
    assert len(names) == 21
    assert "events.out.tfevents.old" not in names


def test_a_finished_run_can_be_given_them_by_its_own_command_too(copied: Path) -> None:
    shutil.rmtree(copied / "tensorboard")
    result = (copied / "result.json").read_bytes()
    assert train.main(["--resume", str(copied), "--tensorboard", "--quiet"]) == 0
    assert len(list((copied / "tensorboard").rglob("events.out.tfevents.*"))) == 21
    assert (copied / "result.json").read_bytes() == result


ON_A_FULL_DISK = """
import resource, sys
from pathlib import Path
from tfcourse.process.command import run_command
from tfcourse.report.source import read_run
from tfcourse.report.summaries import write_summaries
run = read_run(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
sys.exit(run_command(lambda _: 0 * len(str(write_summaries(run))), []))
"""


@pytest.mark.parametrize("most", [0, 700])
def test_on_a_full_disk_there_is_one_message_and_what_was_there_stays(
    most: int, report_run: Path, tmp_path: Path
) -> None:
    pytest.importorskip("resource")
    run = shutil.copytree(report_run, tmp_path / "run")
    before = sorted(run.rglob("*"))
    assert any("tfevents" in path.name for path in before)
    words = [sys.executable, "-c", ON_A_FULL_DISK, str(run), str(most)]
    done = subprocess.run(words, capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert done.returncode == 2, done.stderr
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert errors == [
        "error: The disk is full. What was finished is kept; free some space, then run the command again."
    ]
    assert "Traceback" not in done.stderr
    assert sorted(run.rglob("*")) == before
