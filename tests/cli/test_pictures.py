"""The pictures of the pages are drawn alike everywhere: a real browser gives each text the width of its cells."""

import glob
import json
import os
import re
import shutil
import subprocess
from html import unescape

import pytest
from conftest import ROOT

PICTURES = [
    os.path.join(ROOT, "docs", "top.svg"),
    *(
        path
        for path in sorted(glob.glob(os.path.join(ROOT, "docs", "pictures", "*.svg")))
        if "benchmark-" not in path
    ),
]
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
# Each text as the font has it, beside the width it must fill.
MEASURE = """<script>
document.title = JSON.stringify([...document.querySelectorAll('text[textLength]')].map(text => {
  const wanted = parseFloat(text.getAttribute('textLength'));
  text.removeAttribute('textLength');
  return [text.textContent, wanted, text.getComputedTextLength()];
}));
</script>"""


@pytest.mark.parametrize("path", PICTURES, ids=os.path.basename)
def test_no_picture_needs_the_network_or_kept_blanks(path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    assert "url(" not in text
    assert "xml:space" not in text
    assert not re.search(r">[^<>]*  [^<>]*</text>", text)


@pytest.mark.real
@pytest.mark.parametrize("path", PICTURES, ids=os.path.basename)
def test_in_a_browser_every_text_has_the_width_of_its_cells(path, tmp_path):
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        pytest.skip("no Chromium: apt-get install chromium")
    page = tmp_path / "page.html"
    with open(path, encoding="utf-8") as file:
        page.write_text(
            f"<!doctype html><meta charset=utf-8><title></title>{file.read()}{MEASURE}", encoding="utf-8"
        )
    done = subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}/profile", "--dump-dom",
         page.as_uri()], capture_output=True, text=True, timeout=100, check=True,
    )  # fmt: skip
    found = json.loads(unescape(done.stdout.partition("<title>")[2].partition("</title>")[0]))
    ascii_texts = [row for row in found if row[0].isascii() or "\u00a0" in row[0]]
    wrong = [row for row in ascii_texts if abs(row[1] - row[2]) > max(1.0, 0.04 * row[1])]
    assert wrong == []


@pytest.mark.parametrize("name", ["first-minute.svg", "tmux-animated.svg"])
def test_where_nothing_moves_the_last_frame_of_a_film_stands(name):
    with open(os.path.join(ROOT, "docs", "pictures", name), encoding="utf-8") as file:
        text = file.read()
    last = max(int(number) for number in re.findall(r'id="f(\d+)"', text))
    assert f"<style>g.f{{visibility:hidden}}#f{last}{{visibility:visible}}" in text
