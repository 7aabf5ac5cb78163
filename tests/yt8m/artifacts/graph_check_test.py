# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""A SavedModel whose graph could do more than compute is refused before it is loaded."""

import os
import pickle

import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from tests.helpers import serving
from yt8m.artifacts import graph_check
from yt8m.artifacts import saved_model
from yt8m.core import registry


def write(function, directory):
  """Saves a module whose only signature is `function` of a string."""
  module = tf.Module()
  # A variable, so that the saver has something to do.
  module.weight = tf.Variable(1.0)
  module.function = tf.function(
      function, input_signature=[tf.TensorSpec([], tf.string)])
  tf.saved_model.save(module, str(directory), module.function)
  return saved_model.SavedModel(str(directory))


def writes_file(x):
  tf.io.write_file(x, "owned")
  return tf.identity(x)


def prints_to_file(x):
  tf.print(x, output_stream="file:///tmp/owned")
  return tf.identity(x)


def saves(x):
  tf.raw_ops.SaveV2(prefix=x, tensor_names=["a"], shape_and_slices=[""], tensors=[x])
  return tf.identity(x)


def fills_table(x):
  table = tf.raw_ops.HashTableV2(key_dtype=tf.string, value_dtype=tf.int64)
  tf.raw_ops.InitializeTableFromTextFileV2(
      table_handle=table, filename=x, key_index=-2, value_index=-1)
  return tf.identity(x)


HOSTILE = {
    "ReadFile": tf.io.read_file,
    "WriteFile": writes_file,
    "MatchingFiles": tf.io.matching_files,
    "PyFunc": lambda x: tf.numpy_function(lambda y: y, [x], tf.string),
    "EagerPyFunc": lambda x: tf.py_function(lambda y: y, [x], tf.string),
    "PrintV2": prints_to_file,
    "SaveV2": saves,
    "RestoreV2": lambda x: tf.raw_ops.RestoreV2(
        prefix=x, tensor_names=["a"], shape_and_slices=[""], dtypes=[tf.string])[0],
    "ImmutableConst": lambda x: tf.raw_ops.ImmutableConst(
        dtype=tf.uint8, shape=[8], memory_region_name="/etc/hostname"),
    "TextLineDataset": lambda x: tf.data.TextLineDataset(x).reduce(
        tf.constant(""), lambda a, b: a + b),
    "InitializeTableFromTextFileV2": fills_table,
}


@pytest.mark.parametrize("op", HOSTILE)
def test_the_operation_is_named_and_the_model_is_not_loaded(op, tmp_path, monkeypatch):
  model = write(HOSTILE[op], tmp_path / "model")
  monkeypatch.setattr(tf.saved_model, "load", lambda directory: "loaded")
  with pytest.raises(ValueError, match=f"refused: its graph holds .*{op}") as error:
    model.load()
  allow = str(error.value).rpartition("--allow_code=")[2].split()[0].split(",")
  assert op in allow
  with registry.allow_code(allow):
    assert saved_model.SavedModel(model.directory).load() == "loaded"
    # A process of the same run may load it too.
    sent = pickle.loads(pickle.dumps(saved_model.SavedModel(model.directory)))
  assert sent.load() == "loaded"


def test_our_models_and_harmless_ones_are_loaded(tmp_path):
  serving.save("aggregation-lstm", tmp_path / "ours")
  assert saved_model.SavedModel(str(tmp_path / "ours")).load().signatures
  table = tf.lookup.StaticHashTable(
      tf.lookup.KeyValueTensorInitializer(["a"], [1]), -1)

  def computes(x):
    n = tf.while_loop(lambda i: i < 3, lambda i: i + table.lookup(x), [0])[0]
    return tf.cond(n > 2, lambda: tf.random.uniform([]), lambda: 0.0)

  module = tf.Module()
  module.table = table
  module.function = tf.function(
      computes, input_signature=[tf.TensorSpec([], tf.string)])
  tf.saved_model.save(module, str(tmp_path / "others"), module.function)
  assert saved_model.SavedModel(str(tmp_path / "others")).load().signatures


