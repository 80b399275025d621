"""A mail server of aiosmtpd that tells of its clients: "EHLO NAME", "QUIT", "left", and whatever it or asyncio logs as an error.

    aiosmtpd-server.py FILE      a JSON object: host, address, certificates, keys, minimum, maximum, refusesEhloOverTls
"""
import asyncio
import json
import logging
import ssl
import sys

from aiosmtpd.smtp import SMTP

VERSIONS = {"TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3}


def say(line):
    print(line, flush=True)


class Handler:
    def __init__(self, refuses):
        self.refuses = refuses

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        say(f"EHLO {hostname}")
        if self.refuses and session.ssl is not None:
            return ["550 5.7.1 not to you"]
        session.host_name = hostname
        return responses

    async def handle_HELO(self, server, session, envelope, hostname):
        if self.refuses and session.ssl is not None:
            return "550 5.7.1 not to you"
        session.host_name = hostname
        return "250 hello"

    async def handle_QUIT(self, server, session, envelope):
        say("QUIT")
        return "221 2.0.0 bye"


class Server(SMTP):
    def connection_lost(self, error):
        say("left")
        super().connection_lost(error)


async def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        options = json.load(file)
    logging.basicConfig(level=logging.ERROR, stream=sys.stdout, format="error: %(name)s: %(message)s")
    context = None
    if options["certificates"]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = VERSIONS[options["minimum"]]
        context.maximum_version = VERSIONS[options["maximum"]]
        for certificate, key in zip(options["certificates"], options["keys"]):
            context.load_cert_chain(certificate, key)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Server(Handler(options["refusesEhloOverTls"]), hostname=options["host"], tls_context=context, loop=loop),
        options["address"], 25)
    await server.serve_forever()


asyncio.run(main())
