# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Rate of yt8m-extract, compared with decoding alone plus the bare network.

  python -m benchmarks.extraction --num_videos=24 --secs=30

Writes clips of moving noise with a tone, and in turns

    decoding   decodes them in the same processes, and drops frames and sound
    network    computes the features of as many frames and seconds, held in memory
    extraction does the work of the command: both, and writes records

The ratio is (decoding + network) / extraction, of medians. Above 1, decoding and network
run at the same time.
"""

import os
import tempfile
from collections.abc import Sequence

import numpy as np
from absl import app
from absl import flags

from benchmarks import timing
from yt8m.core import child_processes
from yt8m.core import markdown
from yt8m.core import vocabulary
from yt8m.extracting import clips as clip_lists
from yt8m.extracting import features
from yt8m.extracting import job as jobs
from yt8m.extracting import streams
from yt8m.extractors import base
from yt8m.extractors import making

_NUM_VIDEOS = flags.DEFINE_integer("num_videos", 24, "Number of clips.", 1)
_SECS = flags.DEFINE_integer("secs", 30, "Length of each.", 1)
_HEIGHT = flags.DEFINE_integer("height", 360, "Rows of a frame, of 16:9.", 16)
_FPS = flags.DEFINE_integer("video_fps", 25, "Frames a second of the clips.", 1)
_EXTRACTOR = flags.DEFINE_string("extractor", making.DEFAULT, "Extractor.")
_NUM_PROCESSES = flags.DEFINE_integer("num_processes", None, "Processes that decode. "
                                      "Default: one for each processor.", 1)
_TURNS = flags.DEFINE_integer("turns", 5, "Turns.", 1)
_BATCH = 32  # frames, as those of a decoder
_TIMEOUT_SECS, _MEMORY_BYTES = 300.0, 8 * 2**30


def write_clip(path: str, seed: int) -> None:
  """Writes a clip: blurred noise that moves, and a tone, as H.264 and AAC."""
  import av
  rng, height = np.random.default_rng(seed), _HEIGHT.value // 2 * 2
  width, rate = height * 16 // 9 // 2 * 2, 16000
  coarse = rng.integers(0, 256, (height // 16 + 1, width // 8 + 1, 3), np.uint8)
  picture = coarse.repeat(16, 0).repeat(16, 1)[:height]
  with av.open(path, "w") as container:
    video = container.add_stream("libx264", rate=_FPS.value)
    video.width, video.height, video.pix_fmt = width, height, "yuv420p"
    audio = container.add_stream("aac", rate=rate, layout="mono")
    for number in range(_SECS.value * _FPS.value):
      shown = np.roll(picture, 2 * number, axis=1)[:, :width]
      container.mux(video.encode(av.VideoFrame.from_ndarray(
          np.ascontiguousarray(shown), format="rgb24")))
    container.mux(video.encode(None))
    wave = np.sin(np.arange(_SECS.value * rate) * (0.1 + 0.01 * seed)) / 2
    for at in range(0, len(wave), 1024):
      frame = av.AudioFrame.from_ndarray(
          wave[np.newaxis, at:at + 1024].astype(np.float32), "fltp", "mono")
      frame.sample_rate, frame.pts = rate, at
      container.mux(audio.encode(frame))
    container.mux(audio.encode(None))


def main(argv: Sequence[str]) -> None:
  del argv
  extractor = making.make_extractor(_EXTRACTOR.value or making.DEFAULT)
  sampling = features.Sampling()
  num_processes = _NUM_PROCESSES.value or child_processes.num_processors()
  with (tempfile.TemporaryDirectory() as folder,
        streams.Decoders(num_processes, _TIMEOUT_SECS, _MEMORY_BYTES) as decoders):
    clips = []
    for number in range(_NUM_VIDEOS.value):
      path = os.path.join(folder, f"{number}.mp4")
      write_clip(path, number)
      clips.append(clip_lists.Clip(path, ("noise",), str(number)))
    requests = [sampling.request(extractor, clip.path) for clip in clips]
    number_of_runs = 0

    def decode():
      for stream in decoders.decode(requests):
        for _ in stream:
          pass

    def extract():
      nonlocal number_of_runs
      number_of_runs += 1
      job = jobs.Job({"train": clips}, extractor, sampling,
                     vocabulary.Vocabulary(("noise",)),
                     os.path.join(folder, f"run{number_of_runs}"), 100, {})
      job.prepare()
      job.run(decoders, False, lambda done, failed: None)

    frames = np.random.default_rng(0).integers(
        0, 256, (_BATCH, *(extractor.frame_size or (224, 224)), 3), np.uint8)
    waveform = np.random.default_rng(0).uniform(
        -0.5, 0.5, _SECS.value * base.SAMPLE_RATE).astype(np.float32)

    def compute():
      for _ in clips:
        for at in range(0, _SECS.value, _BATCH) if (
            base.RGB in extractor.modalities) else ():
          extractor.extract_frames(frames[:_SECS.value - at])
        if base.AUDIO in extractor.modalities:
          extractor.extract_audio(waveform)

    ways = {"decoding": decode, "network": compute, "extraction": extract}
    times = timing.in_turns(ways, _TURNS.value)
  seconds = _NUM_VIDEOS.value * _SECS.value
  rows = [[name, f"{one.wall_s:.2f}", f"{seconds / one.wall_s:,.0f}"]
          for name, one in times.items()]
  print(markdown.make(["", "s", "seconds of video a second"], rows, ("",)))
  ratio = (times["decoding"].wall_s + times["network"].wall_s) / (
      times["extraction"].wall_s)
  print(f"\n(decoding + network) / extraction: {ratio:.2f}, with {extractor.name}, "
        f"{_NUM_VIDEOS.value} clips of {_SECS.value} s, {num_processes} processes that "
        f"decode, medians of {_TURNS.value} turns")


if __name__ == "__main__":
  app.run(main)
