"""Opens a model: checks its files, then finds or starts the worker that holds them."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from citewell import Context, ModelError, blocking
from citewell_llamacpp.embedder import LlamaCppEmbedder
from citewell_llamacpp.fitting import check_adapter, check_model, memory_bytes
from citewell_llamacpp.header import Header, read_header
from citewell_llamacpp.model import LlamaCppModel
from citewell_llamacpp.normalizing import KEY as FORM
from citewell_llamacpp.plugin import EmbedderConfig, LlamaCppConfig
from citewell_llamacpp.proof import KEY as PROOF
from citewell_llamacpp.proving import Memory, proof_of
from citewell_llamacpp.wire import Adapt, File, Load
from citewell_llamacpp.worker import Worker


class _Shared(Struct):
    """A worker, and how many sections use it."""

    worker: Worker
    users: int = 0


# By event loop as well: a process can be talked to from the one that started it.
_workers: dict[tuple[int, bytes], _Shared] = {}


@asynccontextmanager
async def open_model(config: LlamaCppConfig, context: Context) -> AsyncIterator[LlamaCppModel]:
    """Yield the model; sections over the same base file, loaded alike, share a process.

    Raises:
        ModelError: a file is damaged, or does not fit the others.
    """
    checked = await blocking.call(_checked, config, context)
    adapter = checked.adapter
    async with _shared_worker(checked.load, config.load_timeout_s, context.log) as worker:
        await worker.start()
        if adapter is not None:
            await worker.adapt(
                Adapt(0, adapter, checked.proof, computes=checked.computes, form=checked.form)
            )
        await blocking.call(checked.remember)
        yield LlamaCppModel(worker, config, adapter=adapter, form=checked.form)


@asynccontextmanager
async def open_embedder(
    config: EmbedderConfig, context: Context
) -> AsyncIterator[LlamaCppEmbedder]:
    """Yield the embedder; sections that say the same share a process.

    Raises:
        ModelError: the file is damaged, or gives no vectors.
    """
    load, identity = await blocking.call(_checked_embedder, config, context)
    async with _shared_worker(load, config.load_timeout_s, context.log) as worker:
        await worker.start()
        yield LlamaCppEmbedder(worker, config, identity=identity)


@asynccontextmanager
async def _shared_worker(
    load: Load, load_timeout_s: float, log: logging.Logger
) -> AsyncIterator[Worker]:
    key = (id(asyncio.get_running_loop()), _key(load))
    shared = _workers.get(key)
    if shared is None:
        worker = Worker(load, load_timeout_s=load_timeout_s, log=log)
        shared = _workers[key] = _Shared(worker)
    shared.users += 1
    try:
        yield shared.worker
    finally:
        shared.users -= 1
        if not shared.users:
            del _workers[key]
            await shared.worker.close()


class _Checked(Struct):
    """A model whose files were checked.

    Attributes:
        load: how it is loaded.
        adapter: that it is used with.
        proof: that the adapter is asked for; empty for none.
        computes: whether the adapter was tried with this file of its base.
        form: Unicode form that text is brought into.
        asked: of what is asked now, hashes and settings; to be remembered once it was done.
    """

    load: Load
    memory: Memory
    adapter: File | None = None
    proof: str = ""
    computes: bool = True
    form: str = ""
    asked: list[tuple[str, ...]] = []

    def remember(self) -> None:
        """Keep that the model has done what it is proven by."""
        for parts in self.asked:
            self.memory.note(*parts)


def _checked(config: LlamaCppConfig, context: Context) -> _Checked:
    """Check every file, and return how to load the model, and its adapter.

    Each file is stamped before it is read: the process refuses one that is another by then.
    """
    path = context.resolve(config.path).resolve()
    file = _stamped(path)
    header = read_header(path)
    check_model(path, header)
    if config.sha256 is not None:
        _check_pin(path, _sha256(path), config.sha256)
    adapters = {}
    for name in config.lora:
        adapter = context.resolve(config.lora[name]).resolve()
        adapters[name] = _stamped(adapter), read_header(adapter)
        check_adapter(adapter, adapters[name][1], path, header)
        if name in config.lora_sha256:
            _check_pin(adapter, _sha256(adapter), config.lora_sha256[name])
    chosen = _chosen(config)
    used = None if chosen is None else adapters[chosen]
    _check_proven(config, *((file, header) if used is None else used))
    return _with_proofs(_load(config, context, file), header, used, Memory(context.data_dir))


def _check_proven(config: LlamaCppConfig, file: File, header: Header) -> None:
    if config.require_proof and proof_of(header) is None:
        raise ModelError(
            f"{file.path}: carries no proof that it is equal to what was trained, and "
            "require_proof is set; export it with citewell tune export"
        )


def _with_proofs(
    load: Load, header: Header, used: tuple[File, Header] | None, memory: Memory
) -> _Checked:
    """Add what the files have to be asked for, as far as they were not asked before."""
    ways = f"{load.gpu_layers} {load.batches} {load.context} {load.template}"
    checked = _Checked(load, memory, form=str(header.values.get(FORM, "")))
    if proof_of(header) is not None:
        parts = (memory.hash_of(load.file), ways)
        if not memory.has(*parts):
            checked.asked.append(parts)
            checked.load = replace(load, proof=header.values[PROOF])
    if used is None:
        return checked
    checked.adapter, learnt = used
    checked.form = str(learnt.values.get(FORM, "")) or checked.form
    proof = proof_of(learnt)
    if proof is not None:
        base = memory.hash_of(load.file)
        both = (base, memory.hash_of(checked.adapter), ways)
        checked.computes = proof.base == base
        if not memory.has(*both):
            checked.asked.append(both)
            checked.proof = str(learnt.values[PROOF])
    return checked


def memory_of(config: LlamaCppConfig, context: Context) -> dict[str, int]:
    """Estimate what an open model takes, in bytes: of its worker, and of its adapter in it.

    Raises:
        ModelError: a file is damaged.
    """
    path = context.resolve(config.path).resolve()
    file = _stamped(path)
    worker = memory_bytes(
        read_header(path), context=config.context, conversations=config.conversations
    )
    parts = {_key(_load(config, context, file)).decode(): worker}
    chosen = _chosen(config)
    if chosen is not None:
        adapter = context.resolve(config.lora[chosen]).resolve()
        changes = _stamped(adapter)
        parts[str(changes)] = read_header(adapter).size
    return parts


def _chosen(config: LlamaCppConfig) -> str | None:
    """Return the name of the adapter that is used."""
    return config.adapter or next(iter(config.lora), None)


def _load(config: LlamaCppConfig, context: Context, file: File) -> Load:
    return Load(
        file=file,
        context=config.context,
        slots=config.conversations,
        threads=config.threads,
        gpu_layers=config.gpu_layers,
        template=_template(config, context),
        batches=config.batches,
    )


def _key(load: Load) -> bytes:
    """Return what is equal for models that share a worker."""
    return msgspec.json.encode(replace(load, proof=""))


def _stamped(path: Path) -> File:
    # Before anything is opened: opening a pipe would wait for whoever writes into it.
    if not path.is_file():
        reason = "is no file" if path.exists() else "is not there"
        raise ModelError(f"{path}: {reason}; expected a GGUF file: check the path")
    try:
        return File.at(path)
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror}; check the path") from error


def _checked_embedder(config: EmbedderConfig, context: Context) -> tuple[Load, str]:
    """Check the file, and return how to load the model, and the identity of its vectors."""
    path = context.resolve(config.path).resolve()
    file = _stamped(path)
    check_model(path, read_header(path))
    content = _sha256(path)
    if config.sha256 is not None:
        _check_pin(path, content, config.sha256)
    load = Load(
        file=file,
        context=config.context,
        slots=1,
        threads=config.threads,
        gpu_layers=config.gpu_layers,
        pooling=config.pooling or "file",
    )
    shape = [content, load.pooling, config.context, config.query_prefix, config.passage_prefix]
    shape_hash = hashlib.sha256(json.dumps(shape).encode()).hexdigest()[:16]
    return load, f"llamacpp {path.name} {shape_hash}"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check_pin(path: Path, found: str, pinned: str) -> None:
    if found != pinned:
        raise ModelError(
            f"{path}: has the SHA-256 {found}; expected {pinned}: this is another file than the "
            "one that was pinned"
        )


def _template(config: LlamaCppConfig, context: Context) -> str | None:
    if config.chat_template is None:
        return None
    path = context.resolve(config.chat_template)
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "expected text in UTF-8"
        raise ModelError(f"{path}: cannot be read: {reason}; check `chat_template`") from error
