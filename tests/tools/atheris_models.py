"""Coverage-guided fuzzing of model files, for as long as one likes:

    python -m venv fuzz && fuzz/bin/pip install atheris . && fuzz/bin/python -m tests.tools.atheris_models
    -max_total_time=600

Every input is read three ways: as a whole file; as the header of one whose length is put right; as the
architecture of one whose checksum is right. Anything but a model or ValueError is a finding, which atheris
leaves in a file crash-*.
"""

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["nnlite", "json"]):
    import numpy as np

    from nnlite.models import model_from_bytes
    from nnlite.tensor_file import read_tensors_from_bytes
    from tests.tools.fuzz import Mutator, joined, model_bytes

MUTATOR = Mutator(model_bytes(), 0)
_, METADATA = read_tensors_from_bytes(MUTATOR.data)


def read(data: bytes) -> None:
    """A model or ValueError."""
    try:
        model_from_bytes(data)
    except ValueError:
        pass


def one_input(data: bytes) -> None:
    """The three ways."""
    read(data)
    read(joined(data, MUTATOR.payload))
    text = data.decode("utf-8", "surrogateescape")
    read(MUTATOR.seal(MUTATOR.tensors, {**METADATA, "architecture": text}))
    read(MUTATOR.seal(MUTATOR.tensors, {**METADATA, "compiled": text}))


def main() -> None:
    """Start from the file of a small model and its parts."""
    np.seterr(all="ignore")
    with tempfile.TemporaryDirectory() as seeds:
        texts = [METADATA[name].encode() for name in ("architecture", "compiled")]
        for number, part in enumerate((MUTATOR.data, MUTATOR.header, *texts)):
            (Path(seeds) / str(number)).write_bytes(part)
        atheris.Setup([sys.argv[0], "-max_len=8192", "-rss_limit_mb=2048", *sys.argv[1:], seeds], one_input)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
