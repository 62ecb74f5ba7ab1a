"""`%tokens` and `%next_token`: a text's tokens and what comes next, in a cell's output and in a browser."""

import pytest

from labkit.plots import language
from test_plots import run


@pytest.fixture(scope="module")
def cells():
    """The outputs of two cells with a text and one without."""
    return run(
        "%tokens Serverless <b>has</b> servers.",
        "%next_token The capital of France is",
        "%tokens",
    )


def test_a_text_is_shown_in_tokens_that_make_it_up(cells):
    (shown,) = cells[0]
    tokens, count = shown.data["text/plain"].rsplit("\n", 1)
    assert tokens.replace("|", "") == "Serverless <b>has</b> servers."
    assert count == f"{len(tokens.split('|'))} tokens, 30 characters"
    assert "&lt;" in shown.data["text/html"] and "<b>" not in shown.data["text/html"]
    assert "Write a text" in cells[2][0].text


def test_the_next_token_is_a_picture_in_words_and_sharpens_with_the_cold(cells):
    (picture,) = cells[1]
    words = picture.data["text/plain"]
    assert picture.metadata["image/png"]["alt"] == words
    cold, warm, hot = (
        float(line.split("' Paris' ")[1].split(",")[0])
        for line in words.splitlines()
        if line.startswith("temperature")
    )
    assert cold > warm > hot > 0.3
    assert "<script>" in picture.data["text/html"]


def test_on_aws_both_say_that_nobody_shows_it(monkeypatch, capsys):
    monkeypatch.setattr(language.target, "name", lambda: "aws")
    language.LanguageMagics.show_tokens(None, "A text.")
    language.LanguageMagics.show_next_token(None, "A text")
    assert capsys.readouterr().out.count("Bedrock shows this of no model") == 2


@pytest.mark.needs("chromium")
def test_sliders_sharpen_and_cut(browser):
    answer = {
        "tokens": [
            {"text": text, "probability": share}
            for text, share in ((" Paris", 0.6), (" the", 0.2), (" </script>", 0.1))
        ],
        "remaining": 0.1,
    }
    page_html = language.next_token_page("France is", "words", answer, b"picture")
    page = browser.new_page()
    page.set_content(page_html)
    shown = page.get_by_role("group", name="Sampling").locator("output")
    picture = page.get_by_role("img", name="words")

    def numbers():
        return picture.locator("text").all_text_contents()[1::2]

    assert numbers() == ["0.60", "0.20", "0.10"]
    assert shown.inner_text().endswith("every token has a chance")
    page.get_by_label("top-p").fill("0.7")
    assert numbers() == ["0.75", "0.25", "cut"]
    assert shown.inner_text() == "temperature 1, top-p 0.7: 2 tokens are left"
    page.get_by_label("temperature").fill("0.5")
    assert numbers() == ["1.00", "cut", "cut"]
    page.get_by_label("top-p").fill("1")
    assert float(numbers()[0]) > 0.8
    page.get_by_label("temperature").fill("0")
    assert numbers() == ["1.00", "cut", "cut"]
