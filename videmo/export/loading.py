"""The lines of Python by which plain transformers and peft compute what training did.

An adapter means something only beside the weights that it learnt with, so the base is read in the type of its training,
and under QLoRA in the same 4 bits with the same parts left whole. Between layers of 4 bits training keeps float32
(``videmo.models.quantization``), which plain transformers must be told. What differs then is the order in which a
bfloat16 vision tower rounds, and on CPUs with AVX-512 bitsandbytes' kernel for inference: 0.02 to 0.03 in logits of 3
for a tiny model, where the usual 4 bits are 0.5 off, and the base as it is 0.8. A trainer's precision (bf16-mixed) is
no part of this: it casts what is computed with, not what is kept.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any


def weights_beside(arguments: Mapping[str, Any]) -> str:
    """How a training held what it did not train.

    >>> weights_beside({"dtype": "bfloat16", "quantization": "nf4"})
    'in 4 bits (nf4) and bfloat16'
    """
    return f"in {'4 bits (nf4) and ' if arguments.get('quantization') else ''}{_dtype(arguments)}"


def adapter_lines(folder: Path, base: str, arguments: Mapping[str, Any]) -> Iterator[str]:
    """The Python that loads an adapter beside its base, line by line.

    Args:
        folder: Where the adapter will be.
        base: The hub id of the model that it was trained from, or its folder's name.
        arguments: Of the module that trained.
    """
    dtype, packed = f"torch.{_dtype(arguments)}", bool(arguments.get("quantization"))
    yield "import torch"
    yield "from peft import PeftModel"
    yield f"from transformers import {'BitsAndBytesConfig, ' if packed else ''}Qwen2_5_VLForConditionalGeneration"
    yield ""
    yield f"folder, base = {_quoted(folder.absolute().name)}, {_quoted(base)}  # where they lie, or names on a hub"
    if packed:
        yield "four_bits = BitsAndBytesConfig("
        yield "    load_in_4bit=True,"
        yield '    bnb_4bit_quant_type="nf4",'
        yield "    bnb_4bit_use_double_quant=True,"
        yield f"    bnb_4bit_compute_dtype={dtype},"
        yield '    llm_int8_skip_modules=["model.visual", "lm_head"],'
        yield ")"
    yield "model = Qwen2_5_VLForConditionalGeneration.from_pretrained("
    yield "    base,"
    if revision := arguments.get("revision"):
        yield f"    revision={_quoted(revision)},"
    yield f"    dtype={dtype},"
    if packed:
        yield "    quantization_config=four_bits,"
    yield ")"
    if packed:
        yield "# Between its layers of 4 bits the language model computes in float32."
        yield "model.get_input_embeddings().register_forward_hook(lambda module, given, output: output.float())"
        yield "model.lm_head.register_forward_pre_hook(lambda module, given: (given[0].to(module.weight.dtype),))"
    if arguments.get("merger", {}).get("mode", "full") == "full":
        yield "model.model.visual.merger.float()  # it trained, in float32"
    yield "model = PeftModel.from_pretrained(model, folder)"


def whole_lines(folder: Path, dtype: str) -> Iterator[str]:
    """The Python that loads a whole model whose weights have this type."""
    yield "import torch"
    yield "from transformers import AutoTokenizer, Qwen2_5_VLForConditionalGeneration"
    yield ""
    yield f"folder = {_quoted(folder.absolute().name)}  # where it lies, or its name on a hub"
    yield f"model = Qwen2_5_VLForConditionalGeneration.from_pretrained(folder, dtype=torch.{dtype})"
    yield "tokenizer = AutoTokenizer.from_pretrained(folder)"


def _dtype(arguments: Mapping[str, Any]) -> str:
    return arguments.get("dtype", "float32")


def _quoted(text: str) -> str:
    """For YAML and Python alike."""
    return json.dumps(text, ensure_ascii=False)
