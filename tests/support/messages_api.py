"""The Messages API as far as the real Claude Code needs it: scripted replies, then a last word. Loopback only."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

USAGE = {"input_tokens": 1000, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 2000}
FINE = {"type": "text", "text": "fine"}


def call(number=1, command="true"):
    """A call of the tool Bash."""
    return {"type": "tool_use", "id": f"toolu_{number:04d}", "name": "Bash",
            "input": {"command": command, "description": "Nothing"}}  # fmt: skip


ONE_CALL = ((call(), USAGE | {"output_tokens": 40}), (FINE, USAGE | {"output_tokens": 40}))


def stream(identity, content, usage, model):
    """One reply as server-sent events: (name, data)."""
    stop = "tool_use" if content["type"] == "tool_use" else "end_turn"
    message = {
        "id": identity,
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage | {"output_tokens": 1},
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
    yield "message_delta", {"delta": {"stop_reason": stop, "stop_sequence": None}, "usage": usage}
    yield "message_stop", {}


class Api:
    """Serves until `close`; `url` is what the client is given.

    `script` is a list of (content, usage) for the calls with tools, which are those of the client's main loop;
    after it, and to calls without tools (titles and the like), it says "fine". `requests` holds what the client
    asked for, in order. `request_id` is sent with every
    answer, as some relays do; of the answers to the turns in `cut` only the first part is sent.
    """

    def __init__(self, script=ONE_CALL, request_id=None, cut=()):
        api = self
        self.turns = self.calls = 0
        self.requests = []
        self.lock = threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                request = json.loads(self.rfile.read(int(self.headers["content-length"])) or b"{}")
                if "count_tokens" in self.path:
                    return self.answer(json.dumps({"input_tokens": 10}).encode(), "application/json")
                with api.lock:
                    main = bool(request.get("tools"))
                    api.turns += main
                    api.calls += 1
                    api.requests.append(request)
                    turn, number = api.turns, api.calls
                content, usage = (
                    script[turn - 1]
                    if main and turn <= len(script)
                    else (FINE, USAGE | {"output_tokens": 40})
                )
                identity = f"msg_{id(api):x}_{number:04d}"  # no other server's
                events = stream(identity, content, usage, request["model"])
                body = "".join(
                    f"event: {name}\ndata: {json.dumps({'type': name} | data)}\n\n" for name, data in events
                )
                named = request_id or identity.replace("msg", "req")
                return self.answer(body.encode(), "text/event-stream", named, cut=main and turn in cut)

            def do_GET(self):
                self.answer(b"{}", "application/json")

            def do_HEAD(self):
                self.answer(b"", "application/json")

            def answer(self, body, kind, request=None, cut=False):
                self.send_response(200)
                if request is not None:
                    self.send_header("request-id", request)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                if cut:
                    self.wfile.write(body[: body.index(b"event: content_block_stop")])
                    self.close_connection = True
                    return
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
