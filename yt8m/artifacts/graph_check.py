# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What the graph of a SavedModel may do: compute, and nothing else.

Loading a SavedModel and calling a signature runs the program in its graph, and that
program can read and write files, open connections or call Python. An operation with side
effects is therefore refused unless it is in a list of those that touch the model only. A
checkpoint is written and read by the functions that TensorFlow's saver added, and by no
others. `--allow_code=<operation>` on the command line allows an operation.
"""

import collections
import os
import re
from collections.abc import Iterator
from typing import Any

import tensorflow as tf
from google.protobuf import message
from tensorflow.core.protobuf import meta_graph_pb2
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow.python.framework import op_def_registry

from yt8m.core import files
from yt8m.core import registry

GRAPH = "saved_model.pb"
# Another form of the graph, which TensorFlow prefers to saved_model.pb.
_CHUNKED = "saved_model.cpb"

# Operations with state that touch only variables, tables and random numbers of the model,
# or that call functions of the graph, which are checked themselves.
_HARMLESS = re.compile(
    r"(Stateful)?PartitionedCall|If|While|Case|Assert|CheckNumerics(V2)?|_Arg|_Retval|"
    r"Variable(V2|Shape)?|VarHandleOp|VarIsInitializedOp|_?ReadVariables?Op|"
    r"Assign(Add|Sub)?VariableOp|DisableCopyOnRead|GuaranteeConst|Empty|"
    r"Resource(Gather|GatherNd|Scatter\w+|StridedSliceAssign)|"
    r"(Anonymous|Mutable|MutableDense)*HashTable(OfTensors)?(V2)?|InitializeTableV2|"
    r"LookupTable(Find|Import|Insert|Remove|Export|Size)V2|"
    r"TensorArray\w*V3|TensorArrayGradWithShape|Stack(Push|Pop|Close)?V2|CudnnRNN\w*|"
    r"Random(Uniform|UniformInt|StandardNormal|Shuffle|Crop|Gamma|Poisson|PoissonV2)|"
    r"(Parameterized)?TruncatedNormal|Multinomial|NonDeterministicInts|"
    r"Rng(Skip|ReadAndSkip)|StatelessRandomGetAlg|"
    r"Stateful(Uniform|StandardNormal|TruncatedNormal|RandomBinomial)\w*")
# Operations without state, as TensorFlow sees it, that still read files, call Python, run
# another program or end the process.
_HARMFUL = re.compile(
    r"ReadFile|MatchingFiles|ImmutableConst|GenerateVocabRemapping|"
    r"InitializeTableFromTextFile|DecodeProto\w*|EncodeProto|Debug\w+|Copy(Host)?|Abort|"
    r"PyFunc\w*|SymbolicGradient|Xla\w+|Mlir\w+|TPU\w+|Tpu\w+|DTensor\w+|\w*Dataset\w*|"
    r"Reader\w+|Queue\w+|Infeed\w+|CustomAggregator")
# Names of functions. TensorFlow takes a NUL for the end of a name.
_FUNCTION_NAME = re.compile(r"[\w./<>-]+")
# TensorFlow loads a function as __inference_<stem>_<number>, with another number.
_STEM = re.compile(r"^__inference_(.*)_\d+$")
# Operations that write and read checkpoints.
_SAVER = re.compile(r"(Save|Restore)(V2|Slices?)?|MergeV2Checkpoints")


def check(directory: str) -> None:
  """Refuses a SavedModel that could do more than compute, before it is loaded.

  Args:
    directory: Path of the SavedModel, `gs://…` included.

  Raises:
    ValueError: Its graph holds an operation that is refused, or cannot be read, or an
      asset lies outside the directory.
  """
  if tf.io.gfile.exists(os.path.join(directory, _CHUNKED)):
    raise ValueError(f"{directory} has a {_CHUNKED}, which is not checked and not read: "
                     "export the model again with yt8m-export.")
  path = os.path.join(directory, GRAPH)
  with files.open_to_read(path, "rb") as file:
    try:
      graphs = saved_model_pb2.SavedModel.FromString(file.read()).meta_graphs
    except (message.DecodeError, RecursionError) as error:
      raise ValueError(f"{path} is not the graph of a SavedModel ({error}): copy or "
                       "export the model again.") from error
  # TensorFlow decides in the same way how it loads the graph.
  in_version_1 = len(graphs) != 1 or not graphs[0].HasField("object_graph_def")
  if not graphs:
    raise ValueError(f"{path} holds no graph: copy or export the model again.")
  refused = sorted({op for graph in graphs for op in _refused(graph, in_version_1)}
                   - {*registry.allowed_code()})
  if refused:
    raise _refusal(path, refused)
  for graph in graphs:
    names = collections.Counter(
        function.signature.name for function in graph.graph_def.library.function)
    # TensorFlow renames what it loads twice, so that it takes the place of another one.
    if repeated := [name for name, count in names.items() if count > 1]:
      raise ValueError(f"{path} is refused: its graph has the function {repeated[0]!r} "
                       "more than once. Copy or export the model again.")
    if indirect := _indirect_function(graph):
      raise ValueError(f"{path} is refused: its graph names functions indirectly, in "
                       f"{indirect!r}. Copy or export the model again.")
    if missing := sorted(_called(graph) - names.keys()):
      raise ValueError(f"{path} is refused: its graph calls the function {missing[0]!r}, "
                       "which it does not have. Copy or export the model again.")
    for asset in graph.asset_file_def:
      if os.path.isabs(asset.filename) or ".." in asset.filename.split("/"):
        raise ValueError(f"{path} is refused: its asset {asset.filename!r} lies outside "
                         "the directory. Copy or export the model again.")


def read_frozen(path: str) -> Any:
  """Reads a graph whose weights are constants, if it can do no more than compute.

  Args:
    path: Path of a file with a `GraphDef`.

  Returns:
    The `GraphDef`.

  Raises:
    FileNotFoundError: There is no such file.
    ValueError: It is no such graph, or holds an operation that is refused, or functions.
  """
  meta = meta_graph_pb2.MetaGraphDef()
  with files.open_to_read(path, "rb") as file:
    try:
      meta.graph_def.ParseFromString(file.read())
    except (message.DecodeError, RecursionError) as error:
      raise ValueError(
          f"{path} is not a graph of TensorFlow ({error}): copy it again.") from error
  if refused := sorted(_refused(meta, True) - {*registry.allowed_code()}):
    raise _refusal(path, refused)
  if meta.graph_def.library.function:
    raise ValueError(
        f"{path} is refused: a frozen graph has no functions. Copy it again.")
  return meta.graph_def


def _refusal(path: str, refused: list[str]) -> ValueError:
  return ValueError(
      f"{path} is refused: its graph holds {', '.join(refused)}, and could touch files, "
      "the network or Python code of this machine. If you trust this model, add "
      f"--allow_code={','.join(refused)} to the command line.")


def _refused(graph: Any, in_version_1: bool) -> set[str]:
  """Returns the operations of a `MetaGraphDef` that are refused."""
  functions = {function.signature.name: function.node_def
               for function in graph.graph_def.library.function}
  used = {node.op for nodes in (graph.graph_def.node, *functions.values())
          for node in nodes}
  saver = {op for op in used if _SAVER.fullmatch(op)}
  refused = {op for op in used - saver if not _is_harmless(op, op in functions)}
  # Before version 2, nothing tells what runs when a model is loaded.
  return refused | (saver if in_version_1 else _misused_saver(graph, saver))


def _indirect_function(graph: Any) -> str | None:
  """Returns the name of a function or node that may call what no check would find.

  TensorFlow gives functions other names when it loads them, which end with a number that
  one can guess. It puts them where it expects the names of functions, but not into
  attributes of attributes, attributes of arguments, or parameters of functions.
  """
  for function in graph.graph_def.library.function:
    signature = function.signature
    elsewhere = [*function.attr.values(), *(
        value for argument in function.arg_attr.values()
        for value in argument.attr.values())]
    if (not _FUNCTION_NAME.fullmatch(signature.name) or signature.attr
        or any(map(_names_function, elsewhere))):
      return signature.name
  for node in _nodes(graph):
    for value in node.attr.values():
      if value.placeholder or any(
          _names_function(inner) for function in (value.func, *value.list.func)
          for inner in function.attr.values()):
        return node.name
  return None


def _names_function(value: Any) -> bool:
  return (value.HasField("func") or bool(value.list.func)
          or value.HasField("placeholder"))


def _nodes(graph: Any) -> Iterator[Any]:
  """Yields the nodes of a graph and of all its functions."""
  yield from graph.graph_def.node
  for function in graph.graph_def.library.function:
    yield from function.node_def


def _called(graph: Any) -> set[str]:
  """Returns the names of the functions that operations or objects of a graph name."""
  values = [value for node in _nodes(graph) for value in node.attr.values()]
  called = {value.func.name for value in values if value.HasField("func")}
  called |= {function.name for value in values for function in value.list.func}
  return called | set(graph.object_graph_def.concrete_functions)


def _is_harmless(op: str, is_function: bool) -> bool:
  definition = op_def_registry.get(op)
  if definition is None:
    return is_function
  return not _HARMFUL.fullmatch(op) and (
      not definition.is_stateful or bool(_HARMLESS.fullmatch(op)))


def _misused_saver(graph: Any, saver: set[str]) -> set[str]:
  """Returns `saver`, the operations of the saver, if the loaded model reaches them."""
  library = graph.graph_def.library
  reaching = {function.signature.name for function in library.function
              if any(node.op in saver for node in function.node_def)}
  # Any mention of a function counts as a call, wherever it stands.
  others = {function.signature.name: function.SerializeToString()
            for function in library.function}
  while found := {name for name, content in others.items() if name not in reaching
                  and any(_stem(other) in content for other in reaching)}:
    reaching |= found
  # TensorFlow's optimizer may call one of several functions in place of another that
  # names the same interface, without any mention of it.
  if any("api_implements" in function.attr for function in library.function
         if function.signature.name in reaching):
    return saver
  # The list `concrete_functions` may lack what an object of the graph names as its
  # initializer, which is called when the model is loaded.
  callers = [graph.object_graph_def.SerializeToString(), *(
      gradient.SerializeToString()
      for gradient in (*library.gradient, *library.registered_gradients))]
  return saver if any(
      _stem(name) in caller for name in reaching for caller in callers) else set()


def _stem(name: str) -> bytes:
  """Returns what the saved and the loaded name of a function have in common."""
  match = _STEM.fullmatch(name)
  return (match[1] if match else name).encode()
