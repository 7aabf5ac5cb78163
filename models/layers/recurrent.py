# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Recurrent layers: LSTM, GRU, and both directions at once."""

import contextlib
import contextvars

import tensorflow as tf

from yt8m.models.layers import masking
from yt8m.models.layers import recurrent_kernels

keras = tf.keras

_portable = contextvars.ContextVar("portable", default=False)


@contextlib.contextmanager
def portable():
  """Within it, what this thread traces runs on every device: no layer uses cuDNN.

  For an export from a machine with a GPU, and there for `jit_compile` too, as XLA
  knows no cuDNN.
  """
  token = _portable.set(True)
  try:
    yield
  finally:
    _portable.reset(token)


def has_gpu():
  return bool(tf.config.list_physical_devices("GPU"))


class RecurrentLayer(keras.layers.Layer):
  """A recurrence over the valid frames of each video; the base of the layers below.

      s_t = f(x_t, s_{t−1}),   s_0 = 0,   t = 1, …, num_frames

  A subclass defines `recurrence`. If cuDNN knows it, it also has in `self.rnn` the
  layer of Keras that holds the weights, which runs instead where there is a GPU.

  Args:
    units: H, size of the state.
    reverse: read the valid frames from the last to the first.

  Call arguments:
    x: (batch_size, num_frames, dim).
    frame_mask: (batch_size, num_frames), bool; False from some frame on: padding is at
      the end. The state stands still over padded frames. None: all are valid.

  Returns:
    `(outputs, states)`: h_t at its frame t whichever the direction, (batch_size,
    num_frames, units), 0 at padded frames; and the tuple of states after the last
    frame read, each (batch_size, units), 0 for a row without frames.
  """

  def __init__(self, units, reverse=False, **kwargs):
    super().__init__(**kwargs)
    self.units, self.reverse = units, reverse

  def build(self, input_shape):
    self.rnn.build((None, None, input_shape[-1]))
    self.built = True

  def call(self, x, frame_mask=None):
    x = masking.zero_padding(x, frame_mask)
    if self.reverse:
      x = masking.reverse(x, frame_mask)
    if self.cudnn_fits() and has_gpu() and not _portable.get():
      outputs, states = self._by_cudnn(x, frame_mask)
    else:
      # Padding is at the end: what the loop does there is read by nobody.
      sequences = [tf.cast(s, self.compute_dtype) for s in self.recurrence(x)]
      outputs = masking.zero_padding(sequences[0], frame_mask)
      states = tuple(masking.last_valid(s, frame_mask) for s in sequences)
    if self.reverse:
      outputs = masking.reverse(outputs, frame_mask)
    return outputs, states

  def recurrence(self, x):
    """The states at every frame, h first.

    Args:
      x: (batch_size, num_frames, dim), zeros at padded frames, in the order of reading.

    Returns:
      A sequence of (batch_size, num_frames, units) tensors in float32; anything at
      padded frames.
    """
    # A base class: each cell is a recurrence of its own.
    raise NotImplementedError(f"{type(self).__name__} must define recurrence.")

  def cudnn_fits(self):
    """Whether cuDNN knows this recurrence."""
    return True

  def _by_cudnn(self, x, frame_mask):
    if frame_mask is None:
      outputs, *states = self.rnn(x)
      return outputs, tuple(states)
    # cuDNN refuses rows without frames: it gets one frame, of zeros, unread below.
    first = tf.range(tf.shape(x)[1]) == 0
    outputs, *states = self.rnn(x, mask=frame_mask | first)
    filled = tf.reduce_any(frame_mask, axis=1, keepdims=True)
    return (masking.zero_padding(outputs, frame_mask),
            tuple(tf.where(filled, s, tf.zeros_like(s)) for s in states))

  def get_config(self):
    return {**super().get_config(), "units": self.units, "reverse": self.reverse}


