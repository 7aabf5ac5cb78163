# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`yt8m-predict`: names what is in media files or records, by any trained model.

    yt8m-predict --model=saved clip.mp4 more_clips/ 'data/test-*.tfrecord'

The model is a training directory, a SavedModel or an ensemble. Media files are turned
into features by the extractor that the model was trained with (pip install
'yt8m[media]'). With --timeline, the seconds that speak for each label are shown: those
of windows to which the model gives at least half the score of the best window.
"""

import contextlib
import itertools
import sys
from collections.abc import Iterator
from collections.abc import Sequence

import numpy as np
from absl import flags
from absl import logging

from yt8m.api import predictor as predictors
from yt8m.api import timeline
from yt8m.artifacts import thresholds
from yt8m.configs import model_flags
from yt8m.core import command
from yt8m.core import command_line
from yt8m.core import fields
from yt8m.core import paths
from yt8m.core import registry
from yt8m.extracting import decoding_flags
from yt8m.extracting import model_features
from yt8m.predicting import inputs
from yt8m.predicting import outputs
from yt8m.predicting import videos

FLAGS = flags.FLAGS

paths.define("model", None, "Training directory of yt8m-train, or SavedModel of "
             "yt8m-export or yt8m-ensemble; required.",
             must_exist="name a training directory or a SavedModel")
flags.DEFINE_integer("top_k", 5, "Number of classes that are shown, the best; at most "
                     "all.", lower_bound=1)
flags.DEFINE_enum("output_format", "text", list(outputs.OUTPUTS), "Form of what is "
                  "printed: text for people, json with an object a line, or csv with a "
                  "line for each class.")
flags.DEFINE_bool("timeline", False, "Show which seconds speak for each class; needs a "
                  "model of frames.")
flags.DEFINE_float("window_secs", 5.0, "Seconds of a window of --timeline.", 0.001)
paths.define("thresholds", None, "File of yt8m-eval --choose_thresholds, for the column "
             "decided. Default: that of the SavedModel, if it keeps one.",
             must_exist="name a file of yt8m-eval --choose_thresholds")
flags.DEFINE_string("extractor", "", "Extractor of media files. Default: that of the "
                    "model.")
decoding_flags.define("cannot be predicted")
command_line.require("model", "name a training directory or a SavedModel")


@model_flags.typed_code_allowed("extractor")
def main(*words: str) -> None:
  predictor = predictors.load(FLAGS.model, allow_code=registry.allowed_code())
  if FLAGS.timeline and predictor.source.spec.is_video_level:
    raise ValueError("--timeline needs a model of frames, and this one reads video-level "
                     "features: leave it out.")
  limits = _thresholds(predictor)
  output = outputs.OUTPUTS[FLAGS.output_format]()
  num_failed = num_files = 0
  with contextlib.ExitStack() as stack:
    for video, fps in _videos(predictor, inputs.find(words), stack):
      num_files += 1
      num_failed += bool(video.error)
      if video.error:
        logging.error("%s: %s.", video.path, fields.printable(video.error, 500))
        output.write(video.name, [], video.error)
      else:
        output.write(video.name, _labels(predictor, video, fps, limits))
  if num_failed:
    sys.exit(f"ERROR: {num_failed:,} of {num_files:,} videos cannot be predicted, see "
             "above.")


def _videos(predictor: predictors.Predictor, found: Sequence[str],
            stack: contextlib.ExitStack) -> Iterator[tuple[videos.Video, float]]:
  """Yields the videos of all files, and the number of frames a second."""
  of_records, of_media = videos.split(found)
  for path in of_records:
    for video in videos.of_records(predictor, path):
      yield video, 1.0
  if of_media:
    reader = model_features.ModelFeatures(
        predictor.source.spec, predictor.signature.max_frames, FLAGS.extractor,
        FLAGS.weights_dir, FLAGS.missing)
    decoders = stack.enter_context(decoding_flags.start(len(of_media)))
    for video in videos.of_media(predictor, reader, of_media, decoders):
      yield video, reader.fps


def _thresholds(predictor: predictors.Predictor) -> thresholds.Thresholds | None:
  source = predictor.source
  if not FLAGS.thresholds:
    return getattr(source, "thresholds", None)
  limits = thresholds.Thresholds.load(FLAGS.thresholds, source.num_classes)
  limits.check_model(f"--thresholds={FLAGS.thresholds}", source.identity)
  return limits


def _labels(predictor: predictors.Predictor, video: videos.Video, fps: float,
            limits: thresholds.Thresholds | None) -> list[outputs.Label]:
  """Returns the best classes of a video."""
  assert video.scores is not None
  best = predictor.top_k(
      video.scores[np.newaxis], min(FLAGS.top_k, predictor.num_classes))
  [ids], [names], [scores] = best
  decided = (itertools.repeat(None) if limits is None
             else limits.decide(best.ids, best.scores)[0].tolist())
  spans = itertools.repeat(None)
  if FLAGS.timeline:
    line = timeline.of_video(predictor, video.features, FLAGS.window_secs, fps)
    spans = map(line.spans, ids)
  return [outputs.Label(int(index), str(name), np.float32(score), is_decided, seconds)
          for index, name, score, is_decided, seconds in zip(
              ids, names, scores, decided, spans, strict=False)]


def run() -> None:
  command.run(main, arguments="media files or record files", named_by_path=True)


if __name__ == "__main__":
  run()
