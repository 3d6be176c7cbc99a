"""Servers that a transfer meets: HTTP of our own, FTP of pyftpdlib, with and without TLS, and with bad habits."""

from __future__ import annotations

import contextlib
import ipaddress
import logging
import socket
import ssl
import threading
import warnings
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.conftest import scaled

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # of asyncore, which Python 3.11 still has
    from pyftpdlib.authorizers import DummyAuthorizer
    from pyftpdlib.handlers import DTPHandler, FTPHandler, TLS_DTPHandler, TLS_FTPHandler
    from pyftpdlib.ioloop import IOLoop
    from pyftpdlib.servers import FTPServer

USER, PASSWORD = "station 7", "p@ss/w:rd%41"
USERINFO = "station%207:p%40ss%2Fw%3Ard%2541"  # the two, as a URL has them
CONTENT = bytes(range(256)) * 2048  # 512 KiB, eight blocks

logging.getLogger("pyftpdlib").setLevel(logging.CRITICAL)


@dataclass(frozen=True)
class Identity:
    """A certificate that is its own authority, and its key, as files."""

    certificate: str
    both: str


def make_identity(folder: Path, name: str, address: str = "127.0.0.1") -> Identity:
    """A self-signed certificate for localhost and one address."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    usage = {"digital_signature": True, "key_cert_sign": True, "crl_sign": True}
    unused = ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.KeyUsage(**usage, **dict.fromkeys(unused, False), encipher_only=False, decipher_only=False),
            critical=True,
        )
        .add_extension(identifier, critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / f"{name}.pem").write_bytes(pem)
    (folder / f"{name}.both.pem").write_bytes(pem + secret)
    return Identity(str(folder / f"{name}.pem"), str(folder / f"{name}.both.pem"))


# --- HTTP -----------------------------------------------------------------------------------------------------------


@dataclass
class Request:
    """What a client sent."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class WebServer:
    """The behaviour of an HTTP server and what it saw. Tests change the attributes."""

    port: int = 0
    content: bytes = CONTENT
    headers: dict[str, str] = field(default_factory=dict)  # of answers with content
    ranges: bool = True
    wrong_range: bool = False  # 206, but not with what was asked for
    blind_range: bool = False  # 206, whatever If-Range says
    silent_range: bool = False  # 206 without Content-Range
    cut_at: int | None = None  # bytes of content after which the connection ends, once
    cut_body_at: int | None = None  # bytes of a request's body after which it is answered, unread
    stall_at: int | None = None  # bytes of content after which nothing more comes
    drip: float = 0.0  # seconds between the bytes of the head of an answer
    chunked: bool = False
    say_length: bool = True
    status: int = 0  # for all requests
    redirects: dict[str, tuple[int, str]] = field(default_factory=dict)
    authorization: str | None = None  # required
    raw: bytes = b""  # instead of an answer
    requests: list[Request] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)
    tls: bool = False

    def url(self, path: str = "/fw.bin", userinfo: str = "") -> str:
        scheme = "https" if self.tls else "http"
        return f"{scheme}://{userinfo}{'@' if userinfo else ''}127.0.0.1:{self.port}{path}"


class _WebHandler(BaseHTTPRequestHandler):
    site: WebServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *_arguments: Any) -> None:
        """Be quiet."""

    def _answer(self) -> None:
        site = self.site
        length = int(self.headers.get("Content-Length", 0))
        unread = site.cut_body_at is not None and length > site.cut_body_at
        body = self.rfile.read(site.cut_body_at if unread else length)
        site.requests.append(Request(self.command, self.path, dict(self.headers), body))
        self.close_connection = True
        if site.raw:
            self.wfile.write(site.raw)
        elif site.authorization is not None and self.headers.get("Authorization") != site.authorization:
            self._empty(401)
        elif self.path in site.redirects:
            status, location = site.redirects[self.path]
            self._empty(status, location)
        elif site.status:
            self._empty(site.status)
        elif self.command == "GET":
            self._content()
        else:
            self._empty(201)

    do_GET = do_PUT = do_POST = _answer  # noqa: N815 - names of http.server

    def _empty(self, status: int, location: str = "") -> None:
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _content(self) -> None:
        site = self.site
        start = self._start()
        if start is not None and start >= len(site.content):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(site.content)}")
            self.end_headers()
            return
        body = site.content[start or 0 :]
        self.send_response(200 if start is None else 206)
        if start is not None and not site.silent_range:
            told = start + site.wrong_range
            self.send_header("Content-Range", f"bytes {told}-{len(site.content) - 1}/{len(site.content)}")
        for name, value in site.headers.items():
            self.send_header(name, value)
        if site.chunked:
            self.send_header("Transfer-Encoding", "chunked")
        elif site.say_length:
            self.send_header("Content-Length", str(len(body)))
        self._end_of_head()
        self._body(body)

    def _end_of_head(self) -> None:
        if self.site.drip:
            for _tick in range(200):
                self.wfile.write(b"X")
                if self.site.closing.wait(self.site.drip):
                    return
            self.wfile.write(b": y\r\n")
        self.end_headers()

    def _start(self) -> int | None:
        wanted = self.headers.get("Range", "")
        known = (self.site.headers.get("ETag"), self.site.headers.get("Last-Modified"))
        same = self.site.blind_range or self.headers.get("If-Range") in known
        if not self.site.ranges or not wanted or not same:
            return None
        return int(wanted.removeprefix("bytes=").removesuffix("-"))

    def _body(self, body: bytes) -> None:
        site = self.site
        cut, site.cut_at = site.cut_at, None
        end = min(limit for limit in (len(body), cut, site.stall_at) if limit is not None)
        if site.chunked:
            for at in range(0, end, 50_000):
                block = body[at : min(at + 50_000, end)]
                self.wfile.write(f"{len(block):x}\r\n".encode() + block + b"\r\n")
            if end == len(body):
                self.wfile.write(b"0\r\n\r\n")
        else:
            self.wfile.write(body[:end])
        self.wfile.flush()
        if site.stall_at is not None:
            site.closing.wait()


