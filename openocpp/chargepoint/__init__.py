"""The charge point: a facade over managers, one for each chapter of the standard."""
