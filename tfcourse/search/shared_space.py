"""KerasTuner's hyperparameters, copied without being taken apart: each trial has a copy, and the space is the same."""

from __future__ import annotations

import json
from typing import Any, Self

import keras_tuner


class SharedSpace(keras_tuner.HyperParameters):
    """Hyperparameters whose copies share what describes each one, and how that is written down.

    A copy has its own values, and what is declared on it is its own. KerasTuner never changes a hyperparameter that is
    declared; its own copy writes each of them as a configuration and reads it again.

    >>> hp = SharedSpace.of(keras_tuner.HyperParameters())
    >>> _ = hp.Int("units", 8, 64)
    >>> copy = hp.copy()
    >>> copy.values["units"], _ = 9, copy.Float("rate", 0.0, 1.0)
    >>> hp.values, copy.space[0] is hp.space[0], copy.get_config()["values"]
    ({'units': 8}, True, {'units': 9, 'rate': 0.0})
    """

    def __init__(self) -> None:
        super().__init__()
        self._configs: dict[int, tuple[Any, dict[str, Any], str]] = {}

    @classmethod
    def of(cls, hp: keras_tuner.HyperParameters | None) -> Self:
        """Return hyperparameters as ones that share what they are; none are an empty space."""
        shared = cls()
        if hp is None:
            return shared
        for each in hp.space:
            shared._hps[each.name].append(each)
            shared._space.append(each)
        shared.values = dict(hp.values)
        return shared

    def copy(self) -> Self:
        """Return hyperparameters of the same space with values of their own."""
        copied = type(self).of(self)
        copied._configs = self._configs
        return copied

    def get_config(self) -> dict[str, Any]:
        """Return what KerasTuner's own returns; the configuration of a hyperparameter is made once."""
        return {"space": [config for _, config, _ in self._described()], "values": dict(self.values)}

    def to_json(self) -> str:
        """Return what ``get_config`` returns as JSON; a hyperparameter is written once.

        >>> hp = SharedSpace.of(keras_tuner.HyperParameters())
        >>> _ = hp.Int("units", 8, 64)
        >>> hp.to_json() == json.dumps(hp.get_config())
        True
        """
        space = ", ".join([text for _, _, text in self._described()])
        return f'{{"space": [{space}], "values": {json.dumps(self.values)}}}'

    def _described(self) -> list[tuple[Any, dict[str, Any], str]]:
        """Return each hyperparameter, its configuration and that as JSON."""
        if any(id(each) not in self._configs for each in self._space):
            for each, config in zip(self._space, super().get_config()["space"], strict=True):
                self._configs[id(each)] = each, config, json.dumps(config)
        return [self._configs[id(each)] for each in self._space]