@contextlib.contextmanager
def web_server(identity: Identity | None = None) -> Iterator[WebServer]:
    """An HTTP server, or HTTPS with an identity."""
    site = WebServer(tls=identity is not None)
    handler = type("Handler", (_WebHandler,), {"site": site})

    class Server(ThreadingHTTPServer):
        daemon_threads = False
        block_on_close = True

        def handle_error(self, *_arguments: Any) -> None:
            """Clients that leave early are the point of many tests."""

    server = Server(("127.0.0.1", 0), handler)
    if identity is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(identity.both)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    site.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield site
    finally:
        site.closing.set()
        server.shutdown()
        thread.join(scaled(10))
        server.server_close()


# --- FTP ------------------------------------------------------------------------------------------------------------


@dataclass
class FtpSite:
    """The behaviour of an FTP server and what it saw. Tests change the attributes."""

    folder: Path
    host: str
    port: int = 0
    scheme: str = "ftp"
    cut_at: int | None = None  # bytes of one transfer after which all connections end, once
    cut_reply: str = ""  # only the data connection ends at the cut, and this is said
    ragged: bool = False  # data connections end without the goodbye of TLS
    refused: dict[str, str] = field(default_factory=dict)  # command -> reply
    prefixes: dict[str, str] = field(default_factory=dict)  # command -> a reply before the reply
    commands: list[str] = field(default_factory=list)
    arrived: list[bytes] = field(default_factory=list)  # what was uploaded, as it came

    def url(self, path: str = "/fw.bin", userinfo: str = USERINFO) -> str:
        return f"{self.scheme}://{userinfo}{'@' if userinfo else ''}{self.host}:{self.port}{path}"


def _data_handler(site: FtpSite, base: type[DTPHandler]) -> type[DTPHandler]:
    class Data(base):  # type: ignore[misc]
        def send(self, block: bytes) -> int:
            if site.cut_at is not None and self.tot_bytes_sent >= site.cut_at:
                self._cut()
                return 0
            return int(super().send(block))

        def recv(self, size: int) -> bytes:
            block = bytes(super().recv(size))
            site.arrived.append(block)
            if site.cut_at is not None and sum(map(len, site.arrived)) >= site.cut_at:
                self._cut()
            return block

        def _cut(self) -> None:
            site.cut_at = None
            if site.cut_reply:
                self._resp = (site.cut_reply, logging.debug)
                self.close()
                return
            if self.receive:
                self.file_obj.flush()
            self.cmd_channel.close()

        def close(self) -> None:
            if site.ragged and not self._closed:
                self.socket.sock_shutdown(socket.SHUT_RDWR)
                DTPHandler.close(self)
            else:
                super().close()

    return Data


def _handlers(site: FtpSite, identity: Identity | None, implicit: bool) -> type[FTPHandler]:
    control, data = (FTPHandler, DTPHandler) if identity is None else (TLS_FTPHandler, TLS_DTPHandler)

    class Control(control):  # type: ignore[misc, valid-type]
        def pre_process_command(self, line: str, command: str, argument: str) -> None:
            site.commands.append(line)
            if command in site.refused:
                self.respond(site.refused[command])
            else:
                if command in site.prefixes:
                    self.respond(site.prefixes[command])
                super().pre_process_command(line, command, argument)

        def handle(self) -> None:
            if implicit:
                self.secure_connection(self.ssl_context)
            else:
                super().handle()

        def handle_ssl_established(self) -> None:
            if implicit:
                super().handle()

    Control.dtp_handler = _data_handler(site, data)
    Control.use_sendfile = False
    Control.auth_failed_timeout = 0
    if identity is not None:
        Control.certfile = identity.both
        Control.tls_control_required = Control.tls_data_required = True
        Control.get_ssl_context().set_session_id(b"tests")  # sessions may be used again
    Control.authorizer = DummyAuthorizer()
    Control.authorizer.add_user(USER, PASSWORD, str(site.folder), perm="elradfmwMT")
    Control.authorizer.add_anonymous(str(site.folder))  # may read only
    return Control


@contextlib.contextmanager
def ftp_server(
    folder: Path, identity: Identity | None = None, *, implicit: bool = False, address: str = "127.0.0.1"
) -> Iterator[FtpSite]:
    """An FTP server on a folder, or FTPS with an identity."""
    host = f"[{address}]" if ":" in address else address
    site = FtpSite(folder, host=host, scheme="ftp" if identity is None else "ftps")
    server = FTPServer((address, 0), _handlers(site, identity, implicit), ioloop=IOLoop())
    site.port = server.address[1]
    closing = threading.Event()

    def serve() -> None:
        while not closing.is_set():
            server.ioloop.loop(timeout=0.02, blocking=False)
        server.close_all()
        server.ioloop.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield site
    finally:
        closing.set()
        thread.join(scaled(10))
