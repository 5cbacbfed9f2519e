"""Links between our processes and their two servers, which can be cut, stalled, delayed, or broken off
in the middle of a frame.

A link is one process's way to one server: a listener of its own, so that a fault can meet one process
or all of them. The loop that serves all links has a thread of its own; other threads change a link
through the methods of Proxy.
"""

import asyncio
import contextlib
import os
import threading

CHUNK = 64 * 1024


class Link:
    """What is wrong with a link just now, and its connections."""

    def __init__(self, connect):
        self.connect = connect          # to the server: a coroutine function, (reader, writer)
        self.is_down = False            # connections are refused
        self.delay_s = 0.0              # for each piece of data, either way
        self.bytes_left = None          # then all connections break off; None: never
        self.flows = asyncio.Event()    # cleared: nothing passes, and nobody is told
        self.flows.set()
        self.writers = set()

    def cut(self):
        """Breaks off all connections, as a router that died does: without a farewell."""
        for writer in list(self.writers):
            writer.transport.abort()

    async def serve(self, reader, writer):
        if self.is_down:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await self.connect()
        except OSError:
            writer.transport.abort()
            return
        ends = {writer, far_writer}
        self.writers |= ends
        try:
            await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))
        except OSError:
            pass
        finally:
            self.writers -= ends
            for end in ends:
                end.transport.abort()

    async def _pump(self, reader, writer):
        while data := await reader.read(CHUNK):
            await self.flows.wait()
            if self.delay_s:
                await asyncio.sleep(self.delay_s)
            if self.bytes_left is not None and len(data) >= self.bytes_left:
                writer.write(data[:self.bytes_left])
                with contextlib.suppress(OSError, asyncio.TimeoutError):
                    await asyncio.wait_for(writer.drain(), 1)
                self.bytes_left = None
                self.cut()
                return
            if self.bytes_left is not None:
                self.bytes_left -= len(data)
            writer.write(data)
            await writer.drain()
        # One side has ended: the other is told, and may still have something to say.
        if writer.can_write_eof():
            writer.write_eof()


class Proxy:
    """All links of an instance. FOLDER/NAME.link tells `through` where those of a process are."""

    def __init__(self, folder, amqp_port, mysql_socket):
        self._folder = folder
        self._amqp = lambda: asyncio.open_connection("127.0.0.1", amqp_port)
        self._mysql = lambda: asyncio.open_unix_connection(mysql_socket)
        self._links = {}  # (process, "broker" or "database") → Link
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def add(self, name):
        """The links of one more process, before it starts."""
        self._call(self._add(name))

    def close(self):
        async def end_all():
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        self._call(end_all())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    @contextlib.contextmanager
    def cut_off(self, names, server):
        """Connections break, and there are none until the end."""
        self._change(names, server, is_down=True)
        self._each(names, server, Link.cut)
        try:
            yield
        finally:
            self._change(names, server, is_down=False)

    @contextlib.contextmanager
    def stalled(self, names, server):
        """What is sent is neither delivered nor refused until the end."""
        self._each(names, server, lambda link: link.flows.clear())
        try:
            yield
        finally:
            self._each(names, server, lambda link: link.flows.set())

    @contextlib.contextmanager
    def delayed(self, names, server, seconds):
        self._change(names, server, delay_s=seconds)
        try:
            yield
        finally:
            self._change(names, server, delay_s=0.0)

    @contextlib.contextmanager
    def broken_off(self, names, server, after_bytes):
        """Each link breaks off once so many bytes more have passed, most likely within a frame."""
        self._change(names, server, bytes_left=after_bytes)
        try:
            yield
        finally:
            self._change(names, server, bytes_left=None)

    def cut(self, names, server):
        """Connections break; new ones can be made at once."""
        self._each(names, server, Link.cut)

    def _change(self, names, server, **state):
        self._each(names, server, lambda link: vars(link).update(state))

    def _each(self, names, server, act):
        async def all_of_them():
            for name in names:
                act(self._links[name, server])

        self._call(all_of_them())

    def _call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    async def _add(self, name):
        broker = self._links[name, "broker"] = Link(self._amqp)
        database = self._links[name, "database"] = Link(self._mysql)
        path = str(self._folder / f"{name}.sock")
        listener = await asyncio.start_server(broker.serve, "127.0.0.1", 0, limit=CHUNK)
        await asyncio.start_unix_server(database.serve, path, limit=CHUNK)
        port = listener.sockets[0].getsockname()[1]
        link = self._folder / f"{name}.link"
        link.write_text(f"AMQP_PORT={port}\nMYSQL_SOCKET={path}\n")
        os.chmod(link, 0o600)
