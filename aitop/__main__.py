"""Python's door: the hot words go straight to their module, everything else to the command line.

The sh front (`bin/aitop`) answers most hot words without Python; what reaches this file still must
not pay for click. So nothing is imported before the word is known.
"""

import os
import sys


def main() -> int:
    word, arguments = (sys.argv[1], sys.argv[2:]) if len(sys.argv) > 1 else ("", [])
    answer = _quick(word, arguments)
    if answer is not None:
        return answer
    from aitop.system import home_check

    problem = home_check.refusal(sys.argv[1:] or ["top"])
    if problem is not None:
        sys.stderr.write(f"aitop: {problem}\n")
        return 1
    if word == "listen" and set(arguments) <= {"--quiet", "--replace"}:
        import gc

        gc.disable()  # until it listens: what a start makes stays, and the search for garbage takes a tenth of it
        from aitop.listener import run  # the listener lives for weeks: it does without click's 5 MB

        return run.main(echo="--quiet" not in arguments, replace="--replace" in arguments)
    question = None
    if word == "report":
        from aitop.reports import kept

        question = kept.question(sys.argv[1:])
        kept_answer = question.answer() if question is not None else None
        if kept_answer is not None:
            return _print(kept_answer)
    from aitop import cli

    for stream in (sys.stdout, sys.stderr):
        # A name that the terminal's encoding lacks must not end a command with a traceback.
        getattr(stream, "reconfigure", lambda **_: None)(errors="replace")
    cli.main(prog_name="aitop", obj=question)
    return 0


def _print(answer: bytes) -> int:
    """Write an answer to stdout. The exit code is 1 when the reader has closed its end."""
    try:
        sys.stdout.buffer.write(answer)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


def _quick(word: str, arguments: list[str]) -> int | None:
    """The exit code of a word that is answered before the command line is loaded; None for any other word."""
    if word == "hook":
        from aitop import hook

        return hook.main(arguments)
    if word == "codex-notify":
        from aitop import codex_notify

        return codex_notify.main(arguments)
    if word == "statusline" and "--preview" in arguments:
        from aitop.demo import statusline_preview

        return statusline_preview.main(arguments)
    if word == "statusline":
        from aitop import statusline

        return statusline.main(arguments)
    if word == "jump":
        from aitop import jump

        return jump.main(arguments)
    if word == "guard":
        from aitop import guard

        return guard.main(arguments)
    if word in ("tmux", "prompt", "waybar", "swiftbar"):
        from aitop.segments import oneshot

        return oneshot.main(word, arguments)
    return None


if __name__ == "__main__":
    sys.exit(main())
