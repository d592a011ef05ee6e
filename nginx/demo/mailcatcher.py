#!/usr/bin/python3 -I
"""Catches the demo's mails: SMTP on a UNIX socket; each mail becomes a file of a Maildir.

    mailcatcher.py SOCKET MAILDIR

Delivers nothing anywhere. TERM: no new mail begins, those under way are still taken.
"""

import asyncio
import mailbox
import os
import signal
import sys

from aiosmtpd.smtp import SMTP

DRAIN_SECONDS = 10


class Keeper:
    """Writes each mail below the two lines that a mail server puts on top of what it delivers."""

    def __init__(self, folder):
        self.maildir = mailbox.Maildir(folder)

    async def handle_DATA(self, _server, _session, envelope):
        lines = [f"Return-Path: <{envelope.mail_from}>"]
        lines += [f"Delivered-To: {address}" for address in envelope.rcpt_tos]
        head = "".join(line + "\n" for line in lines).encode("utf-8", "surrogateescape")
        self.maildir.add(head + envelope.content.replace(b"\r\n", b"\n"))
        return "250 OK"


class Session(SMTP):
    """One connection. `open` holds those that have not ended."""

    open = set()

    def connection_made(self, transport):
        super().connection_made(transport)
        self.open.add(self)

    def connection_lost(self, error):
        super().connection_lost(error)
        self.open.discard(self)

    def is_idle(self):
        return self.envelope.mail_from is None


async def drain():
    for _ in range(DRAIN_SECONDS * 20):
        for session in list(Session.open):
            if session.is_idle() and session.transport is not None:
                session.transport.close()
        if not Session.open:
            return
        await asyncio.sleep(0.05)


async def serve(path, folder):
    loop = asyncio.get_running_loop()
    keeper = Keeper(folder)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    # The name is said in the greeting; without one it would be looked up.
    server = await loop.create_unix_server(
        lambda: Session(keeper, hostname="localhost", enable_SMTPUTF8=True, loop=loop), path
    )
    os.chmod(path, 0o600)
    await stop.wait()
    server.close()
    await drain()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: mailcatcher.py SOCKET MAILDIR")
    os.umask(0o077)
    asyncio.run(serve(sys.argv[1], sys.argv[2]))
