"""The Messages API as far as one run of the real Claude Code needs it: a tool call, then a last word. Loopback only."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

USAGE = {"input_tokens": 1000, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 2000}


def stream(name, content, stop):
    """One reply as server-sent events: (name, data)."""
    message = {
        "id": name,
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
    """Serves until `close`; `url` is what the client is given. The first turn calls Bash with `command`."""

    def __init__(self, command="true"):
        api = self
        self.turns = 0
        self.lock = threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                request = json.loads(self.rfile.read(int(self.headers["content-length"])) or b"{}")
                if "count_tokens" in self.path:
                    return self.answer(json.dumps({"input_tokens": 10}).encode(), "application/json")
                with api.lock:
                    main = bool(request.get("tools"))
                    api.turns += main
                    number = api.turns
                call = {"type": "tool_use", "id": f"toolu_{id(api):x}", "name": "Bash",
                        "input": {"command": command, "description": "Nothing"}}  # fmt: skip
                first = main and number == 1
                content = call if first else {"type": "text", "text": "fine"}
                name = f"msg_{id(api):x}_{number if main else 9000:04d}"  # each server's own
                events = stream(name, content, "tool_use" if first else "end_turn")
                body = "".join(
                    f"event: {name}\ndata: {json.dumps({'type': name} | data)}\n\n" for name, data in events
                )
                return self.answer(body.encode(), "text/event-stream")

            def do_GET(self):
                self.answer(b"{}", "application/json")

            def do_HEAD(self):
                self.answer(b"", "application/json")

            def answer(self, body, kind):
                self.send_response(200)
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
