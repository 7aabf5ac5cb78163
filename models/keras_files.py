# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""How Keras saves a model of this package, and loads it: `.keras` and weight files."""

from typing import Any

import numpy as np
import tensorflow as tf

from yt8m.core import compat
from yt8m.models.layers import variables


class KerasFiles:
  """Mixin that saves and loads a `VideoModel`.

  Keras restores weights by walking the layers, and skips layers without variables. A
  model that was never called therefore creates its variables first.
  """

  def get_build_config(self) -> dict[str, Any]:
    model: Any = self
    model.build_variables()
    # Layers of Keras have `trainable` in their configs; the parts of a model have none.
    frozen = [number for number, layer in enumerate(compat.all_layers(model))
              if not layer.trainable]
    return {"feature_spec": model.feature_spec.to_config(),
            "compute_dtype": model.input_features.compute_dtype,
            **({"frozen_layers": frozen} if frozen else {})}

  def build_from_config(self, config: dict[str, Any]) -> None:
    model: Any = self
    saved, own = config.get("compute_dtype"), model.input_features.compute_dtype
    if saved and saved != own:
      raise ValueError(
          f"The model was saved with {saved} computations, and would be loaded with "
          f"{own}, which gives other scores: before load_model, call "
          "keras.mixed_precision.set_global_policy("
          f"'{saved if saved == 'float32' else f'mixed_{saved}'}').")
    model.build_variables()
    if frozen := config.get("frozen_layers"):
      # Each layer sets those below it, which follow.
      for number, layer in enumerate(compat.all_layers(model)):
        layer.trainable = number not in frozen

  def save(self, *args: Any, **kwargs: Any) -> None:
    model: Any = self
    model.build_variables()
    keras_model: Any = super()
    keras_model.save(*args, **kwargs)

  def save_weights(self, *args: Any, **kwargs: Any) -> None:
    model: Any = self
    model.build_variables()
    keras_model: Any = super()
    keras_model.save_weights(*args, **kwargs)

  def load_weights(self, *args: Any, **kwargs: Any) -> Any:
    model: Any = self
    model.build_variables()
    keras_model: Any = super()
    return keras_model.load_weights(*args, **kwargs)

  # Keras does not save the states of random generators, such as those of dropout. Keras 3
  # counts them among the variables of a model.

  def save_own_variables(self, store: Any) -> None:
    keras_model: Any = super()
    keras_model.save_own_variables(store)
    for name, state in self._random_states().items():
      store[name] = state.numpy()

  def load_own_variables(self, store: Any) -> None:
    keras_model: Any = super()
    states = self._random_states()
    names = set(store.keys())  # Older files hold no states.
    keras_model.load_own_variables({name: store[name] for name in names - states.keys()})
    for name in names & states.keys():
      states[name].assign(np.array(store[name]))

  def _random_states(self) -> dict[str, tf.Variable]:
    states = variables.checkpoint_parts(self)["random_states"]
    return {f"random_state_{number}": state for number, state in enumerate(states)}