@keras.utils.register_keras_serializable(package="yt8m")
class LstmLayer(RecurrentLayer):
  """Long short-term memory.

      z = W x_t + R h_{t−1} + b, split into i, f, c̃, o
      c_t = σ(f) c_{t−1} + σ(i) tanh(c̃)
      h_t = σ(o) tanh(c_t)

  Weights are those of `keras.layers.LSTM`: kernel (dim, 4 units), recurrent kernel
  (units, 4 units), bias (4 units), its forget part starting at 1. States are (h, c).

  Arguments and shapes: see `RecurrentLayer`.

  Reference: Hochreiter & Schmidhuber 1997; Gers et al. 2000 (the forget gate).
  """

  def __init__(self, units, reverse=False, **kwargs):
    super().__init__(units, reverse, **kwargs)
    self.rnn = keras.layers.LSTM(units, return_sequences=True, return_state=True,
                                 name="rnn")

  def recurrence(self, x):
    kernel, recurrent, bias = float32_weights(self.rnn.cell)
    z = tf.tensordot(tf.cast(x, tf.float32), kernel, 1) + bias
    return recurrent_kernels.lstm(z, recurrent)


@keras.utils.register_keras_serializable(package="yt8m")
class GruLayer(RecurrentLayer):
  """Gated recurrent unit.

      z, r = σ(W x_t + R h_{t−1} + b), split in two
      h̃_t = tanh(W_h x_t + r ⊙ (R_h h_{t−1} + d_h) + b_h)     reset after, as cuDNN
      h̃_t = tanh(W_h x_t + R_h (r ⊙ h_{t−1}) + b_h)           reset before
      h_t = z h_{t−1} + (1 − z) h̃_t

  Weights are those of `keras.layers.GRU`, in the order z, r, h; bias (2, 3 units) if
  reset after, else (3 units). States are (h,).

  Args:
    units, reverse: see `RecurrentLayer`, as shapes.
    reset_after: where the reset gate acts. Before, as in the paper, is slower, and
      unknown to cuDNN.

  Reference: Cho et al. 2014 (arXiv:1406.1078), equations 5-8 (reset before).
  """

  def __init__(self, units, reverse=False, reset_after=True, **kwargs):
    super().__init__(units, reverse, **kwargs)
    self.reset_after = reset_after
    self.rnn = keras.layers.GRU(units, reset_after=reset_after, return_sequences=True,
                                return_state=True, name="rnn")

  def cudnn_fits(self):
    return self.reset_after

  def recurrence(self, x):
    kernel, recurrent, bias = float32_weights(self.rnn.cell)
    biases = tf.unstack(bias) if self.reset_after else [bias]
    z = tf.tensordot(tf.cast(x, tf.float32), kernel, 1) + biases[0]
    if self.reset_after:
      return [recurrent_kernels.gru_reset_after(z, recurrent, biases[1])]
    return [recurrent_kernels.gru_reset_before(z, recurrent)]

  def get_config(self):
    return {**super().get_config(), "reset_after": self.reset_after}


