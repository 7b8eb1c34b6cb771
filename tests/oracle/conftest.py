"""These tests compare with PyTorch; where it is not installed they are left out, and it is said."""

from importlib.util import find_spec

TORCH = find_spec("torch") is not None
collect_ignore = [] if TORCH else ["test_against_torch.py"]


def pytest_report_header() -> str:
    """One line at the top of the run."""
    if TORCH:
        return "oracle: gradients are compared with PyTorch"
    return (
        "oracle: PyTorch is not installed (extra `bench`), so tests/oracle is NOT part of this run"
    )
