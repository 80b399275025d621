"""Mail servers that behave as a file says, each at addresses of its own.

    mail-servers.py FILE      a JSON array of servers; prints "ready" once all of them listen, and then a line
                              "taken tls RECIPIENT" or "taken plain RECIPIENT" for every mail

Python, because its ssl module hands OpenSSL through: old TLS versions, any cipher list, several certificates, SNI and client
certificates, which .NET's SslStream cannot serve. A server is an object:

    addresses, port     where it listens
    greeting            its lines; "~N" as a line waits N seconds, "~close" ends the connection; so it is of the next three
    ehlo, helo          the replies, lists of lines; STARTTLS is one of the lines of "ehlo"
    ehlo_tls            the reply to EHLO once TLS is on
    starttls            the reply to STARTTLS; "" hangs, null closes
    behind              what is sent in the clear behind that reply, in the same segment
    handshake           "tls", "garbage", "close", "alert" or "hang"; "close" also behind a reply that refuses
    mail                the reply to MAIL, RCPT and DATA
    newline             the end of a line
    tls                 {chains, minimum, maximum, ciphers, curve, dh, client, client_ca, sni, sni_only, delay, options}
"""
import json
import os
import selectors
import socket
import ssl
import sys
import threading
import time
import warnings

warnings.simplefilter("ignore", DeprecationWarning)  # TLS 1.0 and 1.1 are what this is for
VERSIONS = {"1.0": ssl.TLSVersion.TLSv1, "1.1": ssl.TLSVersion.TLSv1_1, "1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
CLIENT = {"none": ssl.CERT_NONE, "ask": ssl.CERT_OPTIONAL, "require": ssl.CERT_REQUIRED}
LONGEST_SILENCE = 60
IPV6_FREEBIND = 78  # linux/in6.h; the socket module does not name it


def context(tls, chains):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = VERSIONS[tls.get("minimum") or "1.0"]
    made.maximum_version = VERSIONS[tls.get("maximum") or "1.3"]
    made.set_ciphers(tls.get("ciphers") or "ALL:!aNULL:!eNULL:@SECLEVEL=0")
    # Every handshake is to show the certificate.
    made.options |= ssl.OP_NO_TICKET
    made.num_tickets = 0
    made.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    for option in tls.get("options") or []:
        made.options |= getattr(ssl, option)
    if tls.get("curve"):
        made.set_ecdh_curve(tls["curve"])
    if tls.get("dh"):
        made.load_dh_params(tls["dh"])
    for chain in chains:
        made.load_cert_chain(chain)
    made.verify_mode = CLIENT[tls.get("client") or "none"]
    if tls.get("client_ca"):
        made.load_verify_locations(tls["client_ca"])
    return made


class Server:
    def __init__(self, script):
        self.script = script
        self.newline = (script.get("newline") or "\r\n").encode()
        tls = script.get("tls")
        self.context = context(tls, tls.get("chains") or []) if tls else None
        if tls and (tls.get("sni") or tls.get("sni_only")):
            self.names = {name: context(tls, chains) for name, chains in (tls.get("sni") or {}).items()}
            self.strict = tls.get("sni_only")
            self.context.sni_callback = self.choose

    def choose(self, connection, name, _):
        if name in self.names:
            connection.context = self.names[name]
        elif self.strict:
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        return None

    def converse(self, connection):
        connection.settimeout(LONGEST_SILENCE)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        conversation = Conversation(self, connection)
        try:
            conversation.run()
        except (OSError, ssl.SSLError, UnicodeError):
            pass  # the client went away, or did not like the handshake
        finally:
            conversation.connection.close()


class Conversation:
    def __init__(self, server, connection):
        self.server = server
        self.script = server.script
        self.connection = connection
        self.kept = b""
        self.secure = False
        self.recipient = ""

    def send(self, lines):
        for line in lines:
            if line == "~close":
                raise ConnectionAbortedError
            if line.startswith("~"):
                time.sleep(float(line[1:]))
            else:
                self.connection.sendall(line.encode("latin-1") + self.server.newline)

    def line(self):
        while b"\n" not in self.kept:
            more = self.connection.recv(65536)
            if not more:
                return None
            self.kept += more
        first, self.kept = self.kept.split(b"\n", 1)
        return first.rstrip(b"\r").decode("latin-1")

    def hang(self):
        while self.connection.recv(65536):
            pass

    def run(self):
        script = self.script
        greeting = script.get("greeting")
        if greeting is None:
            return
        if greeting == []:
            return self.hang()
        self.send(greeting)
        if not greeting[-1].startswith("220"):
            self.line()
            return self.send(["221 2.0.0 bye"])
        while (command := self.line()) is not None:
            verb = command.split(" ")[0].upper()
            if verb == "QUIT":
                return self.send(["221 2.0.0 bye"])
            elif verb == "EHLO":
                self.send(script["ehlo_tls"] if self.secure else script["ehlo"])
            elif verb == "HELO":
                self.send(script["helo"])
            elif verb == "STARTTLS":
                if not self.start_tls():
                    return None
            elif verb == "DATA":
                if script.get("mail"):
                    self.send([script["mail"]])
                    continue
                self.send(["354 go ahead"])
                while (text := self.line()) not in (".", None):
                    pass
                # One write: print makes two, between which another thread may write.
                os.write(1, f"taken {'tls' if self.secure else 'plain'} {self.recipient}\n".encode())
                self.send(["250 2.0.0 taken"])
            else:
                if verb == "RCPT":
                    self.recipient = command.partition("<")[2].partition(">")[0]
                self.send([script.get("mail") or "250 2.0.0 ok"])
        return None

    def start_tls(self):
        """False where the conversation ends here."""
        script = self.script
        reply = script["starttls"]
        if reply is None:
            return False
        if reply == "":
            self.hang()
            return False
        newline = self.server.newline
        self.connection.sendall(reply.encode() + newline + (script.get("behind") or "").encode())
        if not reply.startswith("2"):
            return script.get("handshake") != "close"
        kind = script.get("handshake") or "tls"
        if kind == "close":
            return False
        if kind == "hang":
            self.hang()
            return False
        if kind in ("garbage", "alert"):
            self.connection.recv(65536)
            # An alert record: fatal, handshake_failure (RFC 8446 section 6).
            self.connection.sendall(b"\x15\x03\x03\x00\x02\x02\x28" if kind == "alert" else b"this is not a TLS record\r\n" * 8)
            self.hang()
            return False
        time.sleep(script["tls"].get("delay") or 0)
        self.connection = self.server.context.wrap_socket(self.connection, server_side=True)
        self.kept = b""
        self.secure = True
        return True


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        scripts = json.load(file)
    selector = selectors.DefaultSelector()
    for script in scripts:
        server = Server(script)
        for address in script["addresses"]:
            listener = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if ":" in address:
                # A network may be ours as a whole without any address of it on an interface; IPv4 asks for no permission.
                listener.setsockopt(socket.IPPROTO_IPV6, IPV6_FREEBIND, 1)
            listener.bind((address, script.get("port") or 25))
            listener.listen(128)
            selector.register(listener, selectors.EVENT_READ, server)
    print("ready", flush=True)
    while True:
        for key, _ in selector.select():
            connection, _ = key.fileobj.accept()
            threading.Thread(target=key.data.converse, args=(connection,), daemon=True).start()


main()