@keras.utils.register_keras_serializable(package="yt8m")
class LayerNormLstmLayer(RecurrentLayer):
  """LSTM whose two projections and whose cell are normalised.

      z = LN(W x_t) + LN(R h_{t−1}) + b, split into i, f, c̃, o
      c_t = LN(σ(f) c_{t−1} + σ(i) tanh(c̃))
      h_t = σ(o) tanh(c_t)

  Each LN has a scale and an offset of its own and runs over all values of its vector:
  over 4 units, the four gates together, in the first two. The cell handed to the next
  frame is the normalised one.

  Arguments, shapes and states: see `RecurrentLayer` and `LstmLayer`; further

  Args:
    epsilon: added to the variances.
    recurrent_activation: σ, a name or a function of Keras.

  Reference: Ba et al. 2016 (arXiv:1607.06450), equations 20-22, with the cell
  normalised as in TensorFlow Addons' `LayerNormLSTMCell`.
  """

  def __init__(self, units, reverse=False, epsilon=1e-3, recurrent_activation="sigmoid",
               **kwargs):
    super().__init__(units, reverse, **kwargs)
    self.epsilon = epsilon
    self.cell = keras.layers.LSTMCell(
        units, recurrent_activation=recurrent_activation, name="cell")
    self.kernel_norm = self._norm("kernel_norm")
    self.recurrent_norm = self._norm("recurrent_norm")
    self.state_norm = self._norm("state_norm")

  def _norm(self, name):
    return keras.layers.LayerNormalization(
        epsilon=self.epsilon, dtype="float32", name=name)

  def build(self, input_shape):
    self.cell.build((None, input_shape[-1]))
    self.kernel_norm.build((None, None, 4 * self.units))
    self.recurrent_norm.build((None, 4 * self.units))
    self.state_norm.build((None, self.units))
    self.built = True

  def cudnn_fits(self):
    return False

  def recurrence(self, x):
    kernel, recurrent_kernel, bias = float32_weights(self.cell)
    z = self.kernel_norm(tf.tensordot(tf.cast(x, tf.float32), kernel, 1)) + bias
    frames = tf.transpose(z, [1, 0, 2])
    zeros = tf.zeros_like(frames[0, :, :self.units])
    states = tf.scan(lambda state, z_t: self.step(state, z_t, recurrent_kernel),
                     frames, (zeros, zeros))
    return [tf.transpose(s, [1, 0, 2]) for s in states]

  def step(self, state, z, recurrent_kernel):
    """One frame: (h, c) before it and `LN(W x) + b` to (h, c) after it."""
    h, c = state
    sigmoid = self.cell.recurrent_activation
    z += self.recurrent_norm(tf.matmul(h, recurrent_kernel))
    i, f, g, o = tf.split(z, 4, axis=-1)
    c = self.state_norm(sigmoid(f) * c + sigmoid(i) * tf.tanh(g))
    return sigmoid(o) * tf.tanh(c), c

  def get_config(self):
    return {**super().get_config(), "epsilon": self.epsilon,
            "recurrent_activation": keras.activations.serialize(
                self.cell.recurrent_activation)}


def float32_weights(cell):
  """Kernel, recurrent kernel and bias of a cell, as what the kernels here compute in.

  They compute in float32 whatever the policy: rounding would add up over the frames,
  and few CPUs have instructions for less.
  """
  return [tf.cast(weight, tf.float32)
          for weight in (cell.kernel, cell.recurrent_kernel, cell.bias)]


CELLS = {"lstm": LstmLayer, "gru": GruLayer}


@keras.utils.register_keras_serializable(package="yt8m")
class Bidirectional(keras.layers.Layer):
  """Reads the frames in both directions.

      y_t = [h→_t ; h←_t]

  Args:
    units: H, a direction.
    cell: `"lstm"` or `"gru"`.

  Call arguments:
    x: (batch_size, num_frames, dim).
    frame_mask: (batch_size, num_frames), bool; see `RecurrentLayer`.

  Returns:
    `(outputs, states)`: (batch_size, num_frames, 2 units), 0 at padded frames; and the
    states of the forward direction followed by those of the backward one.

  Reference: Schuster & Paliwal 1997.
  """

  def __init__(self, units, cell="lstm", **kwargs):
    super().__init__(**kwargs)
    if cell not in CELLS:
      raise ValueError(f"Unknown cell {cell!r}. Valid: {', '.join(CELLS)}.")
    self.units, self.cell = units, cell
    self.forward = CELLS[cell](units, name="forward")
    self.backward = CELLS[cell](units, reverse=True, name="backward")

  def build(self, input_shape):
    self.forward.build(input_shape)
    self.backward.build(input_shape)
    self.built = True

  def call(self, x, frame_mask=None):
    forward, forward_states = self.forward(x, frame_mask=frame_mask)
    backward, backward_states = self.backward(x, frame_mask=frame_mask)
    return tf.concat([forward, backward], axis=-1), forward_states + backward_states

  def get_config(self):
    return {**super().get_config(), "units": self.units, "cell": self.cell}
