import subprocess
import sys
from importlib.util import find_spec

import pytest

import tiny_base
from citewell.testing import TrainerContract

pytestmark = pytest.mark.skipif(find_spec("trl") is None, reason="what trains is not installed")


class TestTrl(TrainerContract):
    name = "trl"
    config = {
        "threads": 1,
        "epochs": 2,
        "batch_size": 4,
        "accumulate": 1,
        "learning_rate": 0.01,
        "save_every": 5,
        "lora": {"rank": 8},
    }

    def base(self, folder):
        made = folder / "tiny"
        subprocess.run(
            [sys.executable, tiny_base.__file__, made, "--width", "64", "--family", "qwen3"],
            check=True,
            capture_output=True,
        )
        return made
