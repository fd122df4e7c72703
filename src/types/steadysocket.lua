---@meta steadysocket

-- Types for lua-language-server and other tools that read LuaCATS. The reference in prose is
-- docs/reference.md; a spec keeps both and the module the same. Times are seconds, sizes are bytes;
-- in parentheses stands the default. Wrong arguments and options raise an error that names them.

---@alias steadysocket.Kind "text" | "binary"
---@alias steadysocket.Status "idle" | "connecting" | "open" | "waiting" | "closing" | "closed"

--- `kind` in on_error, and the third value of a call that fails.
---@alias steadysocket.Code
---| "dns"               # the host name does not resolve
---| "refused"           # nothing listens on the port, or on the socket
---| "unreachable"       # there is no way to the host
---| "timeout"           # connect_timeout ran out
---| "tls"               # the TLS handshake failed, or the certificate does not fit
---| "proxy"             # the proxy refused, or cannot be reached or used
---| "http"              # the server answered the upgrade, but not with 101
---| "handshake"         # the answer to the upgrade breaks RFC 6455 section 4
---| "protocol"          # the peer broke RFC 6455 on the open connection
---| "heartbeat"         # the peer is silent
---| "too_large"         # a message over max_message_size
---| "network"           # the connection broke, or the system refused
---| "provider"          # the url, headers or protocols function failed
---| "queue_full"        # send: the queue's bounds are reached
---| "message_size"      # send: the message is over queue.max_bytes
---| "closed"            # send: the client is closing or closed
---| "already_connected" # connect: the client is active
---| "not_connected"     # the call needs a connection
---| "invalid"           # text that is not UTF-8

--- The headers of an answer; names in lower case. Those that came several times are joined with ", ".
---@class steadysocket.AnswerHeaders: { [string]: string }
---@field ["set-cookie"]? string[] each by itself

--- A connection is open.
---@class steadysocket.OpenEvent
---@field reconnected boolean not the first connection since connect()
---@field attempt integer the number of the attempt that succeeded, from 1
---@field protocol? string the subprotocol that the server chose
---@field url string without user and password
---@field address string numeric, without the port, as "fe80::1%eth0"; through a proxy, the proxy's; the path of a socket
---@field headers steadysocket.AnswerHeaders of the server's answer

--- An open connection has ended.
---@class steadysocket.CloseEvent
---@field code integer the close code (RFC 6455 section 7.4); 1006: there was no close frame from the peer; 1005: it had no code
---@field reason string the peer's, or ""
---@field clean boolean close frames went both ways
---@field by "peer" | "us" | "network" who ended it; "us" also after an on_error of the connection
---@field will_reconnect boolean there will be another attempt
---@field delay? number seconds until the next attempt

--- An attempt has failed, or an open connection has.
---@class steadysocket.ErrorEvent
---@field kind steadysocket.Code
---@field message string the client's name, the URL without credentials, what failed and why
---@field url? string without user and password
---@field attempt integer the number of the attempt
---@field http_status? integer of the server's answer: not 101 with "http", 101 with "handshake"
---@field http_headers? steadysocket.AnswerHeaders of that answer
---@field http_body? string the first 4 KiB of its body
---@field retry_after? number seconds that the server asked for, at most 3600
---@field will_reconnect boolean there will be another attempt
---@field delay? number seconds until the next attempt

---@class steadysocket.Reconnect
---@field min_delay? number seconds; the delay after the first failure; not over max_delay (0.5)
---@field max_delay? number seconds; the longest delay (30)
---@field factor? number by which the delay grows with each failure; 1 or more (2)
---@field jitter? number from 0 (none) to 1 (anything between no delay and all of it) (1)
---@field min_uptime? number seconds open after which failures are counted anew (5)
---@field max_attempts? number in a row without success; integral, 1 or more (math.huge)

---@class steadysocket.Heartbeat
---@field interval? number seconds of silence before the peer is asked (20)
---@field timeout? number seconds it then has for any sign of life (20)
---@field message? string a UTF-8 text to ask with, instead of a ping; goes with reply (none)
---@field reply? string the UTF-8 text that answers it; not given to on_message (none)

---@class steadysocket.Queue
---@field max_bytes? number payload bytes, unconfirmed messages included; integral, 0 or more (16 MiB)
---@field max_messages? number unconfirmed ones included; integral, 0 or more (math.huge)
---@field overflow? "refuse" | "drop_oldest" what send does where there is no room: fail, or drop the oldest message ("refuse")
---@field ttl? number seconds after which a message that still waits is dropped (math.huge)

