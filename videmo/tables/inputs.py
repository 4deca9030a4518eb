"""The results that a user names: method folders or their benchmark.json files, read strictly."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from videmo.benchmark import RESULT_FILE, BenchmarkResult
from videmo.benchmark.own_rows import DOWNSTREAM, RECALLS
from videmo.benchmark.results import as_number
from videmo.errors import InputError, printable


def read_results(paths: Sequence[str]) -> dict[str, BenchmarkResult]:
    """Name of a row -> its result: the method's name, or where two have the same, the path as it was given.

    Raises:
        InputError: If a path has no benchmark.json, or one that does not hold scores, or is given twice.
    """
    files: dict[str, Path] = {}
    for path in paths:
        file = result_file(Path(path))
        if again := next((other for other, known in files.items() if known.samefile(file)), None):
            raise InputError(f"{path} is given twice, also as {again}; leave one out")
        files[path] = file
    results = {path: _read(file) for path, file in files.items()}
    methods = [result.method for result in results.values()]
    return {
        printable(result.method if methods.count(result.method) == 1 else path) or "?": result
        for path, result in results.items()
    }


def result_file(path: Path) -> Path:
    """The benchmark.json that a path means.

    Raises:
        InputError: If there is none; where the path holds those of several methods, they are listed.
    """
    if path.is_file():
        return path
    if not path.is_dir():
        raise InputError(f"no such file or folder: {path}; give the folder of a method that `videmo test` wrote into")
    if (path / RESULT_FILE).is_file():
        return path / RESULT_FILE
    methods = sorted(file.parent for pattern in ("*", "results/*") for file in path.glob(f"{pattern}/{RESULT_FILE}"))
    if methods:
        raise InputError(f"{path} is the folder of several methods; give those you want: {' '.join(map(str, methods))}")
    raise InputError(f"no {RESULT_FILE} in {path}; `videmo test` writes one beside its predictions")


def _read(file: Path) -> BenchmarkResult:
    result = BenchmarkResult.load(file)
    for name, score in _scores(result):
        number = as_number(score)
        if number is None or not 0 <= number <= 100:
            raise InputError(f"{file}: the score of {name} must be a number from 0 to 100, found {score!r}")
    return result


def _scores(result: BenchmarkResult) -> Iterator[tuple[str, object]]:
    yield from result.columns.items()
    for file in DOWNSTREAM.values():
        parts = result.files.get(file, {})
        yield from ((f"{file} ({recall})", parts[recall]) for recall in RECALLS if parts.get(recall) is not None)
