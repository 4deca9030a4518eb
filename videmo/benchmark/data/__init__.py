"""Facts as files, shipped with the package: the tables that the paper prints."""
