"""What a training with TRL can be told."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from citewell import Config, LocalPath
from citewell.training import ExampleKind

Method = Literal["sft", "dpo", "kto"]
Name = Annotated[str, Field(min_length=1)]

LEARNS: dict[Method, frozenset[ExampleKind]] = {
    "sft": frozenset((ExampleKind.CHAT, ExampleKind.TEXT)),
    "dpo": frozenset((ExampleKind.PREFERENCE,)),
    "kto": frozenset((ExampleKind.VOTE,)),
}
"""The kinds of examples that each method learns from."""

RATES: dict[Method, float] = {"sft": 2e-4, "dpo": 5e-6, "kto": 5e-6}
"""Learning rates of LoRA. Source: of `sft`, QLoRA (Dettmers et al. 2023, table 9, models of 7 and
13 billion parameters); of `dpo`, the recipe zephyr-7b-dpo-qlora of the Alignment Handbook
(Tunstall et al. 2023); `kto` as `dpo`, ten times what KTO (Ethayarajh et al. 2024) takes without
LoRA."""

# `lm_head`: TRL refuses it, and files with tied embeddings have no tensor for it. Embeddings: what
# makes a GGUF file of an adapter refuses them.
_BEYOND_LAYERS = frozenset(("embed_tokens", "lm_head"))


class LoraConfig(Config):
    """Settings of the adapter.

    What an adapter in a GGUF file cannot say is not offered: DoRA, whole modules, biases, ranks by
    layer.
    """

    # Source of rank, alpha and targets: what Biderman et al. 2024 ("LoRA Learns Less and Forgets
    # Less") recommend: all modules, a rank of 16 where memory is short, alpha twice the rank.
    rank: int = Field(
        default=16, ge=1, le=1024, description="of the matrices that are learnt: how much they hold"
    )
    alpha: float = Field(
        default=32.0,
        gt=0,
        allow_inf_nan=False,
        description="what is learnt counts alpha / rank times; usual is twice the rank",
    )
    # Source: QLoRA (Dettmers et al. 2023), appendix A: useful for models of 7 and 13 billion
    # parameters.
    dropout: float = Field(
        default=0.05, ge=0, lt=1, description="share of the inputs that each step leaves out"
    )
    targets: Literal["all-linear"] | list[Name] = Field(
        default="all-linear",
        description='linear modules of the layers that learn, like ["q_proj", "v_proj"]; '
        '"all-linear": all of them',
    )
    rslora: bool = Field(
        default=False,
        description="count what is learnt alpha / sqrt(rank) times, which suits high ranks",
    )

    @model_validator(mode="after")
    def _inside_layers(self) -> Self:
        if self.targets == []:
            raise ValueError('targets is empty; expected "all-linear", or names of modules')
        for name in _BEYOND_LAYERS.intersection(self.targets):
            raise ValueError(
                f'targets names "{name}", which an adapter in a GGUF file cannot change; expected '
                "modules of the layers: delete it"
            )
        return self


class TrlConfig(Config):
    """Settings of the trainer `trl`."""

    method: Method = Field(
        default="sft",
        description="sft: learn what is said (chats, texts); dpo: learn which of two answers is "
        "better (preferences); kto: learn which answers are good (votes)",
    )
    # Source of epochs, warm-up and schedule: Stanford Alpaca (Taori et al. 2023).
    epochs: float = Field(
        default=3.0, gt=0, le=1000, description="how often all examples are learnt from"
    )
    max_steps: int | None = Field(
        default=None, ge=1, description="steps after which it ends, also before the last epoch does"
    )
    learning_rate: float | None = Field(
        default=None, gt=0, le=1, description="default: 2e-4 with sft, 5e-6 with dpo and kto"
    )
    batch_size: int = Field(
        default=4,
        ge=1,
        le=1024,
        description="examples that are computed together; they take the memory",
    )
    # With batches of 4: 16 examples a step, as QLoRA (Dettmers et al. 2023, table 9) has them.
    accumulate: int = Field(
        default=4,
        ge=1,
        le=65_536,
        description="batches that make one step; they take time, and no memory",
    )
    max_tokens: int | None = Field(
        default=None,
        ge=8,
        description="tokens that an example may have; longer ones are left out and counted, never "
        "cut; default: what the model can read, but at most 2048",
    )
    warmup: float = Field(
        default=0.03,
        ge=0,
        le=1,
        description="share of the steps in which the learning rate rises to its height",
    )
    schedule: Literal["cosine", "linear", "constant"] = Field(
        default="cosine", description="how the learning rate falls afterwards"
    )
    weight_decay: float = Field(
        default=0.0, ge=0, le=1, description="how much weights shrink in each step"
    )
    # Source: DPO (Rafailov et al. 2023), appendix B; KTO (Ethayarajh et al. 2024), section 4.
    beta: float = Field(
        default=0.1,
        gt=0,
        allow_inf_nan=False,
        description="of dpo and kto: the higher, the nearer the model stays to what it was",
    )
    seed: int = Field(
        default=0, ge=0, lt=2**31, description="decides what begins random, and the order"
    )
    threads: int | None = Field(
        default=None,
        ge=1,
        le=512,
        description="that compute, without a GPU; default: all processors. With 1, a training that "
        "is repeated gives the same adapter, byte for byte",
    )
    save_every: int = Field(
        default=50, ge=1, description="steps after which it is saved; from there it can go on"
    )
    validate_every: int | None = Field(
        default=None,
        ge=1,
        description="steps after which it is tried on the validation examples; default: each epoch",
    )
    patience: int | None = Field(
        default=3,
        ge=1,
        description="trials on the validation examples without a better one, after which it ends",
    )
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        default="auto", description="of numbers; auto: bfloat16 on a GPU that has it, else float32"
    )
    gradient_checkpointing: bool = Field(
        default=True, description="compute twice what would have to be kept: slower, less memory"
    )
    chat_template: LocalPath | None = Field(
        default=None,
        description="a file with the chat template, in Jinja; default: the model's own",
    )
    lora: LoraConfig = Field(default_factory=LoraConfig, description="the adapter")

    @model_validator(mode="after")
    def _compares(self) -> Self:
        if self.method == "kto" and self.batch_size < 2:
            raise ValueError(
                "batch_size = 1 is too few for kto, which compares the answers of a batch; "
                "expected at least 2: raise it, and lower accumulate"
            )
        return self

    @property
    def rate(self) -> float:
        """The learning rate at its height."""
        return RATES[self.method] if self.learning_rate is None else self.learning_rate
