"""Facts as files, shipped with the package: the label sets and the benchmark's tasks."""
