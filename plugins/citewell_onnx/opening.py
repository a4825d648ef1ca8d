"""Opens a model: checks its files, then starts the process that holds it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from citewell import Context, blocking
from citewell_onnx.embedder import OnnxEmbedder
from citewell_onnx.files import Files, files_of
from citewell_onnx.process import ModelProcess
from citewell_onnx.reranker import OnnxReranker
from citewell_onnx.settings import EmbedderConfig, OnnxConfig, RerankerConfig
from citewell_onnx.wire import Load


@asynccontextmanager
async def open_embedder(config: EmbedderConfig, context: Context) -> AsyncIterator[OnnxEmbedder]:
    """Yield the embedder.

    Raises:
        ModelError: a file is damaged, or gives no vectors.
    """
    files = await blocking.call(files_of, config, context)
    load = _load(files, config, max_tokens=config.max_tokens, pooling=config.pooling)
    async with _running(load, config, context) as process:
        identity = _identity(files, config, dimension=process.width)
        yield OnnxEmbedder(process, config, identity=identity)


@asynccontextmanager
async def open_reranker(config: RerankerConfig, context: Context) -> AsyncIterator[OnnxReranker]:
    """Yield the reranker.

    Raises:
        ModelError: a file is damaged, or gives no scores.
    """
    files = await blocking.call(files_of, config, context)
    load = _load(files, config, max_tokens=config.max_tokens, pooling=None)
    async with _running(load, config, context) as process:
        yield OnnxReranker(process)


@asynccontextmanager
async def _running(load: Load, config: OnnxConfig, context: Context) -> AsyncIterator[ModelProcess]:
    process = ModelProcess(load, load_timeout_s=config.load_timeout_s, log=context.log)
    try:
        await process.start()
        yield process
    finally:
        await process.close()


def _load(files: Files, config: OnnxConfig, *, max_tokens: int, pooling: str | None) -> Load:
    return Load(
        model=os.fspath(files.model),
        tokenizer=os.fspath(files.tokenizer),
        stamp=files.stamp,
        output=config.output,
        pooling=pooling,
        max_tokens=max_tokens,
        threads=config.threads,
    )


def _identity(files: Files, config: EmbedderConfig, *, dimension: int) -> str:
    shape = [
        files.content,
        dimension,
        config.output,
        config.pooling,
        config.max_tokens,
        config.query_prefix,
        config.passage_prefix,
    ]
    shape_hash = hashlib.sha256(json.dumps(shape).encode()).hexdigest()[:16]
    return f"onnx {dimension} {shape_hash}"
