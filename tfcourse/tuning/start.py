"""How a run begins: data, plan and run folder, from the options of a new search or from an earlier part of one."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tfcourse.data.features import features_from_json
from tfcourse.data.prepare import DataOptions, Prepared, prepare, prepare_again, rows_in_split
from tfcourse.data.sources import fingerprint_of
from tfcourse.data.training_counts import training_counts
from tfcourse.errors import UserError
from tfcourse.files.writing import remove_leftovers
from tfcourse.run.folder import RunFolder, RunStatus, check_new, default_path
from tfcourse.run.slices import check_columns
from tfcourse.run.trials import read_trials
from tfcourse.space import SearchSpace
from tfcourse.space.first_settings import read_first_settings
from tfcourse.space.names import CONV, MLP
from tfcourse.space.space_file import names_in_space, read_space
from tfcourse.tuning import defaults
from tfcourse.tuning.first import tried_first
from tfcourse.tuning.folds import check_folds
from tfcourse.tuning.networks import check_goes_together, fitted_to_data
from tfcourse.tuning.plan import Plan, default_epochs, default_patience, plan_from_json, with_batch_size
from tfcourse.tuning.tuning_run import TuningRun

FREE_ON_RESUME = (
    "resume", "trials", "budget", "quiet", "json", "data", "test_data", "ensemble", "calibrate", "folds",
    "single", "tensorboard", "slices", "workers", "ray",
)  # fmt: skip
FILES_OF_SETTINGS = ("space", "first")
"""Options that name a file: what it says must be the same on a resume, not what it is called."""


def start(given: dict[str, Any], argv: Sequence[str]) -> TuningRun:
    """Read the data, plan the search and make the run folder.

    Args:
        given: the options that were given, by name.
        argv: the command line, to be told in the run folder.

    Raises:
        UserError: if the data, the space or the options do not allow the search.
    """
    if "out" in given:
        check_new(Path(given["out"]))
    check_goes_together(given)
    network = given.get("network", MLP)
    space, names = read_space(given.get("space", {}), network), names_in_space(given.get("space", {}))
    told = {"numbers": defaults.NUMBERS, **given}
    options = DataOptions(**{key: _frozen(told[key]) for key in DataOptions.__dataclass_fields__ if key in told})
    prepared = prepare(options)
    check_folds(_model_options(given).get("folds") or 1, prepared)
    check_columns(given.get("slices", ()), prepared.test_rows)
    space, notes = fitted_to_data(space, prepared.features, network, named="blocks" in names)
    prepared.notes.extend(notes)
    plan = _plan(given, space, len(prepared.train), options, network)
    path = Path(given["out"]) if "out" in given else default_path(prepared.name)
    return TuningRun(RunFolder.create(path, _record(given, argv, options, prepared, plan)), prepared, plan)


def _plan(given: dict[str, Any], space: SearchSpace, rows: int, options: DataOptions, network: str) -> Plan:
    """Return what to do with so many training rows.

    Raises:
        UserError: if the options do not go together.
    """
    space = with_batch_size(space, given.get("batch_size"), rows)
    epochs = given.get("epochs") or default_epochs(rows, int(space["batch_size"].from_unit(0.5)))
    trials = given.get("trials") or (defaults.MOST_TRIALS if "budget" in given else defaults.TRIALS)
    engine = given.get("engine", "keras" if network == CONV else "cohort")
    if given.get("halving") and engine == "keras":
        raise UserError(
            "--halving was given with --engine keras, which trains one trial at a time; use --engine cohort."
        )
    if options.weight is not None and given.get("objective") == "val_accuracy":
        raise UserError(
            f"--weight {options.weight} was given with --objective val_accuracy, which counts every row once; leave out"
            " --objective, and trials are ranked by the weighted validation loss."
        )
    first = tried_first(given, space, trials)
    halves = engine == "cohort" and trials // len(first.starts) >= defaults.LEAST_TRIALS_TO_HALVE
    return Plan(
        space, trials, epochs, default_patience(epochs), given.get("objective", "val_loss"), engine, options.seed,
        sampler=given.get("sampler", defaults.SAMPLER), starts=first.starts, first=first.settings,
        portfolio=first.portfolio, repeats=given.get("repeats", 1), halving=given.get("halving", halves),
        network=network,
    )  # fmt: skip


def _record(
    given: dict[str, Any], argv: Sequence[str], options: DataOptions, prepared: Prepared, plan: Plan
) -> dict[str, Any]:
    """Return the ``run.json`` of a run that has not begun."""
    places = {"data": _absolute(options.data), "test_data": _absolute(options.test_data)}
    return {
        "command": shlex.join(["python", "-m", "tfcourse.train", *argv]),
        "status": RunStatus.INTERRUPTED,  # it is, until the search begins
        "options": {**options.to_json(), **places},
        "given": {key: value for key, value in given.items() if key not in FREE_ON_RESUME},
        "budget": given.get("budget"),
        "plan": _without_space(plan),
        "space": plan.space.to_json(),
        "data": {
            "name": prepared.name, "fingerprint": prepared.fingerprint, "split": rows_in_split(prepared),
            "columns": prepared.columns, "notes": prepared.notes,
        },
        # None: by the data, once the search is done
        "model": {"folds": 1 if plan.network == CONV else None, **_model_options(given)},
        "classes": list(prepared.classes),
        "features": prepared.features.to_json(),
        "training": training_counts(prepared.features, prepared.train.x, prepared.train.y, prepared.classes),
        "seconds": 0.0,
        "seconds_before": 0.0,
    }  # fmt: skip


def resume(given: dict[str, Any], argv: Sequence[str]) -> TuningRun:
    """Open a run folder and read its data again, refusing what would make it another search.

    Args:
        given: the options that were given, by name; ``resume`` is the folder.
        argv: the command line, told in the run folder if it changes what comes of the run.

    Raises:
        UserError: if the folder is no run, its data are gone or others, or an option belongs to another search.
    """
    folder = RunFolder.open(Path(given["resume"]))
    remove_leftovers(folder.path)
    record = folder.record
    record["seconds_before"] = max(record["seconds_before"], record["seconds"])  # it was killed, not interrupted
    _check_same_options(given, record)
    plan = folder.parse(lambda record: plan_from_json({**record["plan"], "space": record["space"]}))
    check_goes_together({**given, "network": plan.network})
    prepared = _data_again(given, folder)
    _check_settings(given, record, plan, prepared)
    plan, changes = _with_more_trials(given, record, plan)
    check_folds(_model_options(given).get("folds") or 1, prepared)
    check_columns(given.get("slices", ()), prepared.test_rows)
    if (model := {**record.get("model", {}), **_model_options(given)}) != record.get("model", {}):
        changes["model"] = model  # if the search is done, another model is saved from it
    searched = record["status"] == RunStatus.COMPLETED or record.get("searched", False)
    if searched and changes:
        searched = changes["searched"] = not {"trials", "budget"} & set(given)
    if searched:  # what time alone had limited would draw further trials
        plan = replace(plan, trials=sum(t.status != "running" for t in read_trials(folder.path, plan.space)))
    if changes:
        commands = [*record.get("resumed", []), shlex.join(["python", "-m", "tfcourse.train", *argv])]
        folder.update(status=RunStatus.INTERRUPTED, resumed=commands, **changes)
    return TuningRun(folder, prepared, plan)


def _check_same_options(given: dict[str, Any], record: dict[str, Any]) -> None:
    """Refuse an option that the search was not started with, if it would make it another search."""
    plan = record["plan"]
    settled = {"halving": plan.get("halving", False), "network": plan.get("network", MLP)}
    # Where it had no room, or there was none yet, it is as good as without: both may be said.
    settled["portfolio"] = plan.get("portfolio", 0) > 0 or given.get("portfolio", False)
    was_given = {**settled, **record["given"]}
    for key, value in given.items():
        if key not in (*FREE_ON_RESUME, *FILES_OF_SETTINGS) and was_given.get(key) != value:
            before = was_given.get(key)
            was = f"without {_flag(key)}" if before is None or before is False else f"with {_flag(key, before)}"
            raise UserError(
                f"--resume: {_flag(key, value)} was given, but the search was started {was}."
                " Leave it out to go on with that search, or start a new one with --out."
            )


def _data_again(given: dict[str, Any], folder: RunFolder) -> Prepared:
    """Return the data of a run as they were read when it began; refuse others."""
    options = folder.parse(lambda record: DataOptions.from_json(record["options"]))
    options = replace(options, **{key: given[key] for key in ("data", "test_data") if key in given})
    fingerprint = folder.parse(lambda record: record["data"]["fingerprint"])
    for flag, path in (("--data", options.data), ("--test-data", options.test_data)):
        if path is not None and Path(path).is_absolute() and not Path(path).exists():
            raise UserError(f"--resume: the search's data is no longer at {path!r}; give its new place with {flag}.")
    if fingerprint_of(options.data, options.test_data) != fingerprint:
        raise UserError(
            f"--resume: {options.data!r} holds other data than the search in {given['resume']!r} was started with."
            " Give that data with --data, or start a new search with --out."
        )
    features = folder.parse(lambda record: features_from_json(record["features"]))
    data = folder.record["data"]
    prepared = prepare_again(options, features, data["split"])
    folder.check_classes(prepared.classes)
    return replace(prepared, columns=data["columns"], notes=data["notes"])


def _with_more_trials(given: dict[str, Any], record: dict[str, Any], plan: Plan) -> tuple[Plan, dict[str, Any]]:
    """Return a plan with as many trials as are asked for now, and what that changes in ``run.json``."""
    more = given.get("trials", plan.trials)
    if more < plan.trials < defaults.MOST_TRIALS:
        raise UserError(
            f"--resume: --trials {more} was given, but the search was started with {plan.trials}. Give more to go on"
            " beyond them, or leave it out."
        )
    if more < plan.trials:  # a search that was limited by time alone
        plan = replace(plan, trials=more)
    elif more > plan.trials or ("budget" in given and record["status"] == RunStatus.COMPLETED):
        plan = replace(plan, trials=max(more, plan.trials))
    else:
        return plan, {}
    return plan, {"plan": _without_space(plan)}


def _without_space(plan: Plan) -> dict[str, Any]:
    """Return a plan as ``run.json`` has it, which keeps the space beside it."""
    return {key: value for key, value in plan.to_json().items() if key != "space"}


def _check_settings(given: dict[str, Any], record: dict[str, Any], plan: Plan, prepared: Prepared) -> None:
    """Refuse files of settings that say something else than those that the search was started with."""
    advice = "Leave it out to go on with that search, or start a new one with --out."
    if "space" in given:
        named = "blocks" in names_in_space(given["space"])
        space = read_space(given["space"], plan.network)
        space, _ = fitted_to_data(space, prepared.features, plan.network, named=named)
        if "batch_size" not in space.names:  # whatever the present default is
            usual = plan.space["batch_size"].values
            sizes = record["given"].get("batch_size") or (usual if len(usual) == 1 else None)
            space = with_batch_size(space, sizes and tuple(map(int, sizes)), len(prepared.train))
        if difference := plan.space.first_difference(space):
            raise UserError(
                f"--resume: --space {given['space']} holds another space than the search was started with:"
                f" {difference}. {advice}"
            )
    if "first" in given and tuple(read_first_settings(given["first"], plan.space)) != plan.own:
        raise UserError(
            f"--resume: --first {given['first']} holds other settings than the search was started with. {advice}"
        )


def _model_options(given: dict[str, Any]) -> dict[str, Any]:
    """Return what is asked of the model; networks are averaged as the search left them, or bagged, not both.

    Raises:
        UserError: if both are asked for.
    """
    found: dict[str, Any] = {key: given[key] for key in ("ensemble", "calibrate", "folds", "slices") if key in given}
    ensemble, folds = found.get("ensemble", 1), found.get("folds", 1)
    if "single" in given:
        for flag, number in (("--ensemble", ensemble), ("--folds", folds)):
            if number > 1:
                raise UserError(
                    f"--single saves one network, {flag} {number} the average of several; give one of them."
                )
        return {**found, "ensemble": 1, "folds": 1}
    if ensemble > 1 and folds > 1:
        raise UserError(
            f"--ensemble {ensemble} averages networks as the search left them, --folds {folds} trains the leaders anew"
            " and averages those; give one of them."
        )
    return {**found, **({"folds": 1} if "ensemble" in found else {"ensemble": 1} if folds > 1 else {})}


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _flag(key: str, value: Any = True) -> str:
    """Return an option as it is written on the command line.

    >>> _flag("batch_size", [32, 64]), _flag("halving"), _flag("halving", False)
    ('--batch-size 32 64', '--halving', '--no-halving')
    """
    words = [] if isinstance(value, bool) else value if isinstance(value, list) else [value]
    return " ".join(["--" + "no-" * (value is False) + key.replace("_", "-"), *map(str, words)])


def _absolute(path: str | None) -> str | None:
    return str(Path(path).resolve()) if path is not None and Path(path).exists() else path
