"""Gives git repositories away as a web server does, by git's own program for servers, with or without TLS.

argv = folder of the repositories, PEM file with certificate and key or nothing, `NAME:PASSWORD` or nothing,
record of requests. Says its port. `redirects.json` in the folder tells which beginnings of paths lead where.
"""

import base64
import http.server
import json
import os
import ssl
import subprocess
import sys

root, certificate, login, record = sys.argv[1:5]
wanted = "Basic " + base64.b64encode(login.encode()).decode()


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *words):
        pass

    def serve(self):
        given = self.headers.get("Authorization", "none")
        with open(record, "a") as out:
            out.write(f"{self.command} {self.path} {given}\n")
        try:
            with open(os.path.join(root, "redirects.json")) as lines:
                redirects = json.load(lines)
        except FileNotFoundError:
            redirects = {}
        for beginning, target in redirects.items():
            if self.path.startswith(beginning):
                return self.answer(302, {"Location": target + self.path[len(beginning):]})
        if login and given != wanted:
            return self.answer(401, {"WWW-Authenticate": 'Basic realm="tests"'})
        self.backend()

    def backend(self):
        path, _, query = self.path.partition("?")
        length = int(self.headers.get("Content-Length") or 0)
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": root,
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "safe.directory",
            "GIT_CONFIG_VALUE_0": "*",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(length),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        done = subprocess.run(
            ["git", "http-backend"], env=environment, input=self.rfile.read(length), stdout=subprocess.PIPE
        )
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        status = int(headers.pop("Status", "200").split(" ")[0])
        self.answer(status, headers, body)

    def answer(self, status, headers, body=b""):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = serve


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # A client that does not like the certificate goes away.


server = Server(("127.0.0.1", 0), Handler)
if certificate:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
print(server.server_address[1], flush=True)
server.serve_forever()
