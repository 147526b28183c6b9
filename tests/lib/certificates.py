# SPDX-License-Identifier: Apache-2.0
"""Certificates for 127.0.0.1 that have signed themselves."""

import subprocess
from pathlib import Path


def made(folder: Path, name: str = "ours") -> tuple[Path, Path]:
    """A certificate, and its key."""
    cert, key = folder / f"{name}.crt", folder / f"{name}.key"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-nodes"),
            *("-pkeyopt", "ec_paramgen_curve:prime256v1", "-days", "2"),
            *("-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(key), "-out", str(cert)),
        ],
        check=True,
        capture_output=True,
    )
    return cert, key


def both(folder: Path) -> Path:
    """A certificate and its key in one file."""
    cert, key = made(folder)
    path = folder / "both.pem"
    path.write_text(cert.read_text() + key.read_text())
    return path
