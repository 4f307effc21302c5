"""A desktop of our own for the tests: Xvfb, sway in a window of it, Waybar; nothing of the user's is touched."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time

from golden.home import ROOT, need

from support.hosts import seconds

WIDTH, HEIGHT = 1000, 480
BACKGROUND = (0x31, 0x32, 0x44)
NOBODY = 65534


class Desktop:
    """Programs started here end with it."""

    def __init__(self, home, *, sway=True, **more):
        need("Xvfb", "xvfb")
        for program in ("sway", "waybar", "grim", "xdotool") if sway else ("xwd",):
            need(program, "x11-apps" if program == "xwd" else None)
        self.folder = tempfile.mkdtemp(prefix="aitop-desktop-", dir="/tmp")
        self.running = []
        root = os.getuid() == 0
        if root:  # sway refuses to run as root
            os.chown(self.folder, NOBODY, NOBODY)
        drop = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"] if root else []
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": self.folder, "LC_ALL": "C.UTF-8", "AITOP_HOME": home,
            "PYTHONPATH": ROOT, "XDG_RUNTIME_DIR": self.folder, "XDG_CONFIG_HOME": self.folder,
            "XDG_CACHE_HOME": self.folder,
            "GDK_BACKEND": "wayland", "NO_AT_BRIDGE": "1", "GSETTINGS_BACKEND": "memory", **more,
        }  # fmt: skip
        self.environment["DISPLAY"] = self._screen()
        if sway:
            self._sway(drop)

    def _sway(self, drop):
        with open(self.file("sway.conf"), "w") as file:
            file.write(f"output X11-1 resolution {WIDTH}x{HEIGHT}\noutput * bg #313244 solid_color\n")
        wlroots = {"WLR_BACKENDS": "x11", "WLR_RENDERER": "pixman", "WLR_X11_OUTPUTS": "1"}
        self.start("sway", *drop, "sway", "-c", self.file("sway.conf"), **wlroots)
        names = seconds(
            lambda: [n for n in os.listdir(self.folder) if n.startswith("wayland-") and "lock" not in n]
        )
        self.environment["WAYLAND_DISPLAY"] = names[0]
        time.sleep(0.3)

    def _screen(self):
        read, write = os.pipe()
        with open(self.file("xvfb.log"), "wb") as log:
            call = ["Xvfb", "-displayfd", str(write), "-screen", "0", f"{WIDTH}x{HEIGHT}x24", "+extension", "DRI3",
                    "-nolisten", "tcp", "-ac"]  # fmt: skip
            self.running.append(subprocess.Popen(call, pass_fds=[write], stdout=log, stderr=log))
        os.close(write)
        with os.fdopen(read) as told:
            return ":" + told.readline().strip()

    def file(self, name):
        return os.path.join(self.folder, name)

    def start(self, name, *call, **more):
        with open(self.file(f"{name}.log"), "wb") as log:
            process = subprocess.Popen(
                call, env=self.environment | more, stdout=log, stderr=log, start_new_session=True
            )
        self.running.append(process)
        return process

    def log(self, name):
        with open(self.file(f"{name}.log"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def bar(self, module, style):
        """Waybar with our module at the left end."""
        with open(self.file("config.jsonc"), "w") as file:
            file.write('{"layer": "top", "height": 30, "modules-left": ["custom/aitop"],\n' + module + "}\n")
        with open(self.file("style.css"), "w") as file:
            file.write("* { font-family: DejaVu Sans; font-size: 14px; }\n")
            file.write("window#waybar { background: #313244; color: #fff; }\n" + style)
        return self.start("waybar", "waybar", "-c", self.file("config.jsonc"), "-s", self.file("style.css"))

    def x(self, *words):
        subprocess.run(["xdotool", *words], env=self.environment, check=True, stdout=subprocess.DEVNULL)

    def click(self, button, x=40, y=15):
        self.x("mousemove", str(x + 5), str(y), "mousemove", str(x), str(y), "click", str(button))

    def shot(self, path, *options):
        subprocess.run(["grim", *options, path], env=self.environment, check=True)

    def pixels(self, top=0, bottom=30):
        """The colours of some rows, as the set of (red, green, blue)."""
        path = self.file("shot.ppm")
        subprocess.run(["grim", "-t", "ppm", path], env=self.environment, check=True)
        with open(path, "rb") as file:
            _, size, _, data = file.read().split(b"\n", 3)
        width = int(size.split()[0])
        part = data[top * width * 3 : bottom * width * 3]
        return {tuple(part[at : at + 3]) for at in range(0, len(part), 3)}

    def empty(self, top=0, bottom=30):
        return self.pixels(top, bottom) == {BACKGROUND}

    def end(self):
        for process in reversed(self.running):
            with contextlib.suppress(ProcessLookupError):
                if process is self.running[0]:
                    process.terminate()
                else:
                    os.killpg(process.pid, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(5)
            if process.poll() is None:
                process.kill()
                process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()
