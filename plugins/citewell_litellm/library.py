"""Imports LiteLLM so that it sends and fetches nothing by itself."""

from __future__ import annotations

import logging
import os
from functools import cache
from types import ModuleType

# Read while the package is imported. Source: litellm, `get_model_cost_map`.
_SWITCHES = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_OFFLINE_MODE": "True"}


@cache
def litellm() -> ModuleType:
    """Return the package; the first call takes seconds, so make it in a thread."""
    os.environ.update(_SWITCHES)
    import litellm as package

    from citewell_litellm.staying import follow_no_redirect

    follow_no_redirect()
    package.telemetry = False
    package.suppress_debug_info = True
    package.disable_hf_tokenizer_download = True
    package.drop_params = True
    package.num_retries = 0
    # What it falls back to where it takes "no further try" for "not said".
    vars(package)["DEFAULT_MAX_RETRIES"] = 0
    for name in ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy"):
        logger = logging.getLogger(name)
        # Its own handlers would write to the terminal, past what removes secrets.
        logger.handlers.clear()
        logger.setLevel(logging.CRITICAL)
    return package
