"""A PostgreSQL server of our own: a new one in a folder, on a Unix socket, gone after the tests."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

FOLDERS = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))
SETTINGS = {
    "listen_addresses": "''",  # a socket in a folder, nothing on the network
    "fsync": "off",
    "max_connections": "40",
    "shared_buffers": "32MB",
}


def programs() -> Path | None:
    """The folder of the newest server that is installed; None if there is none."""
    if FOLDERS:
        return FOLDERS[-1]
    found = shutil.which("initdb")
    return Path(found).parent if found else None


def open_to_all() -> str:
    """A folder for temporary files that every account reaches; the usual one may be private."""
    for place in (tempfile.gettempdir(), "/tmp", "/var/tmp"):
        path = Path(place).resolve()
        if all(folder.stat().st_mode & 0o001 for folder in (path, *path.parents)):
            return place
    return tempfile.gettempdir()


class Server:
    """A server in a temporary folder.  As root it runs as another account: it refuses to be root."""

    def __init__(self, bin_folder: Path) -> None:
        self.bin = bin_folder
        self.account = None
        # A short name, because those of sockets are limited.
        self.folder = Path(tempfile.mkdtemp(prefix="pg-", dir=open_to_all()))
        if os.geteuid() == 0:
            names = {user.pw_name for user in pwd.getpwall()}
            self.account = "postgres" if "postgres" in names else "nobody"
            shutil.chown(self.folder, self.account)
        self.run("initdb", "-D", str(self.data), "-A", "trust", "-U", "grader", "--no-sync")

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def run(self, program: str, *arguments: str) -> None:
        command = [str(self.bin / program), *arguments]
        group = None if self.account is None else pwd.getpwnam(self.account).pw_gid
        subprocess.run(
            command, check=True, user=self.account, group=group, stdout=subprocess.DEVNULL,
            cwd=self.folder, timeout=60,
        )  # fmt: skip

    def start(self) -> None:
        settings = "".join(f" -c {key}={value}" for key, value in SETTINGS.items())
        log = str(self.folder / "log")
        self.run(
            "pg_ctl", "-D", str(self.data), "-l", log, "-w",
            "-o", f"-k {self.folder}{settings}", "start",
        )  # fmt: skip

    def stop(self, how: str = "immediate") -> None:
        self.run("pg_ctl", "-D", str(self.data), "-m", how, "-w", "stop")

    def new_database(self) -> str:
        """A database of its own; its address for SQLAlchemy."""
        name = f"class_{time.monotonic_ns()}"
        self.run("createdb", "-h", str(self.folder), "-U", "grader", name)
        return f"postgresql+psycopg://grader@/{name}?host={self.folder}"

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
