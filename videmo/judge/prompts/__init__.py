"""The judge's prompts as files, shipped with the package: one a use, named by it (`videmo.judge.prompt`)."""
