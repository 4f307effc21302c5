"""Python's door: the hot words go straight to their module, everything else to the command line.

The sh front (`bin/aitop`) answers most hot words without Python; what reaches this file still must
not pay for click. So nothing is imported before the word is known.
"""

import sys


def main() -> int:
    word = sys.argv[1] if len(sys.argv) > 1 else ""
    if word == "hook":
        from aitop import hook

        return hook.main(sys.argv[2:])
    if word == "codex-notify":
        from aitop import codex_notify

        return codex_notify.main(sys.argv[2:])
    if word == "statusline" and "--preview" in sys.argv[2:]:
        from aitop.demo import statusline_preview

        return statusline_preview.main(sys.argv[2:])
    if word == "statusline":
        from aitop import statusline

        return statusline.main(sys.argv[2:])
    if word == "jump":
        from aitop import jump

        return jump.main(sys.argv[2:])
    if word == "guard":
        from aitop import guard

        return guard.main(sys.argv[2:])
    if word in ("tmux", "prompt", "waybar", "swiftbar"):
        from aitop.segments import oneshot

        return oneshot.main(word, sys.argv[2:])
    from aitop.system import home_check

    problem = home_check.refusal(sys.argv[1:] or ["top"])
    if problem is not None:
        sys.stderr.write(f"aitop: {problem}\n")
        return 1
    if word == "listen" and set(sys.argv[2:]) <= {"--quiet", "--replace"}:
        from aitop.listener import run  # the listener lives for weeks: it does without click's 5 MB

        return run.main(echo="--quiet" not in sys.argv[2:], replace="--replace" in sys.argv[2:])
    from aitop import cli

    for stream in (sys.stdout, sys.stderr):
        # A name that the terminal's encoding lacks must not end a command with a traceback.
        getattr(stream, "reconfigure", lambda **_: None)(errors="replace")
    cli.main(prog_name="aitop")
    return 0


if __name__ == "__main__":
    sys.exit(main())
