"""A module a suite, each with `run(bench)`."""
