"""The configuration: a file is taken or refused with one sentence, and what it names is shown inert."""

from random import Random

from aitop import segments
from aitop.config import Config, ConfigError, parse
from aitop.live.money.burn import BurnThresholds, view
from aitop.model.sums import ZERO
from aitop.pricing import table
from aitop.publish import state_json

from .. import corpus, judge, mutate
from ..book import NAMES
from .published import seeds

WORDS = (
    b"[segments.x]", b"[budgets.x]", b"[tags.x]", b"[providers.x]", b'[prices.models."x"]', b"[[segments]]",
    b"display = ", b'format = "{project} {cost_today}"', b'symbol = "\\u001b[31m"', b'symbol = "#(x)"',
    b"rate = inf", b"rate = nan", b"rate = 1e400", b"rate = 1e-300", b"limit_usd = -1", b"input = 1e14",
    b"= 9" + b"9" * 30, b'""', b"''", b"{}", b"[]", b"\n[currency]\n", b'"\\u0000"', b'"\\ud800"',
    b'"\\u009b31m" = 1', b"[" * 1500, b"a." * 1500, b"true", b"2026-01-01", b'from = "2026-13-01"', b"# x\n",
    b"'''", b'"""', b'preset = "burn"\n', b'folders = ["~/.x"]', b"warning = 1e308",
)  # fmt: skip

BURN = view(ZERO, ZERO, BurnThresholds())


class Configuration:
    """TOML, right and wrong."""

    name = "configuration"

    def __init__(self) -> None:
        self.now = seeds()[0]["written_at"]
        self.seeds = corpus.raw("configuration")
        self.states = seeds()
        self.turn = 0

    def fresh(self) -> None:
        self.turn = 0

    def close(self) -> None:
        pass

    def make(self, random: Random) -> bytes:
        data = random.choice(self.seeds)
        for _ in range(random.randint(0, 3)):
            what = random.randrange(4)
            rows = data.split(b"\n")
            at = random.randrange(len(rows))
            if what == 0:
                rows.insert(at, random.choice(WORDS))
            elif what == 1:
                head, equals, _ = rows[at].partition(b"=")
                rows[at] = head + equals + mutate.encoded(mutate.hostile(random), random)
            elif what == 2:
                del rows[at]
            else:
                rows.append(random.choice(random.choice(self.seeds).split(b"\n")))
            data = b"\n".join(rows)
        return mutate.battered(data, random) if random.random() < 0.4 else data[: mutate.LONGEST]

    def check(self, data: bytes) -> None:
        try:
            config = parse(data, "/home/u/.config/aitop/config.toml")
        except ConfigError as error:
            judge.printable(str(error), "the error")
            if len(str(error)) > 2000:
                raise judge.Broken(f"an error of {len(str(error))} characters") from error
            return
        self._used(config)

    def _used(self, config: Config) -> None:
        """A configuration that was taken, where it is shown."""
        judge.numbers(config.values, "configuration")
        self.turn += 1
        state = {
            **self.states[self.turn % len(self.states)],
            "display": state_json.display(config, limited=False, burn=BURN),
        }
        own = [(s.name, s.display, s.preset, s.format) for s in config.segments]
        for name, text in segments.render_all(state, own, self.now).items():
            display = next((one[1] for one in own if one[0] == name.removesuffix("-plain")), name)
            if text:
                judge.line(display, text)
        judge.line("tmux", segments.render(state, "tmux", template=NAMES, now=self.now))
        if config.price_overrides:
            table.load(config.price_overrides, None)

    def settle(self) -> None:
        pass
