"""Small web servers for tests, on free ports of this machine."""

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextlib.contextmanager
def web_server(answer):
    """Serve `answer(method, path, headers, body)`, which gives status, headers and body; yields the
    server's address.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, headers, content = answer(self.command, self.path, self.headers, body)
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def mirror(method, path, headers, body):
    """Answer with the request: its method, path, headers and body, in JSON."""
    seen = {
        "method": method,
        "path": path,
        "headers": [[name.lower(), value] for name, value in headers.items()],
        "body": body.decode("latin-1"),
    }
    return 200, [("Content-Type", "application/json")], json.dumps(seen).encode()
