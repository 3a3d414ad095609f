"""Ways in which a CouchDB, or what stands in its place, misbehaves. Each is a function of a request and
of `answer`, which carries the request out and gives the honest reply; it returns what is sent instead:
a Reply, bytes or a function of the socket's file (the connection is closed behind both), or None for the
honest reply.

None of them says in CouchDB's own words that something was stored which was not: no client can know
better than that."""
import gzip
import json
import socket
import struct
import time

from couch import Reply

HTML = b"<html><head><title>502</title></head><body><h1>Please log in</h1></body></html>"


# In these the store answers for each row, and says no.
REFUSALS = ("all-forbidden", "all-unauthorized")


def status(code, body=None, headers=(), kinds=("bulk", "ask", "document", "database")):
    def mode(request, _answer):
        if request.name not in kinds:
            return None
        said = body if body is not None else {"error": "some_error", "reason": "because"}
        return Reply(code, said, headers)
    return mode


def body_of(change, kinds=("bulk",), carry_out=True):
    """The honest reply with another body."""
    def mode(request, answer):
        if request.name not in kinds:
            return None
        honest = answer() if carry_out else Reply(201, b"")
        return Reply(honest.status, change(honest.body), honest.headers)
    return mode


def raw(make, kinds=("bulk", "ask", "document"), carry_out=True):
    """Bytes in the place of the honest reply, made of it."""
    def mode(request, answer):
        if request.name not in kinds:
            return None
        return make(answer().data() if carry_out else b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n[]")
    return mode


def entries(change):
    """The honest array of a bulk reply, changed."""
    return body_of(lambda body: json.dumps(change(json.loads(body))).encode())


def reset(wfile):
    raw_socket = wfile.raw._sock if hasattr(wfile, "raw") else wfile._sock
    raw_socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def reset_after(size, carry_out):
    def mode(request, answer):
        if request.name not in ("bulk", "ask", "document"):
            return None
        data = answer().data() if carry_out else b""

        def send(wfile):
            wfile.write(data[:size])
            wfile.flush()
            reset(wfile)
        return send
    return mode


def slowly(step, pause, most):
    def mode(request, answer):
        if request.name != "bulk":
            return None
        data = answer().data()

        def send(wfile):
            until = time.monotonic() + most
            for at in range(0, len(data), step):
                wfile.write(data[at:at + step])
                wfile.flush()
                if time.monotonic() > until:
                    break
                time.sleep(pause)
        return send
    return mode


def endless(piece, most=64 << 20):
    """A reply without end (the client must give up); bounded for our own sake."""
    def mode(request, _answer):
        if request.name not in ("bulk", "document"):
            return None

        def send(wfile):
            wfile.write(b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n\r\n")
            for _ in range(most // len(piece)):
                wfile.write(piece)
        return send
    return mode


def endless_headers(request, _answer):
    if request.name != "bulk":
        return None

    def send(wfile):
        wfile.write(b"HTTP/1.1 201 Created\r\n")
        for number in range(200000):
            wfile.write(b"X-Header-%d: nothing\r\n" % number)
    return send


def chunked(body, ending=b"0\r\n\r\n"):
    return (b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
            + b"%x\r\n" % len(body) + body + b"\r\n" + ending)


def body_in(data):
    return data.split(b"\r\n\r\n", 1)[1]


class Stale:
    """Each bulk request gets the reply of the one before."""

    def __init__(self):
        self.last = None

    def __call__(self, request, answer):
        if request.name != "bulk":
            return None
        honest = answer()
        reply, self.last = self.last or Reply(201, []), honest
        return Reply(reply.status, reply.body)


class Alternating:
    """Fails every other time."""

    def __init__(self, code):
        self.code, self.number = code, 0

    def __call__(self, request, _answer):
        self.number += 1
        return Reply(self.code, {"error": "x", "reason": "y"}) if self.number % 2 else None


def twice(request, answer):
    """A proxy that sends each request two times, and hands back the second reply."""
    if request.name != "bulk":
        return None
    answer()
    return answer()


def refuse_rows(reason, error="forbidden"):
    def mode(request, _answer):
        if request.name != "bulk":
            return None
        documents = json.loads(request.body)["docs"]
        return Reply(201, [{"id": document["_id"], "error": error, "reason": reason} for document in documents])
    return mode


def false_conflict(request, _answer):
    """Every document conflicts, and none is there."""
    if request.name == "bulk":
        return Reply(201, [{"id": document["_id"], "error": "conflict", "reason": "Document update conflict."}
                           for document in json.loads(request.body)["docs"]])
    if request.name == "document" and request.method == "PUT":
        return Reply(409, {"error": "conflict", "reason": "Document update conflict."})
    return None


def half_of_it(request, _answer):
    """Only the first half is stored, and only of that half there is an answer."""
    if request.name != "bulk":
        return None
    documents = json.loads(request.body)["docs"]
    return Reply(201, [{"id": document["_id"], "error": "unknown_error", "reason": "x"}
                       for document in documents[len(documents) // 2:]])


def modes():
    """name -> a function that makes the mode anew: some have a memory."""
    made = {}
    for code in (200, 201, 202, 203, 204, 205, 206, 207, 300, 301, 302, 303, 304, 307, 308, 400, 401, 402, 403,
                 404, 405, 406, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417, 418, 421, 422, 423, 424, 425,
                 426, 428, 429, 431, 451, 500, 501, 502, 503, 504, 505, 507, 508, 511, 520, 599):
        made[f"status-{code}"] = lambda code=code: status(code)
    for code in (200, 201, 202, 403, 404, 502, 503):
        made[f"html-{code}"] = lambda code=code: status(code, HTML, ["X-Proxy: yes"])
        made[f"html-document-{code}"] = lambda code=code: status(code, HTML, kinds=("document",))
    for code in (201, 202, 204, 206, 409, 412):
        made[f"document-{code}-empty"] = lambda code=code: status(code, b"", kinds=("document",))
        made[f"document-{code}-ok-only"] = lambda code=code: status(code, {"ok": True}, kinds=("document",))
    made["document-other-id"] = lambda: status(201, {"ok": True, "id": "other", "rev": "1-x"}, kinds=("document",))
    for name, value in (("seconds", "1"), ("date", time.strftime("%a, %d %b %Y %H:%M:%S GMT",
                                                              time.gmtime(time.time() + 1))),
                        ("past", "Mon, 01 Jan 1990 00:00:00 GMT"), ("rubbish", "soon"), ("negative", "-5"),
                        ("huge", "99999999999999999999")):
        for code in (429, 503):
            made[f"retry-after-{name}-{code}"] = lambda value=value, code=code: status(
                code, {"error": "x"}, [f"Retry-After: {value}"])
    for name, body in (("empty", b""), ("null", b"null"), ("object", b"{}"), ("array", b"[]"), ("text", b"\"ok\""),
                       ("number", b"1"), ("deep", b"[" * 100000), ("utf8", b"[{\"id\":\"\xff\xfe\"}]"),
                       ("nul", b"[\0]"), ("bom", b"\xef\xbb\xbf[]"), ("ids", b"[{\"id\":1,\"ok\":true}]"),
                       ("error-array", b"[{\"error\":\"internal_server_error\"}]")):
        made[f"body-{name}"] = lambda body=body: body_of(lambda _: body)
        made[f"body-{name}-not-done"] = lambda body=body: body_of(lambda _: body, carry_out=False)
        made[f"ask-{name}"] = lambda body=body: body_of(lambda _: body, kinds=("ask",))
    made["body-half"] = lambda: body_of(lambda body: body[:len(body) // 2])
    made["body-gzip"] = lambda: body_of(gzip.compress)
    made["entries-reversed"] = lambda: entries(lambda array: array[::-1])
    made["entries-missing"] = lambda: entries(lambda array: array[::2])
    made["entries-doubled"] = lambda: entries(lambda array: array + array)
    made["entries-more"] = lambda: entries(lambda array: [*array, {"ok": True, "id": "x", "rev": "1-x"}])
    made["entries-other-ids"] = lambda: entries(lambda array: [{**entry, "id": "x" + entry["id"]} for entry in array])
    made["entries-without-ok"] = lambda: entries(lambda array: [{"id": entry["id"]} for entry in array])
    made["entries-false"] = lambda: entries(lambda array: [{**entry, "ok": False} for entry in array])
    made["entries-strange-error"] = lambda: refuse_rows("x", "unknown_error")
    made["entries-500"] = lambda: refuse_rows("x", "internal_server_error")
    made["all-forbidden"] = lambda: refuse_rows("no")
    made["all-unauthorized"] = lambda: refuse_rows("no", "unauthorized")
    made["false-conflict"] = lambda: false_conflict
    made["half-of-it"] = lambda: half_of_it
    made["stale-replies"] = Stale
    made["twice"] = lambda: twice
    for code in (401, 404, 500, 503):
        made[f"every-other-{code}"] = lambda code=code: Alternating(code)
    for done in (True, False):
        suffix = "done" if done else "not-done"
        made[f"no-reply-{suffix}"] = lambda done=done: raw(lambda data: b"", carry_out=done)
        made[f"reset-{suffix}"] = lambda done=done: reset_after(0, done)
    made["reset-in-head"] = lambda: reset_after(20, True)
    made["reset-in-body"] = lambda: reset_after(150, True)
    made["cut-in-head"] = lambda: raw(lambda data: data[:30])
    made["cut-in-body"] = lambda: raw(lambda data: data[:-7])
    made["length-too-long"] = lambda: raw(lambda data: data.replace(b"Content-Length: ", b"Content-Length: 9", 1))
    made["length-too-short"] = lambda: raw(lambda data: data.replace(b"Content-Length: ", b"Content-Length: 0x", 1))
    made["length-twice"] = lambda: raw(lambda data: data.replace(b"\r\n", b"\r\nContent-Length: 3\r\n", 1))
    made["http-0.9"] = lambda: raw(body_in)
    made["rubbish"] = lambda: raw(lambda data: b"\x16\x03\x01\x02\x00" * 50)
    made["100-for-ever"] = lambda: raw(lambda data: b"HTTP/1.1 100 Continue\r\n\r\n" * 100000)
    made["chunks"] = lambda: raw(lambda data: chunked(body_in(data)))
    made["chunks-cut"] = lambda: raw(lambda data: chunked(body_in(data), b""))
    made["chunks-bad-size"] = lambda: raw(lambda data: chunked(body_in(data), b"zz\r\n"))
    made["chunks-huge-size"] = lambda: raw(lambda data: chunked(body_in(data), b"ffffffffffffffff\r\n"))
    made["slow-and-whole"] = lambda: slowly(4096, 0.02, 1)
    made["slow-without-end"] = lambda: slowly(1, 0.3, 4)
    made["endless-body"] = lambda: endless(b"[" + b" " * 65535)
    made["endless-json"] = lambda: endless(b"{\"id\":\"x\",\"ok\":true}," * 3000)
    made["endless-headers"] = lambda: endless_headers
    made["redirect-to-itself"] = lambda: status(302, b"", ["Location: /feed/_bulk_docs"])
    made["redirect-elsewhere"] = lambda: status(307, b"", ["Location: http://127.0.0.1:1/"])
    made["set-cookies"] = lambda: status(503, {"error": "x"}, [f"Set-Cookie: c{n}=" + "x" * 4000 for n in range(20)])
    made["escape-sequences"] = lambda: status(
        500, {"error": "\x1b[2J\x1b]0;x\x07", "reason": "a\nb\u202e\u2028" + "x" * 30000})
    return made
