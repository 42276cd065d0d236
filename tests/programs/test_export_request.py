"""Exports of runs whose data are no longer at hand."""

from __future__ import annotations

import pytest

from darts_tf.config import ExportConfig, TrainingConfig
from darts_tf.errors import InputError
from darts_tf.programs.export_request import ExportRequest
from darts_tf.programs.image_data import load_data
from darts_tf.run.workdir import Workdir
from darts_tf.space.published import load_genotype

RUNS = {
    "folder": "`data_dir=gone` is no folder; give one that is",
    "arrays": "the run's data were a caller's own arrays",
}
INT8 = ExportConfig(format="litert", quantize="int8")


def divided(config: ExportConfig, dataset: str, tmp_path):
    request = ExportRequest(
        config,
        TrainingConfig(dataset=dataset, data_dir="gone", genotype="DARTS_V2"),
        load_genotype("DARTS_V2"),
        {"flags": {"fingerprint": "a"}},
        {},
        Workdir(tmp_path),
    )
    return request.divided_data(lambda config, data: load_data(config, [1.0], data))


@pytest.mark.parametrize("dataset", RUNS)
def test_8_bits_without_the_data_are_refused_in_one_line(dataset, tmp_path):
    with pytest.raises(InputError) as caught:
        divided(INT8, dataset, tmp_path)
    (line,) = str(caught.value).splitlines()
    assert line.startswith("`quantize=int8` measures ranges on the training images")
    assert RUNS[dataset] in line and line.endswith("or give `quantize=dynamic`")


@pytest.mark.parametrize("dataset", RUNS)
def test_other_formats_go_without_the_data(dataset, tmp_path, caplog):
    assert divided(ExportConfig(), dataset, tmp_path) is None
    assert RUNS[dataset] in caplog.text
