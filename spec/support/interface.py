"""Python's websockets, one interface for its versions: what it has for asyncio since 13, and what it had
up to 12. server.py's Connection is made of this one; what else it calls has the same name in both.

A Connection has the request's path and headers, and may have, of its own: answer(path, headers), which
returns (status, text, headers) to send instead of the upgrade, or None; select(offered), which returns one of the
subprotocols that were offered; and has_read(text), which is called for each text message of one frame as
soon as it is read, before any later ping is answered.
"""

try:
    from websockets.asyncio.server import ServerConnection, serve as serve_new
    from websockets.frames import Opcode
except ImportError:
    from websockets.legacy.server import WebSocketServerProtocol, serve as serve_old

    class Connection(WebSocketServerProtocol):
        @property
        def headers(self):
            return self.request_headers

        async def process_request(self, path, headers):
            answer = self.answer(path, headers)
            return answer and (answer[0], answer[2].items(), answer[1].encode())

        def select_subprotocol(self, offered, _):
            return self.select(offered)

        async def read_message(self):
            message = await super().read_message()
            if isinstance(message, str):
                self.has_read(message)
            return message

    async def serve(handler, address, port, connection, **options):
        """The asyncio.Server. Offered subprotocols are looked at only when there are some here."""
        options.update(create_protocol=connection, subprotocols=["any"])
        return (await serve_old(handler, address, port, **options)).server

else:

    class Connection(ServerConnection):
        def __init__(self, protocol, *arguments, **options):
            super().__init__(protocol, *arguments, **options)
            # Its own process_event is too late for has_read: pongs are sent before it is called.
            self.receive, protocol.recv_frame = protocol.recv_frame, self.recv_frame

        def recv_frame(self, frame):
            self.receive(frame)
            if frame.opcode is Opcode.TEXT:
                self.has_read(str(frame.data, "utf-8"))

        @property
        def path(self):
            return self.request.path

        @property
        def headers(self):
            return self.request.headers

    def answer(ws, request):
        told = ws.answer(request.path, request.headers)
        if not told:
            return None
        status, text, headers = told
        response = ws.respond(status, text)
        response.headers.update(headers)
        return response

    def select(ws, offered):
        return ws.select(offered) if offered else None

    async def serve(handler, address, port, connection, **options):
        """The asyncio.Server."""
        options.update(create_connection=connection, process_request=answer, select_subprotocol=select)
        return (await serve_new(handler, address, port, **options)).server
