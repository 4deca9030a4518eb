"""What vision models are asked about a clip, as files, shipped with the package (`videmo.committee.asking`)."""
