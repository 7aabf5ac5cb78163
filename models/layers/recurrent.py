# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Recurrent layers: LSTM, GRU, and both directions at once."""

import abc
import contextlib
import contextvars
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from yt8m.core import registry
from yt8m.models.layers import base
from yt8m.models.layers import masking
from yt8m.models.layers import recurrent_kernels

keras = tf.keras

_portable = contextvars.ContextVar("portable", default=False)


@contextlib.contextmanager
def portable() -> Iterator[None]:
  """Makes layers avoid cuDNN, so that graphs traced meanwhile run on every device.

  An export from a machine with a GPU needs this, and so does `jit_compile` there, since
  XLA does not support cuDNN. Only the current thread is affected.
  """
  token = _portable.set(True)
  try:
    yield
  finally:
    _portable.reset(token)


def has_gpu() -> bool:
  """Returns whether TensorFlow sees a GPU."""
  return bool(tf.config.list_physical_devices("GPU"))


class RecurrentLayer(base.Layer):
  """Base of the recurrences over the valid frames of each video.

      s_t = f(x_t, s_{t−1}),   s_0 = 0,   t = 1, …, num_frames

  A subclass defines `recurrence`. If cuDNN supports its recurrence, the subclass sets
  `cudnn_fits`, and `rnn` to the Keras layer that holds the weights. That layer runs in
  place of `recurrence` where there is a GPU.

  Args:
    units: Size of the state, H.
    reverse: Whether the valid frames are read from the last to the first.

  Call arguments:
    x: (batch_size, num_frames, dim).
    frame_mask: (batch_size, num_frames), bool; None means that all frames are valid.
      Padding must come after the valid frames. It does not change the state.

  Returns:
    `(outputs, states)`. The outputs, (batch_size, num_frames, units), hold h_t at
    frame t in both directions, and 0 at padded frames. The states are the tuple of the
    states after the last frame that is read, (batch_size, units) each, and 0 for a
    video without frames.
  """

  rnn: Any
  cudnn_fits = True

  def __init__(self, units: int, reverse: bool = False, **kwargs: Any):
    super().__init__(**kwargs)
    self.units, self.reverse = units, reverse

  def build(self, input_shape: Any) -> None:
    self.rnn.build((None, None, input_shape[-1]))

  def call(self, x: tf.Tensor, frame_mask: tf.Tensor | None = None
           ) -> tuple[tf.Tensor, tuple[tf.Tensor, ...]]:
    x = masking.zero_padding(x, frame_mask)
    if self.reverse:
      x = masking.reverse(x, frame_mask)
    if self.cudnn_fits and has_gpu() and not _portable.get():
      outputs, states = self._by_cudnn(x, frame_mask)
    else:
      # Padding is at the end, so the states computed there are never read.
      sequences = [tf.cast(s, self.compute_dtype) for s in self.recurrence(x)]
      outputs = masking.zero_padding(sequences[0], frame_mask)
      states = tuple(masking.last_valid(s, frame_mask) for s in sequences)
    if self.reverse:
      outputs = masking.reverse(outputs, frame_mask)
    return outputs, states

  @abc.abstractmethod
  def recurrence(self, x: tf.Tensor) -> Sequence[tf.Tensor]:
    """Returns the states at every frame, h first.

    Args:
      x: (batch_size, num_frames, dim), in the order of reading, 0 at padded frames.

    Returns:
      (batch_size, num_frames, units) tensors in float32, with any values at padded
      frames.
    """

  def _by_cudnn(self, x: tf.Tensor, frame_mask: tf.Tensor | None
                ) -> tuple[tf.Tensor, tuple[tf.Tensor, ...]]:
    if frame_mask is None:
      outputs, *states = self.rnn(x)
      return outputs, tuple(states)
    # cuDNN rejects rows without frames. They get one frame of zeros, masked below.
    first = tf.range(tf.shape(x)[1]) == 0
    outputs, *states = self.rnn(x, mask=frame_mask | first)
    filled = tf.reduce_any(frame_mask, axis=1, keepdims=True)
    return (masking.zero_padding(outputs, frame_mask),
            tuple(tf.where(filled, s, tf.zeros_like(s)) for s in states))


