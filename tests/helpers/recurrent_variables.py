# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Variables of TensorFlow 1's recurrent cells in the layout of Keras.

The cells have one kernel for `[x ; h]`. `lstm` and `gru` work on variables as well as on
gradients, because they only split and reorder.
"""

import numpy as np


def split_rows(kernel, units):
  """Splits `[W ; R]` into W and R."""
  return np.split(kernel, [kernel.shape[0] - units])


def lstm(cell):
  """`BasicLSTMCell`: gates i, c̃, f, o; Keras' order is i, f, c̃, o."""
  kernel, bias = [
      np.concatenate([i, f, c, o], axis=-1) for i, c, f, o in (
          np.split(cell[name], 4, axis=-1) for name in ("kernel", "bias"))]
  return [*split_rows(kernel, len(bias) // 4), bias]


def gru(cell):
  """`GRUCell`: gates r, u, and a separate candidate; Keras' order is z = u, r, h."""
  kernel, bias = [
      np.concatenate([u, r, cell[f"candidate/{name}"]], axis=-1) for (r, u), name in (
          (np.split(cell[f"gates/{name}"], 2, axis=-1), name)
          for name in ("kernel", "bias"))]
  return [*split_rows(kernel, len(bias) // 3), bias]


CELLS = {"basic_lstm_cell": lstm, "gru_cell": gru}


def stack(arrays):
  """Returns `{layer/part: array}` in Keras' layout, and the entries of no cell.

  Args:
    arrays: Mapping `{…cell_<layer>/<cell>/<name>: array, other name: array}`.
  """
  cells, others = {}, {}
  for name, array in arrays.items():
    if "/cell_" not in name:
      others[name] = array
      continue
    layer, kind, part = name.split("/cell_")[1].split("/", 2)
    cells.setdefault((int(layer), kind), {})[part] = array
  converted = {}
  for (layer, kind), cell in cells.items():
    for part, array in zip(("kernel", "recurrent", "bias"), CELLS[kind](cell),
                           strict=True):
      converted[f"{layer}/{part}"] = array
  return converted, others


def named(layers):
  """Maps the same names to the variables of our layers."""
  return {f"{n}/{part}": variable for n, layer in enumerate(layers)
          for part, variable in zip(("kernel", "recurrent", "bias"),
                                    layer.trainable_weights, strict=True)}
