# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""References to the literature: the core method, and authors of arXiv numbers."""

import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).parents[1]
FOLDERS = ("yt8m", "models", "eval", "export", "benchmarks", "docs", "tests")
# The files that implement, reproduce or explain the method of Kim et al.
KIM = ("models/classification/conditional.py", "models/fusion/attention.py",
       "eval/ablations/tables/classifiers.json", "docs/conditional_inference.md",
       "docs/classifiers.md", "README.md")
# Author and year of each arXiv number, checked by hand.
ARXIV = {
    "1406.1078": "Cho et al. 2014", "1412.6980": "Kingma & Ba 2014",
    "1502.03167": "Ioffe & Szegedy 2015",
    "1503.02531": "Hinton et al. 2015", "1505.00387": "Srivastava et al. 2015",
    "1508.04025": "Luong et al. 2015", "1511.03476": "Pan et al. 2016",
    "1511.06062": "Gao et al. 2016", "1511.07247": "Arandjelović et al. 2016",
    "1512.03385": "He et al. 2016", "1606.01847": "Fukui et al. 2016",
    "1607.06450": "Ba et al. 2016", "1608.03983": "Loshchilov and Hutter 2016",
    "1609.08675": "Abu-El-Haija et al. 2016", "1703.01780": "Tarvainen and Valpola 2017",
    "1703.03130": "Lin et al. 2017", "1703.10135": "Wang et al. 2017",
    "1706.03762": "Vaswani et al. 2017", "1706.04599": "Guo et al. 2017",
    "1706.06905": "Miech et al. 2017",
    "1709.01507": "Hu et al. 2018", "1710.09412": "Zhang et al. 2018",
    "1803.05407": "Izmailov et al. 2018",
    "1806.05236": "Verma et al. 2019",
    "1810.00825": "Lee et al. 2019", "1811.05014": "Lin et al. 2018",
    "1907.01709": "On et al. 2019", "1911.08548": "Ma et al. 2019",
    "2001.07613": "On et al. 2020",
    "2002.04745": "Xiong et al. 2020", "2009.14119": "Ridnik et al. 2021",
}


def text_files():
  paths = [ROOT / "README.md", ROOT / "CHANGELOG.md"]
  for folder in FOLDERS:
    paths += [path for path in (ROOT / folder).rglob("*")
              if path.suffix in (".py", ".md") and path != pathlib.Path(__file__)]
  return sorted(path for path in paths if path.is_file())


def read(path):
  """Returns the text with white space collapsed, so that line breaks do not matter."""
  return " ".join(path.read_text(encoding="utf-8").split())


def test_nothing_cites_the_wrong_authors():
  wrong = re.compile(r"\bShin et al")
  assert not [path for path in text_files() if wrong.search(read(path))]


@pytest.mark.parametrize("path", KIM)
def test_the_core_method_is_cited(path):
  assert "Kim et al. 2018" in read(ROOT / path)


def test_arxiv_numbers_belong_to_their_authors():
  wrong = []
  for path in text_files():
    text = read(path)
    for found in re.finditer(r"\(arXiv:(\d{4}\.\d{4,5})\)", text):
      number, before = found[1], text[:found.start()].rstrip()
      right = ARXIV.get(number, "a number that this test lists").replace(" & ", " and ")
      # "On et al. 2019 (arXiv:…) and 2020 (arXiv:…)" names the authors once.
      if not before.replace(" & ", " and ").endswith((right, f") and {right[-4:]}")):
        wrong.append(f"{path.relative_to(ROOT)}: {before[-30:]} ({number}), not {right}")
  assert not wrong, "\n".join(wrong)