class LstmLayer(RecurrentLayer):
  """Long short-term memory.

      z = W x_t + R h_{t−1} + b, split into i, f, c̃, o
      c_t = σ(f) c_{t−1} + σ(i) tanh(c̃)
      h_t = σ(o) tanh(c_t)

  The weights are those of `keras.layers.LSTM`: kernel (dim, 4 units), recurrent kernel
  (units, 4 units) and bias (4 units), whose forget part starts at 1. The states are
  (h, c). `RecurrentLayer` describes arguments and shapes.

  Reference: Hochreiter & Schmidhuber 1997; Gers et al. 2000 (the forget gate).
  """

  def __init__(self, units: int, reverse: bool = False, **kwargs: Any):
    super().__init__(units, reverse, **kwargs)
    self.rnn = keras.layers.LSTM(units, return_sequences=True, return_state=True,
                                 name="rnn")

  def recurrence(self, x: tf.Tensor) -> Sequence[tf.Tensor]:
    kernel, recurrent, bias = _float32_weights(self.rnn.cell)
    z = tf.tensordot(tf.cast(x, tf.float32), kernel, 1) + bias
    return recurrent_kernels.lstm(z, recurrent)


class GruLayer(RecurrentLayer):
  """Gated recurrent unit.

      z, r = σ(W x_t + R h_{t−1} + b), split in two
      h̃_t = tanh(W_h x_t + r ⊙ (R_h h_{t−1} + d_h) + b_h)     reset after, as in cuDNN
      h̃_t = tanh(W_h x_t + R_h (r ⊙ h_{t−1}) + b_h)           reset before
      h_t = z h_{t−1} + (1 − z) h̃_t

  The weights are those of `keras.layers.GRU`, in the order z, r, h. The bias has shape
  (2, 3 units) with reset after, (3 units) with reset before. The states are (h,).
  `RecurrentLayer` describes shapes and the other arguments.

  Args:
    reset_after: Whether the reset gate acts after the product with R. Before, as in the
      paper, is slower and not supported by cuDNN.

  Reference: Cho et al. 2014 (arXiv:1406.1078), equations 5–8 (reset before).
  """

  def __init__(self, units: int, reverse: bool = False, reset_after: bool = True,
               **kwargs: Any):
    super().__init__(units, reverse, **kwargs)
    self.reset_after = self.cudnn_fits = reset_after
    self.rnn = keras.layers.GRU(units, reset_after=reset_after, return_sequences=True,
                                return_state=True, name="rnn")

  def recurrence(self, x: tf.Tensor) -> Sequence[tf.Tensor]:
    kernel, recurrent, bias = _float32_weights(self.rnn.cell)
    biases = tf.unstack(bias) if self.reset_after else [bias]
    z = tf.tensordot(tf.cast(x, tf.float32), kernel, 1) + biases[0]
    if self.reset_after:
      return [recurrent_kernels.gru_reset_after(z, recurrent, biases[1])]
    return [recurrent_kernels.gru_reset_before(z, recurrent)]