def change(model, edit):
  path = f"{model.directory}/saved_model.pb"
  with open(path, "rb") as file:
    content = saved_model_pb2.SavedModel.FromString(file.read())
  edit(content)
  with open(path, "wb") as file:
    file.write(content.SerializeToString())


def by_call(graph, called, saver):
  node = called.node_def.add(name="hidden", op="StatefulPartitionedCall")
  node.attr["f"].func.name = saver


def by_nested_attribute(graph, called, saver):
  node = called.node_def.add(name="hidden", op="StatefulPartitionedCall")
  node.attr["f"].func.attr["g"].func.name = saver


def by_attribute_of_the_function(graph, called, saver):
  called.attr["backward_function_name"].s = saver.encode()


def by_gradient(graph, called, saver):
  graph.graph_def.library.gradient.add(function_name="f", gradient_func=saver)


def by_name(graph, called, saver):
  graph.object_graph_def.concrete_functions[saver].SetInParent()


def by_registered_gradient(graph, called, saver):
  graph.graph_def.library.registered_gradients.add(
      gradient_func=saver, registered_op_type="CustomGradient-1")


def by_initializer(graph, called, saver):
  """As TensorFlow loads it: what is no concrete function needs no signature."""
  nodes = graph.object_graph_def.nodes
  nodes[0].children.add(node_id=len(nodes), local_name="resource")
  resource = nodes.add()
  resource.resource.SetInParent()
  resource.children.add(node_id=len(nodes), local_name="_initialize")
  nodes.add().bare_concrete_function.concrete_function_name = saver


def by_common_interface(graph, called, saver):
  """TensorFlow's optimizer calls the one of two functions that its device prefers."""
  for function in graph.graph_def.library.function:
    if function.signature.name in (called.signature.name, saver):
      function.attr["api_implements"].s = b"same"
      function.attr["api_preferred_device"].s = (
          b"CPU" if function.signature.name == saver else b"GPU")


def test_a_function_is_there_once(tmp_path):
  """TensorFlow gives the second of two a name that may be that of another function."""
  model = write(tf.identity, tmp_path / "model")

  def repeat(content):
    functions = content.meta_graphs[0].graph_def.library.function
    functions.append(functions[0])

  change(model, repeat)
  with pytest.raises(ValueError, match="its graph has the function .* than once"):
    graph_check.check(model.directory)


def nul(graph, called):
  called.signature.name = "evil\0a"


def parameter(graph, called):
  called.signature.attr.add(name="g", type="func")


def attribute_of_an_argument(graph, called):
  called.arg_attr[0].attr["_foo"].func.name = "__inference_evil_9"


def attribute_of_a_function(graph, called):
  called.attr["_foo"].list.func.add(name="__inference_evil_9")


def placeholder(graph, called):
  called.node_def.add(name="x", op="PartitionedCall").attr["f"].placeholder = "g"


def nested_attribute(graph, called):
  function = called.node_def.add(name="x", op="PartitionedCall").attr["f"].func
  function.name = called.signature.name
  function.attr["g"].func.name = "__inference_evil_9"


def nested_attribute_of_a_list(graph, called):
  function = graph.graph_def.node.add(name="x", op="Case").attr["branches"].list.func.add(
      name=called.signature.name)
  function.attr["g"].placeholder = "h"


@pytest.mark.parametrize("edit", [
    nul, parameter, attribute_of_an_argument, attribute_of_a_function, placeholder,
    nested_attribute, nested_attribute_of_a_list])
def test_functions_are_named_where_the_check_sees_them(tmp_path, edit):
  """TensorFlow would call them by the name that they have once they are loaded."""
  model = write(tf.identity, tmp_path / "model")
  change(model, lambda content: edit(
      content.meta_graphs[0], content.meta_graphs[0].graph_def.library.function[0]))
  with pytest.raises(ValueError, match="names functions indirectly"):
    graph_check.check(model.directory)


