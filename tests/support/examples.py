"""How many examples a property tries: all of them in a full run, a fifth in a quick one.

A property that names a number of its own would keep it in `bin/test --quick`, so it names it here.
"""

from hypothesis import settings

FULL = 100  # what hypothesis tries of a property that names no number


def examples(number, **more):
    """Settings of a property: `number` examples in a full run, in proportion to the profile of this one."""
    return settings(max_examples=max(1, number * settings.default.max_examples // FULL), **more)
