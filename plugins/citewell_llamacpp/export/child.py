"""The process that makes files and compares them with what was trained."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

from citewell.children import ChildFailed, Tell, serve
from citewell.training import Exported, Exporting
from citewell_llamacpp.export import wire
from citewell_llamacpp.export.examining import Examination, NotEqual
from citewell_llamacpp.export.families import read_base
from citewell_llamacpp.export.lora import read_lora
from citewell_llamacpp.export.reference import tokenizer_folder
from citewell_llamacpp.export.room import check_room
from citewell_llamacpp.export.vocabulary import read_vocabulary
from citewell_llamacpp.export.wire import Differs, Job, Told
from citewell_llamacpp.export.writing import (
    QUANTISED,
    Described,
    quantise,
    write_adapter,
    write_copy,
    write_model,
)
from citewell_llamacpp.proof import KEY, Proof, encoded

_SCRATCH = ".export-"


def work(task: bytes, tell: Tell) -> None:
    """Do a `Job`."""
    job = wire.job(task)

    def told(message: Told) -> None:
        tell(wire.encoded(message))

    with _scratch(job.out) as scratch:
        try:
            Export(job, scratch, told).run()
        except NotEqual as error:
            told(Differs(said=str(error)))


@contextmanager
def _scratch(out: Path) -> Iterator[Path]:
    """Yield a folder beside the files; those of exports that were killed go."""
    for left in out.glob(f"{_SCRATCH}*"):
        if not _is_running(left.name.removeprefix(_SCRATCH).partition("-")[0]):
            shutil.rmtree(left, ignore_errors=True)
    scratch = Path(mkdtemp(prefix=f"{_SCRATCH}{os.getpid()}-", dir=out))
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _is_running(process: str) -> bool:
    """Tell whether the process of this number is there, whoever's it is."""
    try:
        os.kill(int(process), 0)
    except (ValueError, ProcessLookupError):
        return False
    except OSError:
        return True
    return True


class Export:
    """One export, from the trained model to files that are proven."""

    def __init__(self, job: Job, scratch: Path, told: Callable[[Told], None]) -> None:
        self._job = job
        self._scratch = scratch
        self._told = told
        self._done = 0
        self._base = read_base(job.base)
        self._lora = None if job.adapter is None else read_lora(job.adapter)
        folder = tokenizer_folder(job.base, job.adapter)
        self._tokens = read_vocabulary(folder, int(self._base.settings["vocab_size"]))
        if self._lora is None and "adapter" in job.kinds:
            raise ChildFailed("there is no adapter to export; name the folder that PEFT saved")
        check_room(self._base, job.out, job.kinds, base_is_given=job.base_gguf is not None)
        self._say("computing what the trained model does")
        self._examination = Examination(
            job.base, job.adapter, samples=job.samples, threads=job.threads
        )

    def run(self) -> None:
        """Make the files in turn."""
        job = self._job
        for kind in job.kinds:
            if kind == "adapter":
                self._export_adapter()
            elif kind in QUANTISED:
                self._export_quantised(kind)
            else:
                self._finish(kind, self._merged(kind))
            self._done += 1

    def _export_adapter(self) -> None:
        job = self._job
        self._say("writing the adapter")
        assert self._lora is not None  # noqa: S101 - checked when this was made
        raw = self._scratch / "adapter.part"
        form = self._tokens.normalizer
        described = self._described("adapter")
        write_adapter(raw, self._base, self._lora, form=form, described=described)
        base = self._model("F16", merged=False)
        used = job.base_gguf
        self._say("proving adapter")
        self._examination.of_adapter(raw, base)
        if used is None:
            self._say("proving base")
            proof = self._examination.of_model("F16", base, adapted=False)
            used = self._publish("base-F16", base, proof)
        proof = self._examination.of_adapter_with(raw, used, form, least=job.agreement)
        file = self._publish("adapter", raw, proof)
        section = {"use": "llamacpp", "path": str(used), "lora": {job.name: str(file)}}
        self._told(Exported(kind="adapter", file=file, section=section, figures=proof.figures))

    def _export_quantised(self, kind: str) -> None:
        source = self._merged("F16")
        self._say(f"quantising to {kind}")
        raw = self._scratch / f"{kind}.part"
        quantise(source, raw, kind, threads=self._job.threads or os.cpu_count() or 1)
        self._finish(kind, raw)

    def _merged(self, kind: str) -> Path:
        return self._model(kind, merged=True)

    def _model(self, kind: str, *, merged: bool) -> Path:
        """Return a file without a proof, made once."""
        path = self._scratch / f"{'merged' if merged else 'base'}-{kind}.part"
        if not path.exists():
            self._say(f"writing {kind}")
            write_model(
                path,
                self._base,
                self._lora if merged else None,
                kind=kind,
                tokens=(self._tokens, self._examination.specials),
                described=self._described(kind),
            )
        return path

    def _finish(self, kind: str, raw: Path) -> None:
        self._say(f"proving {kind}")
        proof = self._examination.of_model(kind, raw, least=self._job.agreement)
        file = self._publish(kind, raw, proof)
        section = {"use": "llamacpp", "path": str(file)}
        self._told(Exported(kind=kind, file=file, section=section, figures=proof.figures))

    def _publish(self, kind: str, raw: Path, proof: Proof) -> Path:
        """Give a file its name, with its proof in it."""
        whole = self._scratch / f"{kind}.proven"
        write_copy(raw, whole, {KEY: encoded(proof)})
        with whole.open("rb") as file:
            os.fsync(file.fileno())
        path = self._job.out / f"{self._job.name}-{kind}.gguf"
        whole.replace(path)
        return path

    def _described(self, kind: str) -> Described:
        return Described(name=f"{self._job.name}-{kind}", card=self._job.card)

    def _say(self, said: str) -> None:
        self._told(Exporting(said=said, done=self._done, total=len(self._job.kinds)))


if __name__ == "__main__":
    serve(work)
