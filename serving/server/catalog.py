"""Holds all models of a server: which they are may change while it runs, by a reload request or by
the config file.
"""

from __future__ import annotations

import threading
import time
from contextlib import AbstractContextManager

from serving.errors import invalid, not_found, precondition, unknown
from serving.server.config_files import ModelConfig
from serving.server.loading import Loading
from serving.server.models import (
    AS_IT_IS,
    AVAILABLE,
    END,
    START,
    Model,
    State,
    unrecognized,
)
from serving.server.monitoring import Metrics
from serving.server.session import Awaited, Version, always
from serving.wire.model_spec import ModelSpec

LOOK_SECONDS = 0.1  # between looks at new models that are tried again
MOST_REMOVED = 64  # models that were taken out and that status still names


class Catalog:
    """The models of a server. models: name -> Model. loading: how every `Model` is loaded;
    labels_ahead: whether new labels may point at versions that are not loaded yet.
    """

    def __init__(
        self,
        *,
        labels_ahead: bool = False,
        metrics: Metrics | None = None,
        loading: Loading = AS_IT_IS,
    ) -> None:
        self.models: dict[str, Model] = {}
        self.removed: dict[str, dict[int, State]] = {}
        self.labels_ahead = labels_ahead
        self.metrics = metrics or Metrics()
        self.loading = loading
        self.turn = threading.Lock()

    @classmethod
    def of(cls, model: Model | Catalog) -> Catalog:
        """Returns a catalog of one model that somebody else polls; a catalog is returned as it
        is.
        """
        if isinstance(model, Catalog):
            return model
        catalog = cls()
        catalog.models = {model.name: model}
        return catalog

    def reload(self, configs: list[ModelConfig], awaited: Awaited = always) -> None:
        """Replaces the whole set and returns when the new models serve, or once nobody awaits it.
        Models left out are unloaded, after the new ones are there or are to be tried again.

        Raises FAILED_PRECONDITION for a label of a version that is not loaded (nothing is changed
        then), UNKNOWN for models that could not be loaded.
        """
        with self.turn:
            for config in configs:
                self.check_labels(config)
            before = self.models
            models = {config.name: self._configured(config) for config in configs}
            # New names can be asked for while others still load.
            self.models = {**before, **models}
            for model in models.values():
                model.poll()
            self.models = models
            for name in before.keys() - models.keys():
                self._remove(before[name])
        new = [model for name, model in models.items() if name not in before]
        # outside the turn: what is tried again must not keep another reload from mending it
        while any(model.is_hopeful for model in new) and awaited():
            time.sleep(LOOK_SECONDS)
            for model in new:
                model.retry()
        check_loaded(new)

    def _configured(self, config: ModelConfig) -> Model:
        model = self.models.get(config.name)
        if model is None:
            return Model(config.name, config.base, config.policy, config.labels, self.loading)
        model.base = config.base
        model.policy = config.policy
        model.labels = dict(config.labels)
        return model

    def _remove(self, model: Model) -> None:
        """Unloads a model; its versions stay END in the status."""
        model.remove()
        ended: dict[int, State] = {
            number: state._replace(phase=END) for number, state in model.states.items()
        }
        # taken out and put in at the end: the oldest goes first below
        self.removed.pop(model.name, None)
        self.removed[model.name] = ended
        while len(self.removed) > MOST_REMOVED:
            self.removed.pop(next(iter(self.removed)))

    def check_labels(self, config: ModelConfig) -> None:
        """Raises FAILED_PRECONDITION for a label that may not point where it does."""
        model = self.models.get(config.name)
        states = model.states if model else {}
        labels = model.labels if model else {}
        for label, number in config.labels.items():
            is_loaded = states.get(number, State(START)).phase == AVAILABLE
            is_new = label not in labels
            is_unmoved = labels.get(label) == number
            if not is_loaded and not (self.labels_ahead and (is_new or is_unmoved)):
                raise precondition(
                    f"Request to assign label {label} to version {number} of model "
                    f"{config.name}, which is not currently available for inference"
                )

    def poll(self) -> None:
        """Polls every model's versions."""
        for model in list(self.models.values()):
            model.poll()

    def retry(self) -> None:
        """Retries the loads of every model that failed and are due to be tried again."""
        for model in list(self.models.values()):
            model.retry()

    def serves(self, name: str) -> bool:
        """Returns whether there is a model of that name."""
        return name in self.models

    def acquire(self, spec: ModelSpec | None) -> AbstractContextManager[Version]:
        """As a context, keeps the version loaded which a ModelSpec names. Raises INVALID_ARGUMENT,
        NOT_FOUND.
        """
        if spec is None:
            raise invalid("Missing ModelSpec")
        if not spec.name:
            raise invalid("ModelSpec has no name specified.")
        # without the lock: a reload replaces the dictionary, and changes none
        model = self.models.get(spec.name)
        if model is None:
            # as the original, which looks a label up before it looks for the model
            if spec.label is not None:
                raise unrecognized(spec.label)
            raise not_found(f"Servable not found for request: {spec.servable}")
        return model.acquire(spec)

    def status(self, name: str, number: int | None = None) -> list[tuple[int, State]]:
        """Returns (version, its state), newest first. Raises NOT_FOUND."""
        model = self.models.get(name)
        states = dict(model.states) if model else self.removed.get(name, {})
        if not states:
            raise not_found(f"Could not find any versions of model {name}")
        if number is not None and number not in states:
            raise not_found(f"Could not find version {number} of model {name}")
        numbers = sorted(states, reverse=True) if number is None else [number]
        return [(key, states[key]) for key in numbers]

    def ready(self) -> bool:
        """Returns whether every model serves at least one version; true where there is no model
        yet.
        """
        return all(model.current for model in self.models.values())

    def failure(self) -> str | None:
        """Returns why models that serve nothing do so, where their load failed; None otherwise."""
        broken = [failure_of(model) for model in self.models.values()]
        words = [f"{one[0]} version {one[1]}: {one[2]}" for one in broken if one]
        return "; ".join(words) or None


def failure_of(model: Model) -> tuple[str, int, str] | None:
    """Returns (name, version, error) of a model that serves nothing because it could not be loaded;
    None for others.
    """
    failure = model.failure()
    return (model.name, *failure) if failure and model.current is None else None


def check_loaded(models: list[Model]) -> None:
    """Raises UNKNOWN for models that could not be loaded."""
    broken = [failure for failure in map(failure_of, models) if failure]
    if broken:
        words = ", ".join(
            f"{{name: {name} version: {number}}} due to error: {error}"
            for name, number, error in broken
        )
        raise unknown(f"{len(broken)} model(s) did not become available: {{{words}}}")
