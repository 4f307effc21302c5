"""The Messages API as far as one run of the real Claude Code needs it: a tool call, then a last word. Loopback only."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

USAGE = {
    "input_tokens": 1000, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 2000,
    "cache_creation": {"ephemeral_5m_input_tokens": 500, "ephemeral_1h_input_tokens": 1500},
}  # fmt: skip


CALL = {"type": "tool_use", "name": "Bash", "input": {"command": "true", "description": "Nothing"}}
WORD = {"type": "text", "text": "fine"}


def stream(number, content, stop):
    """One reply as server-sent events: (name, data)."""
    message = {
        "id": f"msg_{number:04d}",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-5",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": USAGE | {"output_tokens": 1},
    }
    yield "message_start", {"message": message}
    kind = content["type"]
    start = {"type": "text", "text": ""} if kind == "text" else {**content, "input": {}}
    delta = (
        {"type": "text_delta", "text": content["text"]}
        if kind == "text"
        else {"type": "input_json_delta", "partial_json": json.dumps(content["input"])}
    )
    yield "content_block_start", {"index": 0, "content_block": start}
    yield "content_block_delta", {"index": 0, "delta": delta}
    yield "content_block_stop", {"index": 0}
    yield (
        "message_delta",
        {"delta": {"stop_reason": stop, "stop_sequence": None}, "usage": USAGE | {"output_tokens": 40}},
    )
    yield "message_stop", {}


class Api:
    """Serves until `close`; `url` is what the client is given, `served` how many requests were answered.

    `script`: what is answered in turn to requests that carry tools; then, and to others, a word.
    """

    def __init__(self, script=(CALL,)):
        api = self
        self.script, self.served = list(script), 0
        self.lock = threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                request = json.loads(self.rfile.read(int(self.headers["content-length"])) or b"{}")
                if "count_tokens" in self.path:
                    return self.answer(json.dumps({"input_tokens": 10}).encode(), "application/json")
                with api.lock:
                    api.served += 1
                    number = api.served
                    content = api.script.pop(0) if request.get("tools") and api.script else WORD
                if content["type"] == "tool_use":
                    content = {"id": f"toolu_{number:04d}", **content}
                stop = "tool_use" if content["type"] == "tool_use" else "end_turn"
                events = stream(number, content, stop)
                body = "".join(
                    f"event: {name}\ndata: {json.dumps({'type': name} | data)}\n\n" for name, data in events
                )
                return self.answer(body.encode(), "text/event-stream", f"req_{number:04d}")

            def do_GET(self):
                self.answer(b"{}", "application/json")

            def do_HEAD(self):
                self.answer(b"", "application/json")

            def answer(self, body, kind, name=None):
                self.send_response(200)
                if name is not None:
                    self.send_header("request-id", name)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
