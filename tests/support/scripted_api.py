"""A scripted stand-in for two vendors' APIs, on loopback only: real clients are pointed at it.

Speaks OpenAI's chat completions and responses (Copilot CLI, OpenCode, Codex) and Gemini's
generateContent, streamed or not. A script is a list of replies given in order; when it runs out a
short text ends the turn. A reply is {"text": …} or {"call": (name, arguments)}, each with "usage":
{"input", "cached", "output", "reasoning"}, or {"status": 500}. With "cut" only so many events of its stream are sent.
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

POLL_S = 0.02  # how often the server asks whether it is to end
FALLBACK = {"text": "Done.", "usage": {"input": 100, "cached": 0, "output": 10, "reasoning": 0}}


class Api:
    """The running server; `asked` is what it was asked for, in order."""

    def __init__(self, script=(), side=None):
        self.script, self.side, self.asked, self._lock = list(script), side, [], threading.Lock()
        self._number = 0
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self._thread = threading.Thread(target=self.server.serve_forever, args=(POLL_S,), daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()

    def reply(self, path, request):
        """The next of the script; `side(request)` may answer a call that is none of the script's."""
        with self._lock:
            self._number += 1
            own = self.side(path, request) if self.side else None
            self.asked.append({"path": path, "side": own is not None, "model": request.get("model")})
            return self._number, own or (self.script.pop(0) if self.script else FALLBACK)


def _handler(api):
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def do_GET(self):
            self._json(200, {"object": "list", "data": [], "models": []})

        def do_POST(self):
            raw = self.rfile.read(int(self.headers.get("content-length") or 0))
            request = json.loads(raw or b"{}")
            path = self.path.partition("?")[0]
            if path.endswith(":countTokens"):
                return self._json(200, {"totalTokens": 10})
            if not path.endswith(("/responses", "/completions")) and "enerateContent" not in path:
                return self._json(200, {})
            number, reply = api.reply(path, request)
            if reply.get("status", 200) != 200:
                return self._json(
                    reply["status"], {"error": {"message": "scripted", "code": reply["status"]}}
                )
            self.cut = reply.get("cut")
            if "enerateContent" in path:
                return self._gemini(path, number, reply)
            if path.endswith("/responses"):
                return self._responses(request, number, reply)
            return self._chat(request, number, reply)

        def _json(self, status, body):
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def _stream(self, events):
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.end_headers()
            for event in events[: self.cut]:
                name = f"event: {event['type']}\n" if "type" in event else ""
                self.wfile.write(f"{name}data: {json.dumps(event)}\n\n".encode())

        def _gemini(self, path, number, reply):
            use = reply["usage"]
            if "call" in reply:
                part = {"functionCall": {"name": reply["call"][0], "args": reply["call"][1]}}
            else:
                part = {"text": reply["text"]}
            body = {
                "candidates": [
                    {"content": {"role": "model", "parts": [part]}, "finishReason": "STOP", "index": 0}
                ],
                "usageMetadata": {
                    "promptTokenCount": use["input"],
                    "cachedContentTokenCount": use["cached"],
                    "candidatesTokenCount": use["output"],
                    "thoughtsTokenCount": use["reasoning"],
                    "totalTokenCount": use["input"] + use["output"] + use["reasoning"],
                },
                "responseId": f"answer-{number}",
            }
            if "stream" in path:
                return self._stream([body])
            return self._json(200, body)

        def _chat(self, request, number, reply):
            use = reply["usage"]
            usage = {
                "prompt_tokens": use["input"],
                "completion_tokens": use["output"],
                "total_tokens": use["input"] + use["output"],
                "prompt_tokens_details": {"cached_tokens": use["cached"]},
                "completion_tokens_details": {"reasoning_tokens": use["reasoning"]},
            }
            base = {"id": f"chat-{number}", "created": 1, "model": request.get("model")}
            if "call" in reply:
                call = {"name": reply["call"][0], "arguments": json.dumps(reply["call"][1])}
                tool = {"index": 0, "id": f"call_{number}", "type": "function", "function": call}
                message, why = {"role": "assistant", "content": None, "tool_calls": [tool]}, "tool_calls"
            else:
                message, why = {"role": "assistant", "content": reply["text"]}, "stop"
            if not request.get("stream"):
                choice = {"index": 0, "finish_reason": why, "message": message}
                return self._json(
                    200, {**base, "object": "chat.completion", "usage": usage, "choices": [choice]}
                )
            chunk = {**base, "object": "chat.completion.chunk"}
            return self._stream(
                [
                    {**chunk, "choices": [{"index": 0, "delta": message, "finish_reason": None}]},
                    {**chunk, "choices": [{"index": 0, "delta": {}, "finish_reason": why}]},
                    {**chunk, "choices": [], "usage": usage},
                ]
            )

        def _responses(self, request, number, reply):
            use = reply["usage"]
            if "call" in reply:
                item = {
                    "type": "function_call", "id": f"fc_{number}", "call_id": f"call_{number}",
                    "name": reply["call"][0], "arguments": json.dumps(reply["call"][1]),
                }  # fmt: skip
            else:
                content = [{"type": "output_text", "text": reply["text"], "annotations": []}]
                item = {"type": "message", "id": f"msg_{number}", "role": "assistant", "content": content}
            usage = {
                "input_tokens": use["input"],
                "input_tokens_details": {"cached_tokens": use["cached"]},
                "output_tokens": use["output"],
                "output_tokens_details": {"reasoning_tokens": use["reasoning"]},
                "total_tokens": use["input"] + use["output"],
            }
            body = {
                "id": f"resp_{number}", "object": "response", "status": "completed",
                "model": request.get("model"), "output": [item], "usage": usage,
            }  # fmt: skip
            if not request.get("stream"):
                return self._json(200, body)
            return self._stream(
                [
                    {"type": "response.created", "response": {"id": body["id"]}},
                    {"type": "response.output_item.done", "output_index": 0, "item": item},
                    {"type": "response.completed", "response": body},
                ]
            )

    return Handler
