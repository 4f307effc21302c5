"""Fetch the chart library of `aitop web` from npm and put it under aitop/web/static/vendor, with its licence.

`python scripts/vendor_charts.py` writes the files and CHECKSUMS; `--check` compares what lies there with CHECKSUMS and
fetches nothing. A new version: set VERSION and INTEGRITY (`npm view uplot dist.integrity`) and run it.
"""

import base64
import hashlib
import os
import subprocess
import sys
import tarfile
import tempfile

NAME, VERSION = "uplot", "1.6.32"
INTEGRITY = "sha512-KIMVnG68zvu5XXUbC4LQEPnhwOxBuLyW1AHtpm6IKTXImkbLgkMy+jabjLgSLMasNuGGzQm/ep3tOkyTxpiQIw=="
FILES = {
    "dist/uPlot.iife.min.js": "uPlot.iife.min.js",
    "dist/uPlot.min.css": "uPlot.min.css",
    "LICENSE": "LICENSE",
}
FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "aitop/web/static/vendor")
MOST_BYTES = 200_000


def fetch():
    """The package's files, name → bytes. Exits when it is not the package that was chosen."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            ["npm", "pack", "--silent", f"{NAME}@{VERSION}"], cwd=folder, check=True, capture_output=True
        )
        (name,) = os.listdir(folder)
        with open(os.path.join(folder, name), "rb") as file:
            data = file.read()
        found = "sha512-" + base64.b64encode(hashlib.sha512(data).digest()).decode()
        if found != INTEGRITY:
            sys.exit(f"{name} is another one than expected: {found}")
        with tarfile.open(os.path.join(folder, name)) as archive:
            return {to: archive.extractfile(f"package/{path}").read() for path, to in FILES.items()}


def checksums(files):
    """The text of CHECKSUMS: what it is, and a SHA-256 for each file, as `sha256sum --check` reads it."""
    lines = [f"# {NAME} {VERSION}, MIT, written by scripts/vendor_charts.py"]
    return (
        "\n".join(
            [*lines, *(f"{hashlib.sha256(data).hexdigest()}  {name}" for name, data in sorted(files.items()))]
        )
        + "\n"
    )


def kept():
    """The files as they lie there."""
    found = {}
    for name in FILES.values():
        with open(os.path.join(FOLDER, name), "rb") as file:
            found[name] = file.read()
    return found


def main():
    files = kept() if "--check" in sys.argv[1:] else fetch()
    size = sum(map(len, files.values()))
    if size > MOST_BYTES:
        sys.exit(f"{size} bytes are more than {MOST_BYTES}")
    path = os.path.join(FOLDER, "CHECKSUMS")
    if "--check" in sys.argv[1:]:
        with open(path) as file:
            if file.read() != checksums(files):
                sys.exit("what lies in vendor/ is not what CHECKSUMS says: run scripts/vendor_charts.py")
        return
    os.makedirs(FOLDER, exist_ok=True)
    for name, data in files.items():
        with open(os.path.join(FOLDER, name), "wb") as file:
            file.write(data)
    with open(path, "w") as file:
        file.write(checksums(files))


if __name__ == "__main__":
    main()