class LayerNormLstmLayer(RecurrentLayer):
  """LSTM that normalises both projections and the cell.

      z = LN(W x_t) + LN(R h_{t−1}) + b, split into i, f, c̃, o
      c_t = LN(σ(f) c_{t−1} + σ(i) tanh(c̃))
      h_t = σ(o) tanh(c_t)

  Each LN has its own scale and offset and normalises over all values of its vector. In
  the first two these are the 4 units of the four gates together. The next frame starts
  from the normalised cell. `RecurrentLayer` and `LstmLayer` describe shapes, states and
  the other arguments.

  Args:
    epsilon: Constant added to the variances.

  Reference: Ba et al. 2016 (arXiv:1607.06450), equations 20–22, with the cell
  normalised as in `LayerNormLSTMCell` of TensorFlow Addons.
  """

  cudnn_fits = False

  def __init__(self, units: int, reverse: bool = False, epsilon: float = 1e-3,
               **kwargs: Any):
    super().__init__(units, reverse, **kwargs)
    self.epsilon = epsilon
    self.cell = keras.layers.LSTMCell(units, name="cell")
    self.kernel_norm, self.recurrent_norm, self.state_norm = [
        keras.layers.LayerNormalization(epsilon=epsilon, dtype="float32", name=name)
        for name in ("kernel_norm", "recurrent_norm", "state_norm")]

  def build(self, input_shape: Any) -> None:
    self.cell.build((None, input_shape[-1]))
    self.kernel_norm.build((None, None, 4 * self.units))
    self.recurrent_norm.build((None, 4 * self.units))
    self.state_norm.build((None, self.units))

  def recurrence(self, x: tf.Tensor) -> Sequence[tf.Tensor]:
    kernel, recurrent, bias = _float32_weights(self.cell)
    z = self.kernel_norm(tf.tensordot(tf.cast(x, tf.float32), kernel, 1)) + bias
    frames = tf.transpose(z, [1, 0, 2])
    zeros = tf.zeros_like(frames[0, :, :self.units])
    states = tf.scan(lambda state, z_t: self.step(state, z_t, recurrent),
                     frames, (zeros, zeros))
    return [tf.transpose(s, [1, 0, 2]) for s in states]

  def step(self, state: tuple[tf.Tensor, tf.Tensor], z: tf.Tensor, recurrent: tf.Tensor
           ) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the state (h, c) after a frame, given the one before and `LN(W x) + b`."""
    h, c = state
    sigmoid = self.cell.recurrent_activation
    z += self.recurrent_norm(tf.matmul(h, recurrent))
    i, f, g, o = tf.split(z, 4, axis=-1)
    c = self.state_norm(sigmoid(f) * c + sigmoid(i) * tf.tanh(g))
    return sigmoid(o) * tf.tanh(c), c


def _float32_weights(cell: Any) -> list[tf.Tensor]:
  """Returns kernel, recurrent kernel and bias of a Keras cell in float32.

  The recurrences compute in float32 under every policy. Rounding errors would add up
  over the frames, and few CPUs have half-precision instructions.
  """
  return [tf.cast(weight, tf.float32)
          for weight in (cell.kernel, cell.recurrent_kernel, cell.bias)]


CELLS = {"lstm": LstmLayer, "gru": GruLayer}


class Bidirectional(base.Layer):
  """Reads the frames in both directions.

      y_t = [h→_t ; h←_t]

  Args:
    units: Size of the state of each direction, H.
    cell: Recurrence of both directions, `"lstm"` or `"gru"`.

  Call arguments:
    x: (batch_size, num_frames, dim).
    frame_mask: (batch_size, num_frames), bool, as in `RecurrentLayer`.

  Returns:
    `(outputs, states)`: (batch_size, num_frames, 2 units), 0 at padded frames, and the
    states of the forward direction followed by those of the backward direction.

  Raises:
    ValueError: `cell` is unknown.

  Reference: Schuster & Paliwal 1997.
  """

  def __init__(self, units: int, cell: str = "lstm", **kwargs: Any):
    super().__init__(**kwargs)
    if cell not in CELLS:
      raise registry.unknown("cell", cell, CELLS)
    self.units, self.cell = units, cell
    self.forward = CELLS[cell](units, name="forward")
    self.backward = CELLS[cell](units, reverse=True, name="backward")

  def build(self, input_shape: Any) -> None:
    self.forward.build(input_shape)
    self.backward.build(input_shape)

  def call(self, x: tf.Tensor, frame_mask: tf.Tensor | None = None
           ) -> tuple[tf.Tensor, tuple[tf.Tensor, ...]]:
    forward, forward_states = self.forward(x, frame_mask=frame_mask)
    backward, backward_states = self.backward(x, frame_mask=frame_mask)
    return tf.concat([forward, backward], axis=-1), forward_states + backward_states
