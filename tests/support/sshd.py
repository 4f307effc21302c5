"""A real sshd on loopback, with keys and a configuration of its own."""

import getpass
import os
import shutil
import subprocess
import time

import pytest
from golden.home import need

from support.fleet_homes import free_port


class Sshd:
    """`command` is what a client calls; the names in `hosts` all lead here."""

    def __init__(self, folder, hosts):
        need("ssh", "openssh-client")
        need("sshd", "openssh-server")
        self.folder, self.port = str(folder), free_port()
        os.makedirs(self.folder, mode=0o700)
        for name in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self._in(name)], check=True)
        shutil.copy(self._in("user.pub"), self._in("authorized"))
        with open(self._in("sshd_config"), "w") as file:
            file.write(
                f"ListenAddress 127.0.0.1:{self.port}\nHostKey {self._in('host')}\nPidFile {self._in('pid')}\n"
                f"AuthorizedKeysFile {self._in('authorized')}\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n"
                "PermitRootLogin yes\n"
            )
        with open(self._in("ssh_config"), "w") as file:
            file.write(
                f"Host {' '.join(hosts)}\n  HostName 127.0.0.1\n  Port {self.port}\n  User {getpass.getuser()}\n"
                f"  IdentityFile {self._in('user')}\n  IdentitiesOnly yes\n  StrictHostKeyChecking no\n"
                f"  UserKnownHostsFile {self._in('known')}\n  LogLevel ERROR\n"
            )
        self.command = f"ssh -F {self._in('ssh_config')}"
        if os.getuid() == 0:
            os.makedirs("/run/sshd", exist_ok=True)  # privilege separation asks for it
        self.log = open(self._in("log"), "wb")  # noqa: SIM115 - closed with the server
        self.process = subprocess.Popen(
            [shutil.which("sshd"), "-D", "-e", "-f", self._in("sshd_config")],
            stderr=self.log,
            stdin=subprocess.DEVNULL,
        )
        self._wait(hosts[0])

    def _in(self, name):
        return os.path.join(self.folder, name)

    def _wait(self, host):
        for _ in range(100):
            asked = subprocess.run([*self.command.split(), host, "true"], capture_output=True, text=True)
            if asked.returncode == 0:
                return
            time.sleep(0.1)
        self.close()
        pytest.fail(asked.stderr)

    def close(self):
        self.process.terminate()
        self.process.wait(10)
        self.log.close()
