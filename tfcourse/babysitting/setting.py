"""How one training begins: its network, optimizer and minibatch size, from a run's winner or a plain start."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tfcourse.babysitting.changes import LIMITS, LIVE, Changes, parse_changes, parse_pairs
from tfcourse.data.prepare import Prepared
from tfcourse.errors import UserError
from tfcourse.models.spec import NetworkSpec, OptimizerSpec, network_from_values, optimizer_from_values
from tfcourse.run.folder import RunFolder
from tfcourse.run.trials import leaders, read_trials
from tfcourse.space import SearchSpace
from tfcourse.space.known import KNOWN
from tfcourse.tuning.plan import default_batch_size

PLAIN: dict[str, Any] = {"optimizer": "adam", "learning_rate": 0.001, "layers": 2, "units_1": 64, "units_2": 64}
"""What is trained when nothing is said."""
ALLOWED = (*KNOWN, "patience", "epochs")


@dataclass(frozen=True)
class Start:
    """How a babysat training begins.

    Args:
        network: the network.
        optimizer: its optimizer; its decay is applied epoch by epoch.
        batch_size: rows of a minibatch.
        limits: ``patience`` and ``epochs``, None where there is none.
    """

    network: NetworkSpec
    optimizer: OptimizerSpec
    batch_size: int
    limits: Changes = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the start JSON-ready."""
        return {**asdict(self), "network": self.network.to_json(), "optimizer": self.optimizer.to_json()}

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Start:
        """Return the start whose :meth:`to_json` gave ``fields``."""
        network, optimizer = NetworkSpec.from_json(fields["network"]), OptimizerSpec.from_json(fields["optimizer"])
        return cls(network, optimizer, int(fields["batch_size"]), dict(fields["limits"]))


def begin_with(words: Sequence[str], prepared: Prepared, winner: Mapping[str, Any] | None = None) -> Start:
    """Return the start that words such as ``learning_rate=0.01`` describe.

    Args:
        words: changes; ``units=100,50`` gives each hidden layer's, ``units=64`` every one's.
        prepared: the data.
        winner: the values of the trial to begin from; a plain start where it is None.

    Raises:
        UserError: if a name is unknown, a value is out of range, or plays no part with the others.
    """
    texts = parse_pairs(words, "--set", ALLOWED)
    values: dict[str, Any] = {"batch_size": default_batch_size(len(prepared.train)), **(winner or PLAIN)}
    changes = [f"{name}={text}" for name, text in texts.items() if name in LIVE]
    live = parse_changes(changes, "--set") if changes else {}
    limits = {name: live.pop(name, None) for name in LIMITS}
    given = {**live, **{name: _value(name, text) for name, text in texts.items() if name not in LIVE}}
    values |= {name: value for name, value in given.items() if name != "units"}
    if "units" in given and "width" in given:
        raise UserError("--set: units and width were given; width is the units of every hidden layer. Give one.")
    there = [values[f"units_{number}"] for number in _layers(values) if f"units_{number}" in values]
    layers = given.get("units", [values.pop("width")] if "width" in values else there)
    values.pop("width", None)
    if "units" in given and len(layers) > 1 and "layers" in given and given["layers"] != len(layers):
        raise UserError(f"--set: layers={given['layers']} and {len(layers)} units were given; give as many of both.")
    if "units" in given and len(layers) > 1:
        values["layers"] = len(layers)
    values |= {f"units_{n}": layers[min(n, len(layers)) - 1] for n in _layers(values)}
    if values["batch_size"] > len(prepared.train):
        raise UserError(
            f"--set: batch_size={values['batch_size']} was given, but the training split has {len(prepared.train)}"
            f" rows; give at most {len(prepared.train)}."
        )
    _check_parts(given, values["optimizer"])
    network = network_from_values(values, inputs=prepared.features.width, classes=len(prepared.classes))
    steps = math.ceil(len(prepared.train) / values["batch_size"])
    return Start(network, optimizer_from_values(values, steps_per_epoch=steps), int(values["batch_size"]), limits)


def _layers(values: Mapping[str, Any]) -> range:
    return range(1, int(values["layers"]) + 1)


def _check_parts(given: Mapping[str, Any], optimizer: str) -> None:
    """Refuse what plays no part with the optimizer."""
    users = {"momentum": ("sgd",), "nesterov": ("sgd",), "rho": ("rmsprop",), "beta_1": ("adam", "adamw")}
    users["beta_2"] = users["beta_1"]
    for name, optimizers in users.items():
        if name in given and optimizer not in optimizers:
            raise UserError(
                f"--set: {name} plays no part with optimizer={optimizer}; it is for {' and '.join(optimizers)}."
            )


def _value(name: str, text: str) -> Any:
    if name == "units":
        return [_one(name, part) for part in text.split(",")]
    return _one(name, text)


def _one(name: str, text: str) -> Any:
    known = KNOWN[name]
    candidates: list[Any] = [text, {"true": True, "false": False}.get(text.lower())]
    for kind in (int, float):
        try:
            candidates.append(kind(text))
        except ValueError:
            continue
    found = next((value for value in candidates if value is not None and known.admits(value)), None)
    if found is None:
        raise UserError(f"--set: {name}={text} was given; allowed are {known.allowed}.")
    return found


def winner_of(run: Path) -> tuple[RunFolder, dict[str, Any]]:
    """Return a search's folder and the values of its best trial.

    Raises:
        UserError: if it is no search, or no trial has completed.
    """
    folder = RunFolder.open(run)
    space = folder.parse(lambda record: SearchSpace.from_json(record["space"]))
    objective = folder.parse(lambda record: str(record["plan"]["objective"]))
    found = leaders(read_trials(run, space), objective)
    if not found:
        raise UserError(f"--from: no trial of {str(run)!r} has completed, so there is no winner to begin from.")
    if "blocks" in found[0].values:
        raise UserError(
            f"--from: {str(run)!r} searched convolutional networks; only fully connected ones are babysat. Give a run"
            " without --network conv, or leave --from out."
        )
    return folder, dict(found[0].values)
