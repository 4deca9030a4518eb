"""The chunked loss against one projection to the vocabulary: peak memory, seconds, and how far their gradients differ.

python tools/bench_loss.py --tokens 8192

Each way runs in a process of its own, forward and backward from random hidden states through a trained head; memory is
the process's peak resident size, weights and all. One projection of 8,192 tokens needs 20
GB. The last line is JSON: `memory_ratio` (chunked over full), `max_diff` (of the gradients, relative to their norm),
bytes and seconds of both.
"""

import argparse
import json
import multiprocessing
import resource
import sys
import tempfile
import time
from pathlib import Path

import torch
from torch import Tensor, nn

from videmo.models.token_scores import score_tokens


def full(hidden: Tensor, head: nn.Module, labels: Tensor) -> Tensor:
    """Log-probabilities by one projection."""
    return -nn.functional.cross_entropy(head(hidden).float(), labels, reduction="none")


def chunked(hidden: Tensor, head: nn.Module, labels: Tensor) -> Tensor:
    return score_tokens(hidden, head, labels).logps


WAYS = {"full": full, "chunked": chunked}


def peak_bytes() -> int:
    """The most memory that this process has had at once."""
    unit = 1 if sys.platform == "darwin" else 1024
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def run(way: str, options: argparse.Namespace, out: Path) -> None:
    """Forward and backward; writes peak bytes, seconds and the gradients."""
    torch.manual_seed(0)
    dtype = getattr(torch, options.dtype)
    head = nn.Linear(options.hidden, options.vocabulary, bias=False, dtype=dtype)
    hidden = torch.randn(options.tokens, options.hidden).to(dtype).requires_grad_()
    labels = torch.randint(options.vocabulary, (options.tokens,))
    before, start = peak_bytes(), time.perf_counter()
    WAYS[way](hidden, head, labels).sum().backward()
    seconds, peak = time.perf_counter() - start, peak_bytes()
    torch.save({"hidden": hidden.grad, "weight": head.weight.grad}, out / f"{way}.pt")
    (out / f"{way}.json").write_text(json.dumps({"peak": peak, "before": before, "seconds": seconds}))


def difference(out: Path) -> float:
    """The larger relative difference of the two gradients, by norm."""
    ours, theirs = (torch.load(out / f"{way}.pt", mmap=True) for way in ("chunked", "full"))
    largest = 0.0
    for name in ours:
        apart = whole = 0.0
        for a, b in zip(ours[name].split(4096), theirs[name].split(4096), strict=True):
            apart += float((a.float() - b.float()).pow(2).sum(dtype=torch.float64))
            whole += float(b.float().pow(2).sum(dtype=torch.float64))
        largest = max(largest, (apart / whole) ** 0.5)
    return largest


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tokens", type=int, default=8192)
    parser.add_argument("--vocabulary", type=int, default=152064)
    parser.add_argument("--hidden", type=int, default=2048)
    parser.add_argument("--dtype", choices=("float32", "bfloat16"), default="float32")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        out, found = Path(folder), {}
        for way in WAYS:
            process = multiprocessing.get_context("spawn").Process(target=run, args=(way, options, out), daemon=True)
            process.start()
            process.join()
            if process.exitcode:
                sys.exit(f"{way}: the process ended with {process.exitcode}; give fewer --tokens where memory is short")
            found[way] = json.loads((out / f"{way}.json").read_text())
        result = {
            "memory_ratio": round(found["chunked"]["peak"] / found["full"]["peak"], 3),
            "max_diff": difference(out),
            "peak_gb": {way: round(value["peak"] / 1e9, 2) for way, value in found.items()},
            "added_gb": {way: round((value["peak"] - value["before"]) / 1e9, 2) for way, value in found.items()},
            "seconds": {way: round(value["seconds"], 1) for way, value in found.items()},
            **vars(options),
        }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