@pytest.mark.parametrize("edit", [by_call, by_name])
def test_a_called_function_is_there(tmp_path, edit):
  model = write(tf.identity, tmp_path / "model")

  def call_nothing(content):
    graph = content.meta_graphs[0]
    edit(graph, graph.graph_def.library.function[0], "missing")

  change(model, call_nothing)
  with pytest.raises(ValueError, match="calls the function 'missing', which it does not"):
    graph_check.check(model.directory)


def by_loaded_name(graph, called, saver):
  """As TensorFlow names the function once it is loaded: the number can be guessed."""
  stem = saver.removeprefix("__inference_").rpartition("_")[0]
  called.attr["backward_function_name"].s = f"__inference_{stem}_12345".encode()


@pytest.mark.parametrize("edit", [
    by_loaded_name, by_call, by_nested_attribute, by_attribute_of_the_function,
    by_gradient, by_name, by_registered_gradient, by_initializer, by_common_interface])
def test_the_functions_of_the_saver_must_not_be_called(tmp_path, edit):
  model = write(tf.identity, tmp_path / "model")
  graph_check.check(model.directory)

  def call_saver(content):
    graph = content.meta_graphs[0]
    functions = {function.signature.name: function
                 for function in graph.graph_def.library.function}
    [saver] = [name for name in functions if "traced_save" in name]
    [called] = [f for name, f in functions.items() if "signature_wrapper" in name]
    edit(graph, called, saver)

  change(model, call_saver)
  with pytest.raises(ValueError, match="MergeV2Checkpoints, .*SaveV2, and could"):
    model.load()


def test_other_forms_of_a_graph_are_refused(tmp_path):
  model = write(tf.identity, tmp_path / "model")
  # A second graph: TensorFlow then loads them as version 1 did.
  change(model, lambda content: content.meta_graphs.add().CopyFrom(
      content.meta_graphs[0]))
  with pytest.raises(ValueError, match="holds MergeV2Checkpoints, RestoreV2, SaveV2"):
    model.load()
  model = write(tf.identity, tmp_path / "outside")
  change(model, lambda content: content.meta_graphs[0].asset_file_def.add(
      filename="../../secret"))
  with pytest.raises(ValueError, match="asset '../../secret' lies outside .* again"):
    model.load()
  (tmp_path / "outside" / "saved_model.cpb").touch()
  with pytest.raises(ValueError, match="has a saved_model.cpb"):
    model.load()
  (tmp_path / "outside" / "saved_model.cpb").unlink()
  (tmp_path / "outside" / "saved_model.pb").write_bytes(b"\xff")
  with pytest.raises(ValueError, match="saved_model.pb is not the graph of a SavedMode"):
    model.load()


def test_a_file_without_a_graph_is_refused(tmp_path):
  model = write(tf.identity, tmp_path / "model")
  change(model, lambda content: content.ClearField("meta_graphs"))
  with pytest.raises(ValueError, match="saved_model.pb holds no graph"):
    model.load()


def test_an_operation_that_is_not_known_is_refused(tmp_path):
  model = write(tf.identity, tmp_path / "model")
  change(model, lambda content: content.meta_graphs[0].graph_def.node.add(
      name="x", op="OpOfMyOwn"))
  with pytest.raises(ValueError, match="holds OpOfMyOwn, .*--allow_code=OpOfMyOwn"):
    model.load()


def test_a_pipe_is_not_waited_for(tmp_path):
  model = write(tf.identity, tmp_path / "model")
  (tmp_path / "model/variables/variables.index").unlink()
  os.mkfifo(tmp_path / "model/variables/variables.index")
  with pytest.raises(OSError, match="variables.index: it is a pipe"):
    model.load()


def test_a_model_without_signatures_is_named(tmp_path):
  model = write(tf.identity, tmp_path / "model")

  def forget(content):
    [graph] = content.meta_graphs
    children = graph.object_graph_def.nodes[0].children
    kept = [child for child in children if child.local_name != "signatures"]
    del children[:]
    children.extend(kept)

  change(model, forget)
  with pytest.raises(ValueError, match="has no signature predict_features"):
    model.load("predict_features")
