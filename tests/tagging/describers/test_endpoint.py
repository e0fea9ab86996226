from __future__ import annotations

import base64
import io
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from PIL import Image

from sdtui.errors import SdtuiError, UserError
from sdtui.tagging.describers import is_address
from sdtui.tagging.describers.base import Asked, BusyError, RefusedImageError
from sdtui.tagging.describers.endpoint import PROMPT, Endpoint, _seconds_of
from sdtui.tagging.taggers import checked

ASKED = Asked(model="some/vision-model", max_tokens=40)


class Server(HTTPServer):
    """Remembers what it was asked, and answers `answer` with `code`."""

    asked: list[dict[str, Any]]
    keys: list[str | None]
    code = 200
    answer: Any = None
    retry_after = ""
    hangs: threading.Event


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        server = self.server
        assert isinstance(server, Server)
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server.asked.append({"path": self.path, **body})
        server.keys.append(self.headers["Authorization"])
        server.hangs.wait(60)
        self.send_response(server.code)
        if server.retry_after:
            self.send_header("Retry-After", server.retry_after)
        if 300 <= server.code < 400:
            self.send_header("Location", f"http://127.0.0.1:{server.server_port}/elsewhere")
        self.end_headers()
        self.wfile.write(json.dumps(server.answer).encode())

    def do_GET(self) -> None:
        server = self.server
        assert isinstance(server, Server)
        server.keys.append(f"{self.path}: {self.headers['Authorization']}")
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server(("127.0.0.1", 0), Handler)
    made.asked, made.keys, made.hangs = [], [], threading.Event()
    made.hangs.set()
    made.answer = {"choices": [{"message": {"content": "A red\n  square."}}]}
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()


def address(server: Server) -> str:
    return f"http://127.0.0.1:{server.server_port}/v1/"


def test_an_image_is_sent_scaled_down_and_the_answer_is_one_line(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    endpoint = Endpoint(address(server), ASKED)
    assert endpoint.describe([Image.new("RGB", (2048, 512), "red")]) == ["A red square."]
    (asked,) = server.asked
    assert (asked["path"], asked["model"], asked["max_tokens"]) == ("/v1/chat/completions", "some/vision-model", 40)
    text, image = asked["messages"][0]["content"]
    assert text == {"type": "text", "text": PROMPT}
    start = "data:image/jpeg;base64,"
    assert image["image_url"]["url"].startswith(start)
    sent = Image.open(io.BytesIO(base64.b64decode(image["image_url"]["url"].removeprefix(start))))
    assert sent.size == (1024, 256)
    assert server.keys == ["Bearer secret"]
    assert endpoint.facts.name == "vision-model"


def test_a_prompt_of_ones_own_makes_other_descriptions(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    endpoint = Endpoint(address(server), Asked("List what you see.", model="m"))
    endpoint.describe([Image.new("RGB", (8, 8))])
    assert server.asked[0]["messages"][0]["content"][0]["text"] == "List what you see."
    assert server.keys == [None]
    assert endpoint.facts.digest != Endpoint(address(server), Asked(model="m")).facts.digest


@pytest.mark.parametrize(
    ("code", "answer", "message"),
    [
        (401, {}, "refused: 401"),
        (200, {"choices": []}, "no description"),
        (200, "text", "no description"),
        (200, {"choices": [{"message": {"content": None}}]}, "no description"),
    ],
    ids=["refused", "empty", "odd", "declined"],
)
def test_what_goes_wrong_is_said(server: Server, code: int, answer: Any, message: str) -> None:
    server.code, server.answer = code, answer
    with pytest.raises(SdtuiError, match=message):
        Endpoint(address(server), ASKED).describe([Image.new("RGB", (8, 8))])


def test_no_server_and_no_model_are_said(server: Server) -> None:
    gone = address(server)
    server.server_close()
    with pytest.raises(SdtuiError, match="no answer"):
        Endpoint(gone, ASKED).describe([Image.new("RGB", (8, 8))])
    with pytest.raises(UserError, match="which model"):
        Endpoint(gone, Asked())


@pytest.mark.parametrize(("code", "of_the_image"), [(400, True), (413, True), (200, True), (500, True), (401, False)])
def test_what_is_refused_is_an_image_or_everything(server: Server, code: int, of_the_image: bool) -> None:
    server.code, server.answer = code, {}
    with pytest.raises(SdtuiError) as raised:
        Endpoint(address(server), ASKED).describe([Image.new("RGB", (8, 8))])
    assert isinstance(raised.value, RefusedImageError) == of_the_image


NOW = 1_700_000_000.0


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("Tue, 14 Nov 2023 22:13:50 GMT", 30.0),
        ("Tue, 14 Nov 2023 22:13:10 GMT", 0.0),
        ("", None),
        ("soon", None),
    ],
    ids=["seconds", "date", "past", "none", "odd"],
)
def test_how_long_a_server_asks_to_be_left_alone(header: str, seconds: float | None) -> None:
    assert _seconds_of(header, NOW) == seconds


@pytest.mark.parametrize("code", [429, 502, 503, 504])
def test_a_busy_server_may_answer_later(server: Server, code: int) -> None:
    server.code, server.answer, server.retry_after = code, {}, "9"
    with pytest.raises(BusyError, match=f"{code} ") as raised:
        Endpoint(address(server), ASKED).describe([Image.new("RGB", (8, 8))])
    assert raised.value.seconds == 9.0


def test_a_server_that_hangs_or_goes_away_may_answer_later(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint = Endpoint(address(server), ASKED)
    endpoint.describe([Image.new("RGB", (8, 8))])
    monkeypatch.setattr("sdtui.tagging.describers.endpoint._SECONDS", 0.2)
    server.hangs.clear()
    with pytest.raises(BusyError, match="timed out"):
        endpoint.describe([Image.new("RGB", (8, 8))])
    server.hangs.set()
    server.shutdown()
    server.server_close()
    with pytest.raises(BusyError, match="refused"):
        endpoint.describe([Image.new("RGB", (8, 8))])


def test_image_and_key_are_not_sent_on(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    server.code = 302
    with pytest.raises(SdtuiError, match="refused: 302"):
        Endpoint(address(server), ASKED).describe([Image.new("RGB", (8, 8))])
    assert server.keys == ["Bearer secret"]


@pytest.mark.parametrize("key", ["sk-secret\nx", "sk-secret\u00e9"], ids=["two-lines", "not-ascii"])
def test_a_key_that_is_none_is_refused_and_not_shown(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", key)
    with pytest.raises(UserError, match="holds what no key holds") as raised:
        Endpoint("http://localhost:1/v1", ASKED)
    assert "secret" not in str(raised.value)


def test_the_line_end_behind_a_key_is_none_of_it(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "secret\n")
    Endpoint(address(server), ASKED).describe([Image.new("RGB", (8, 8))])
    assert server.keys == ["Bearer secret"]


@pytest.mark.parametrize(
    "word",
    ["http://me:secret@host/v1", "https://host/v1?key=secret", "http://host/v1#secret", "http:///v1", "http://[x/v1"],
    ids=["password", "query", "fragment", "no-host", "odd"],
)
def test_addresses_with_more_than_a_place_are_refused_before_they_are_stored(word: str) -> None:
    with pytest.raises(UserError, match="neither a key nor a password") as raised:
        checked(word)
    assert "secret" not in str(raised.value)


def test_addresses_are_told_from_files() -> None:
    assert is_address("http://localhost:8080/v1")
    assert not is_address("models/http")
