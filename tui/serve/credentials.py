"""The host key, and the keys that may log in.

A host key is made on the first start, readable by its owner alone, and refused when others can read it: a key that
others have makes anybody the server. Keys of people come from `authorized_keys` files as OpenSSH has them; they are
read anew for each login, so that a line that is taken out is out at once.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

import asyncssh

from engines.errors import UserError

KEY_BYTES_MAX: Final = 1 << 20


def host_key(path: Path) -> asyncssh.SSHKey:
    """The key in a file; made if there is none. UserError if it cannot be used, or if others can read it."""
    path = path.expanduser()
    try:
        if not path.exists():
            _make(path)
        with path.open("rb") as file:
            about = os.fstat(file.fileno())
            data = file.read(KEY_BYTES_MAX)
    except OSError as error:
        raise UserError(f"--host-key {path}: {error.strerror or error}; a file of your own is accepted") from None
    if about.st_uid != os.geteuid() or about.st_mode & 0o077:
        mode = stat.S_IMODE(about.st_mode)
        raise UserError(
            f"--host-key {path}: mode {mode:04o}, owner {about.st_uid}: others may have read it; "
            f"it must be yours alone: chmod 600 {path}, or name another"
        )
    try:
        return asyncssh.import_private_key(data)
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
        raise UserError(f"--host-key {path}: no private key without a passphrase ({error})") from None


def _make(path: Path) -> None:
    """A new key, in a folder that only its owner may enter if that is new too."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = asyncssh.generate_private_key("ssh-ed25519", comment="dp-tui serve")
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key.export_private_key())


def authorized(files: tuple[Path, ...]) -> asyncssh.SSHAuthorizedKeys:
    """The keys that may log in. UserError if a file cannot be read or holds none."""
    text = ""
    for path in files:
        try:
            text += path.expanduser().read_text(encoding="utf-8", errors="replace")[:KEY_BYTES_MAX] + "\n"
        except OSError as error:
            raise UserError(f"--keys {path}: {error.strerror or error}; an authorized_keys file is accepted") from None
    try:
        return asyncssh.import_authorized_keys(text)
    except ValueError:
        names = ", ".join(map(str, files))
        raise UserError(
            f"--keys {names}: no public key in it; lines as in ~/.ssh/authorized_keys are accepted"
        ) from None