---@class steadysocket.Inbox
---@field max_bytes? number payload bytes kept for receive, and 32 for each message; over it, reading stops (16 MiB)

---@class steadysocket.Compression
---@field threshold? number bytes; smaller messages are sent as they are; integral, 0 or more (1024)
---@field level? integer zlib's, from 1 (fast) to 9 (small) (6)
---@field client_no_context_takeover? boolean our messages are compressed each by itself (false)
---@field server_no_context_takeover? boolean the server is asked to do the same (false)
---@field client_max_window_bits? integer base-2 logarithm of our window in bytes, 8 to 15 (15)
---@field server_max_window_bits? integer of the server's, 8 to 15 (15)

---@class steadysocket.Tls
---@field ca_file? string PEM; the authorities to trust (the system's)
---@field ca? string the PEM text itself, in place of ca_file
---@field cert_file? string PEM; the client's certificate and its chain; goes with key_file or key (none)
---@field cert? string the PEM text itself, in place of cert_file
---@field key_file? string PEM; its key (none)
---@field key? string the PEM text itself, in place of key_file
---@field key_password? string of the key (none)
---@field server_name? string for SNI and the check of the certificate (the URL's host)
---@field verify? boolean false accepts any certificate that pin allows (true)
---@field pin? string | string[] public keys the server may have, as curl writes them: "sha256//BASE64=" (any)
---@field min_version? "1.2" | "1.3" the oldest version of TLS that is spoken ("1.2")
---@field keylog? string a file to which the keys of each session are added, for Wireshark (none)

--- One URL, a list of them, or a function that is called for each attempt. What it must not return
--- fails the attempt with "provider".
---@alias steadysocket.Url string | string[] | fun(attempt: integer, ws: steadysocket.Client): string | string[]

--- Names and values, a list as a value repeating the header; or a function as for the URL. Headers
--- of the handshake (Host, Upgrade, Sec-WebSocket-…) are refused.
---@alias steadysocket.Headers table<string, string | string[]> | fun(attempt: integer, ws: steadysocket.Client): table<string, string | string[]>

--- One subprotocol, a list of them, or a function as for the URL.
---@alias steadysocket.Protocols string | string[] | fun(attempt: integer, ws: steadysocket.Client): string | string[]

---@alias steadysocket.Level "error" | "warning" | "info" | "debug" | "trace"

---@class steadysocket.LogTable
---@field level steadysocket.Level | "warn" with all lines of the levels before it; debug: each step, trace: each frame
---@field to? fun(level: steadysocket.Level, message: string, ws: steadysocket.Client) (standard error)

--- true: lines on standard error.
---@alias steadysocket.Log boolean | fun(level: "info" | "warning" | "error", message: string, ws: steadysocket.Client) | steadysocket.LogTable

--- Called from the loop only, never inside another call. Any call but one that waits is legal in them.
--- An error in one comes out of run, step, or the call that waits.
---@class steadysocket.Handlers
---@field on_open? fun(event: steadysocket.OpenEvent, ws: steadysocket.Client) before anything that is queued goes out; what it sends goes first
---@field on_message? fun(data: string, kind: steadysocket.Kind, ws: steadysocket.Client) without it messages wait for receive
---@field on_close? fun(event: steadysocket.CloseEvent, ws: steadysocket.Client) an open connection has ended
---@field on_error? fun(event: steadysocket.ErrorEvent, ws: steadysocket.Client) an attempt has failed, or an open connection has; then on_close follows
---@field on_status? fun(status: steadysocket.Status, old: steadysocket.Status, ws: steadysocket.Client) after the handler for what changed it
---@field on_drain? fun(ws: steadysocket.Client) there is room after a send that was refused, or the queue, having been over high_water, is at or under low_water
---@field on_pong? fun(data: string, ws: steadysocket.Client) a pong to a ping by hand, or an unasked one
---@field should_reconnect? fun(event: steadysocket.ErrorEvent | steadysocket.CloseEvent, ws: steadysocket.Client): boolean | number | nil asked where the options would go on; false: no; a number: after so many seconds, 0 to 1e9; anything else raises
---@field log? steadysocket.Log true: on standard error (none)

---@class steadysocket.Options : steadysocket.Handlers
---@field url steadysocket.Url ws://, wss://, ws+unix: or wss+unix:; a list is tried in turn
---@field redirects? integer redirects that an attempt follows at most, 0 to 20 (0)
---@field name? string for messages and the log ("default")
---@field headers? steadysocket.Headers of the request (none)
---@field protocols? steadysocket.Protocols subprotocols offered, in order (none)
---@field require_protocol? boolean a server that takes none of them fails the attempt with "handshake" (false)
---@field origin? string the Origin header (none)
---@field reconnect? boolean | steadysocket.Reconnect (true)
---@field heartbeat? boolean | steadysocket.Heartbeat (true)
---@field connect_timeout? number seconds for name, TCP, TLS and upgrade together; 0.001 or more (10)
---@field close_timeout? number seconds for the close, with all that is queued (5)
---@field queue? steadysocket.Queue bounds of what waits to be sent
---@field confirm? boolean keep each message until the peer has read it (false)
---@field high_water? number payload bytes in the queue, for on_drain (1 MiB)
---@field low_water? number likewise; not over high_water (256 KiB)
---@field max_message_size? number bytes, after decompression (16 MiB)
---@field inbox? steadysocket.Inbox bounds of what waits for receive
---@field compression? boolean | steadysocket.Compression permessage-deflate (false)
---@field tls? steadysocket.Tls for wss://; a file that cannot be used fails each attempt with "tls"
---@field connect_to? string "host:port" to connect to, while the URL, Host and the certificate's name stay (none)
---@field local_address? string address of this machine to connect from (none: the system chooses)
---@field proxy? string "SCHEME://[user:password@]host[:port]", SCHEME http, https, socks5 or socks5h; "env": the environment's (none)

---@class steadysocket.Stats
---@field accepted integer messages that send and connect took
---@field sent integer messages handed over whole, each time
---@field resent integer messages back in the queue because they were not confirmed
---@field confirmed integer messages the peer has read (with confirm)
---@field unconfirmed integer messages sent and not confirmed yet (with confirm)
---@field greetings integer messages of on_open that were sent; they are never confirmed
---@field queued integer messages that wait
---@field dropped integer messages expired, discarded, given up for newer ones, or left over when close() was done
---@field received integer messages, without replies to text heartbeats
---@field bytes_sent integer bytes after the upgrade, frames included, before TLS
---@field bytes_received integer likewise
---@field pings integer that we sent, by hand too
---@field pongs integer that came
---@field attempts integer all of them
---@field connections integer attempts that succeeded
---@field retries integer attempts that were not the first since connect()
---@field last_close integer the close code of the last connection that ended; 0: none has
---@field failures integer calls of on_error, had or not
---@field time_connected number seconds, with the present connection's

--- A client. Not idle and not closed, it stays alive without a reference to it. Its handlers can be
--- assigned; everything else can only be read.
---@class steadysocket.Client : steadysocket.Handlers
---@field url? string of the present or last attempt, without user and password
---@field name string as given
---@field status steadysocket.Status what it is doing
---@field protocol? string the subprotocol of the present or last connection
---@field compression boolean the present connection uses permessage-deflate
---@field buffered_amount integer bytes that the system has not taken yet: queued payload, and what is left of the last write
---@field queued integer messages that wait to be sent
---@field unconfirmed integer messages sent and not confirmed yet (with confirm)
---@field latency? number seconds from the last ping of ours to its pong
---@field attempt integer of the present or last attempt, counted from 1; 0: there is none
---@field last_error? string the message of the last on_error, had or not
local Client = {}

--- Starts. data goes out once, on the first connection: behind what on_open sends, before what send
--- has queued. Fails with "already_connected" or "invalid".
---@param data? string
---@param kind? steadysocket.Kind ("text")
---@return true? ok
---@return string? message
---@return steadysocket.Code? code
function Client:connect(data, kind) end

--- Sends now, or queues while there is no connection. Fails with "queue_full", "message_size", "closed" or "invalid".
---@param data string
---@param kind? steadysocket.Kind ("text")
---@return true? ok
---@return string? message
---@return steadysocket.Code? code
function Client:send(data, kind) end

--- Sends what is queued, then the closing handshake, within close_timeout. Never reconnects. Before
--- there is a connection it closes at once, without on_close, and drops what is queued. Done twice, it
--- is done once.
---@param code? integer 1000 to 1003, 1007 to 1014, 3000 to 4999 (1000)
---@param reason? string UTF-8, at most 123 bytes ("")
---@return true
function Client:close(code, reason) end

--- Drops the connection or the delay and tries now. Fails with "not_connected" when the client is idle,
--- closing or closed.
---@return true? ok
---@return string? message
---@return steadysocket.Code? code
function Client:reconnect() end

--- A ping by hand; its pong comes to on_pong. Fails with "not_connected".
---@param data? string at most 125 bytes ("")
---@return true? ok
---@return string? message
---@return steadysocket.Code? code
function Client:ping(data) end

--- The next message; nil, "timeout"; or nil, "closed". In a task it yields, outside one it runs the
--- loop. Raises in a handler, and for a client that has an on_message.
---@param timeout? number seconds, 0 or more; nil: for ever
---@return string? data
---@return steadysocket.Kind | "timeout" | "closed" kind
function Client:receive(timeout) end

--- An iterator: for data, kind in ws:messages() do … end, until the client is closed. Waits as
--- receive does.
---@return fun(): string?, steadysocket.Kind | "closed"
function Client:messages() end

--- Waits until the status is reached: true; nil, "timeout"; or nil, "closed". In a task it yields,
--- outside one it runs the loop. Raises in a handler.
---@param status? steadysocket.Status ("open")
---@param timeout? number seconds, 0 or more; nil: for ever
---@return true? reached
---@return "timeout" | "closed" | nil why
function Client:wait(status, timeout) end

--- Waits until nothing is queued, and with confirm nothing is unconfirmed: true; nil, "timeout"; or
--- nil, "closed". In a task it yields, outside one it runs the loop. Raises in a handler.
---@param timeout? number seconds, 0 or more; nil: for ever
---@return true? done
---@return "timeout" | "closed" | nil why
function Client:flush(timeout) end

--- No message is delivered and nothing is read until resume(), so that TCP holds the peer back. The
--- heartbeat rests.
function Client:pause() end

--- Goes on after pause().
function Client:resume() end

--- Empties the queue; a message that is part-way out stays, and so do unconfirmed ones.
---@return integer dropped messages
function Client:discard() end

--- Counters, since the client was made.
---@return steadysocket.Stats
function Client:stats() end

---@class steadysocket.Timer
local Timer = {}

--- The timer does not fire any more. Done twice, it is done once.
function Timer:cancel() end

---@class steadysocket
---@field version string of this module
---@field libwebsockets string the version of libwebsockets at run time
local WebSocket = {}

--- A client, idle until connect. Raises for a wrong argument or option, and names it.
---@param url string ws:// or wss://
---@param on_message? fun(data: string, kind: steadysocket.Kind, ws: steadysocket.Client)
---@param name? string for messages and the log ("default")
---@return steadysocket.Client
---@overload fun(options: steadysocket.Options): steadysocket.Client
function WebSocket.new(url, on_message, name) end

--- Runs until no client is active, no timer is armed and no task is left, or stop(). Raises what
--- handlers, timers and tasks raise, one error a call; calling it again goes on. Raises when only
--- tasks are left that nothing can wake, and says where they wait. Raises inside of these, and while
--- another event loop runs ours.
function WebSocket.run() end

--- One turn of the loop. Raises as run does.
---@param timeout? number seconds to wait at most, 0: not at all; nil: until something happens
---@return boolean left whether work is left
function WebSocket.step(timeout) end

--- Makes the run that calls us return after the present turn. Outside of run it does nothing.
function WebSocket.stop() end

--- Calls fn once.
---@param seconds number 0 or more, finite
---@param fn fun()
---@return steadysocket.Timer
function WebSocket.after(seconds, fn) end

--- Calls fn again and again; turns that were missed are left out.
---@param seconds number 0.001 or more, finite
---@param fn fun()
---@return steadysocket.Timer
function WebSocket.every(seconds, fn) end

--- Runs fn(...) as a task, a coroutine that the loop resumes, from its next turn on.
---@param fn fun(...: any)
---@param ... any
function WebSocket.spawn(fn, ...) end

--- Waits. In a task it yields, outside one it runs the loop. Raises in a handler.
---@param seconds number 0 or more; more than 1e9, as math.huge: for ever
function WebSocket.sleep(seconds) end

--- A descriptor to poll for reading, for another event loop.
---@return integer
function WebSocket.fd() end

--- How long another event loop may wait at most before step(0).
---@return number? seconds nil: for ever
function WebSocket.timeout() end

return WebSocket
