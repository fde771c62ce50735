"""All models of a server: which they are may change while it runs, by a reload request or by the
config file.
"""

from __future__ import annotations

import threading

from serving.errors import invalid, not_found, precondition, unknown
from serving.server.config_files import ModelConfig
from serving.server.models import AVAILABLE, Model
from serving.server.monitoring import Metrics


class Catalog:
    """name -> Model. options: of every `Model`; labels_ahead: new labels may point at versions that
    are not loaded yet.
    """

    def __init__(
        self, *, labels_ahead: bool = False, metrics: Metrics | None = None, **options
    ) -> None:
        self.models: dict[str, Model] = {}
        self.labels_ahead, self.metrics, self.options, self.turn = (
            labels_ahead,
            metrics or Metrics(),
            options,
            threading.Lock(),
        )

    @classmethod
    def of(cls, model: Model | Catalog) -> Catalog:
        """a catalog of one model that somebody else polls."""
        if isinstance(model, cls):
            return model
        made = cls()
        made.models = {model.name: model}
        return made

    def reload(self, configs: list[ModelConfig]) -> None:
        """replace the whole set; return when the new models serve. Models left out are unloaded,
        after the new ones are there.

        Raises FAILED_PRECONDITION for a label of a version that is not loaded (nothing is changed
        then), UNKNOWN for models that could not be loaded.
        """
        with self.turn:
            for config in configs:
                self.check_labels(config)
            before, fresh = self.models, []
            made = {}
            for config in configs:
                if config.name in before:
                    model = made[config.name] = before[config.name]
                    model.base, model.policy, model.labels = (
                        config.base,
                        config.policy,
                        dict(config.labels),
                    )
                else:
                    model = made[config.name] = Model(
                        config.name, config.base, config.policy, config.labels, **self.options
                    )
                    fresh.append(model)
            self.models = {**before, **made}  # new names can be asked for while others still load
            for model in made.values():
                model.poll()
            self.models = made
            for name in set(before) - set(made):
                before[name].unload_all()
        broken = [
            (model, model.failure()) for model in fresh if model.current is None and model.failure()
        ]
        if broken:
            words = ", ".join(
                f"{{name: {model.name} version: {failed[0]}}} due to error: {failed[1]}"
                for model, failed in broken
            )
            raise unknown(f"{len(broken)} model(s) did not become available: {{{words}}}")

    def check_labels(self, config: ModelConfig) -> None:
        model = self.models.get(config.name)
        for label, number in config.labels.items():
            loaded = model is not None and model.states.get(number, (0,))[0] == AVAILABLE
            in_use = model is not None and label in model.labels
            unmoved = in_use and model.labels[label] == number
            if not loaded and not (self.labels_ahead and (not in_use or unmoved)):
                raise precondition(
                    f"Request to assign label {label} to version {number} of model "
                    f"{config.name}, which is not currently available for inference"
                )

    def poll(self) -> None:
        for model in list(self.models.values()):
            model.poll()

    def model(self, name: str) -> Model | None:
        return self.models.get(name)

    def held(self, spec):
        """a context that keeps the version a ModelSpec names loaded. Raises INVALID_ARGUMENT,
        NOT_FOUND.
        """
        if not spec.name:
            raise invalid(
                "Missing ModelSpec" if not spec.ByteSize() else "ModelSpec has no name specified."
            )
        number = spec.version.value if spec.HasField("version") else None
        model = self.models.get(spec.name)
        if model is None:
            raise not_found(
                "Servable not found for request: "
                f"{f'Latest({spec.name})' if number is None else f'Specific({spec.name}, {number})'}"
            )
        return model.held(number, spec.version_label if spec.HasField("version_label") else None)

    def status(self, name: str, number: int | None = None) -> list[tuple[int, int, str]]:
        """(version, state, error text), newest first. Raises NOT_FOUND."""
        model = self.models.get(name)
        states = dict(model.states) if model else {}
        if not states:
            raise not_found(f"Could not find any versions of model {name}")
        if number is not None and number not in states:
            raise not_found(f"Could not find version {number} of model {name}")
        return [
            (key, *states[key]) for key in sorted(states, reverse=True) if number in (None, key)
        ]

    def ready(self) -> bool:
        """every model serves at least one version."""
        return bool(self.models) and all(model.current for model in self.models.values())

    def failure(self) -> str | None:
        """why a model that serves nothing does so: its load failed."""
        broken = [
            (model.name, model.failure())
            for model in self.models.values()
            if model.current is None and model.failure()
        ]
        return (
            None
            if not broken
            else "; ".join(f"{name} version {failed[0]}: {failed[1]}" for name, failed in broken)
        )
