"""These tests compare with PyTorch; where it is not installed they are left out, and it is said."""

from importlib.util import find_spec

TORCH = find_spec("torch") is not None
collect_ignore = [] if TORCH else ["test_against_torch.py"]


def pytest_terminal_summary(terminalreporter) -> None:
    """One line at the end of the run; this file is read too late for one at its beginning."""
    terminalreporter.write_line(
        "oracle: gradients were compared with PyTorch"
        if TORCH
        else "oracle: PyTorch is not installed (extra `bench`): tests/oracle was NOT part of this run"
    )
