---@meta steadysocket

-- Types for lua-language-server and other tools that read LuaCATS. The reference in prose is
-- docs/reference.md; a spec keeps both and the module the same. Times are seconds, sizes are bytes;
-- the default is in parentheses at the end. Wrong arguments and options raise an error that names them.

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

--- The headers of an answer. Names are in lower case. The values of headers that came several
--- times are joined with ", ".
---@class steadysocket.AnswerHeaders: { [string]: string }
---@field ["set-cookie"]? string[] one value for each such header

--- A connection is open.
---@class steadysocket.OpenEvent
---@field reconnected boolean whether there was another connection since connect()
---@field attempt integer the number of the attempt that succeeded, from 1
---@field protocol? string the subprotocol that the server has chosen
---@field url string the URL without user and password
---@field address string the peer's literal address without the port, such as "fe80::1%eth0"; the proxy's when there is one; for a socket its path
---@field headers steadysocket.AnswerHeaders the headers of the server's answer

--- An open connection has ended.
---@class steadysocket.CloseEvent
---@field code integer the close code (RFC 6455 section 7.4); 1006 when there was no close frame from the peer, 1005 when it had no code
---@field reason string the reason in the peer's close frame, or ""
---@field clean boolean whether both sides have sent a close frame
---@field by "peer" | "us" | "network" who ended it; "us" also after an on_error of the connection
---@field will_reconnect boolean there will be another attempt
---@field delay? number seconds until the next attempt

--- An attempt has failed, or an open connection has.
---@class steadysocket.ErrorEvent
---@field kind steadysocket.Code
---@field message string the client's name, the URL without user and password, what failed and why
---@field url? string the URL without user and password
---@field attempt integer the number of the attempt
---@field http_status? integer the status of the server's answer: not 101 with "http", 101 with "handshake"
---@field http_headers? steadysocket.AnswerHeaders the headers of that answer
---@field http_body? string the first 4 KiB of that answer's body
---@field retry_after? number seconds for which the server asks in Retry-After, at most 3600
---@field will_reconnect boolean there will be another attempt
---@field delay? number seconds until the next attempt

---@class steadysocket.Reconnect
---@field min_delay? number seconds; the delay after the first failure; not over max_delay (0.5)
---@field max_delay? number seconds; the longest delay (30)
---@field factor? number the delay is multiplied by this for each failure; 1 or more (2)
---@field jitter? number the part of the delay that is random, from 0 to 1 (1)
---@field min_uptime? number seconds; when a connection has lasted this long, failures are counted anew (5)
---@field max_attempts? number how many attempts in a row may fail; integral, 1 or more (math.huge)

---@class steadysocket.Heartbeat
---@field interval? number seconds of silence before the peer is asked (20)
---@field timeout? number seconds within which anything has to arrive after that (20)
---@field message? string a UTF-8 text that asks the peer, instead of a ping; needs reply (none)
---@field reply? string the UTF-8 text with which the peer answers; not given to on_message (none)

---@class steadysocket.Queue
---@field max_bytes? number payload bytes, unconfirmed messages included; integral, 0 or more (16 MiB)
---@field max_messages? number messages, unconfirmed ones included; integral, 0 or more (math.huge)
---@field overflow? "refuse" | "drop_oldest" what send does when there is no room: fail, or drop the oldest message ("refuse")
---@field ttl? number seconds after which a message that still waits is dropped (math.huge)

---@class steadysocket.Inbox
---@field max_bytes? number bytes of payload that are kept for receive, and 32 for each message; beyond that, reading stops (16 MiB)

---@class steadysocket.Compression
---@field threshold? number bytes; smaller messages are not compressed; integral, 0 or more (1024)
---@field level? integer zlib's level, from 1 (fast) to 9 (small) (6)
---@field client_no_context_takeover? boolean whether each of our messages is compressed by itself (false)
---@field server_no_context_takeover? boolean whether the server is asked to do the same (false)
---@field client_max_window_bits? integer base-2 logarithm of our window in bytes, 8 to 15 (15)
---@field server_max_window_bits? integer the same for the server's window, 8 to 15 (15)

---@class steadysocket.Tls
---@field ca_file? string PEM; the authorities to trust (the system's)
---@field ca? string the PEM text itself, in place of ca_file
---@field cert_file? string PEM; the client's certificate and its chain; needs key_file or key (none)
---@field cert? string the PEM text itself, in place of cert_file
---@field key_file? string PEM; the private key of the client's certificate (none)
---@field key? string the PEM text itself, in place of key_file
---@field key_password? string the password of that key (none)
---@field server_name? string the name for SNI and the check of the certificate (the URL's host)
---@field verify? boolean false accepts any certificate that pin allows (true)
---@field pin? string | string[] the public keys that the server may have, as curl writes them: "sha256//BASE64=" (any)
---@field min_version? "1.2" | "1.3" the oldest version of TLS that is spoken ("1.2")
---@field keylog? string a file to which the keys of each session are added, for Wireshark (none)

--- One URL, a list of URLs, or a function that is called for each attempt. When the function
--- raises, or returns something else, the attempt fails with "provider".
---@alias steadysocket.Url string | string[] | fun(attempt: integer, ws: steadysocket.Client): string | string[]

--- Names and values, or a function as for the URL. When a value is a list, the header is sent
--- several times. Headers of the handshake (Host, Upgrade, Sec-WebSocket-…) are refused.
---@alias steadysocket.Headers table<string, string | string[]> | fun(attempt: integer, ws: steadysocket.Client): table<string, string | string[]>

--- One subprotocol, a list of subprotocols, or a function as for the URL.
---@alias steadysocket.Protocols string | string[] | fun(attempt: integer, ws: steadysocket.Client): string | string[]

---@alias steadysocket.Level "error" | "warning" | "info" | "debug" | "trace"

---@class steadysocket.LogTable
---@field level steadysocket.Level | "warn" includes the lines of the levels before it; debug has each step, and trace each frame
---@field to? fun(level: steadysocket.Level, message: string, ws: steadysocket.Client) (standard error)

--- The value true means lines on standard error.
---@alias steadysocket.Log boolean | fun(level: "info" | "warning" | "error", message: string, ws: steadysocket.Client) | steadysocket.LogTable

--- Handlers are called from the loop only, never inside another call. A handler may make any call except one that
--- waits. An error in a handler comes out of run, of step, or of the call that waits.
---@class steadysocket.Handlers
---@field on_open? fun(event: steadysocket.OpenEvent, ws: steadysocket.Client) called before anything that is queued goes out; what the handler sends goes first
---@field on_message? fun(data: string, kind: steadysocket.Kind, ws: steadysocket.Client) without this handler, messages wait for receive
---@field on_close? fun(event: steadysocket.CloseEvent, ws: steadysocket.Client) an open connection has ended
---@field on_error? fun(event: steadysocket.ErrorEvent, ws: steadysocket.Client) an attempt has failed, or an open connection has; on_close follows in the second case
---@field on_status? fun(status: steadysocket.Status, old: steadysocket.Status, ws: steadysocket.Client) called after the handler for what has changed the status
---@field on_drain? fun(ws: steadysocket.Client) there is room after a send that was refused, or the queue was over high_water and is at low_water or below now
---@field on_pong? fun(data: string, ws: steadysocket.Client) a pong that answers ws:ping(), or that the peer has sent without a ping
---@field should_reconnect? fun(event: steadysocket.ErrorEvent | steadysocket.CloseEvent, ws: steadysocket.Client): boolean | number | nil called when the options say that another attempt follows; true or nil agrees, false closes the client, a number is the delay in seconds, 0 to 1e9; anything else raises
---@field log? steadysocket.Log true for lines on standard error (none)

---@class steadysocket.Options : steadysocket.Handlers
---@field url steadysocket.Url ws://, wss://, ws+unix: or wss+unix:; the URLs of a list are tried in turn
---@field redirects? integer how many redirects an attempt follows at most, 0 to 20 (0)
---@field name? string the client's name in messages and the log ("default")
---@field headers? steadysocket.Headers additional headers of the request (none)
---@field protocols? steadysocket.Protocols the subprotocols to offer, in order (none)
---@field require_protocol? boolean whether an attempt fails with "handshake" when the server takes no subprotocol (false)
---@field origin? string the Origin header (none)
---@field reconnect? boolean | steadysocket.Reconnect (true)
---@field heartbeat? boolean | steadysocket.Heartbeat (true)
---@field connect_timeout? number seconds for the name, TCP, TLS and the upgrade together; 0.001 or more (10)
---@field close_timeout? number seconds for sending all that is queued and for the closing handshake (5)
---@field queue? steadysocket.Queue bounds for messages that wait to be sent
---@field confirm? boolean keep each message until the peer has read it (false)
---@field high_water? number payload bytes in the queue, for on_drain (1 MiB)
---@field low_water? number payload bytes in the queue, for on_drain; not over high_water (256 KiB)
---@field max_message_size? number bytes, after decompression (16 MiB)
---@field inbox? steadysocket.Inbox bounds for messages that wait for receive
---@field compression? boolean | steadysocket.Compression permessage-deflate (false)
---@field tls? steadysocket.Tls options for wss://; an attempt fails with "tls" when a file cannot be used
---@field connect_to? string "host:port" to connect to, instead of the URL's; the Host header and the certificate's name stay those of the URL (none)
---@field local_address? string the address of this machine to connect from (any)
---@field proxy? string "SCHEME://[user:password@]host[:port]", SCHEME http, https, socks5 or socks5h; "env" for the proxy that the environment names (none)

---@class steadysocket.Stats
---@field accepted integer messages that send and connect took
---@field sent integer messages that were written as a whole; a message counts each time
---@field resent integer messages that went back into the queue because they were not confirmed
---@field confirmed integer messages that the peer has read (with confirm)
---@field unconfirmed integer messages that were sent and are not confirmed yet (with confirm)
---@field greetings integer messages of on_open that were sent; nobody confirms them
---@field queued integer messages that wait to be sent
---@field dropped integer messages that expired, were discarded, made room for newer ones, belonged to a connection that ended, or were left when close() was done
---@field received integer messages that arrived, without the heartbeat's replies
---@field bytes_sent integer bytes of frames that were sent, as they are without TLS
---@field bytes_received integer bytes of frames that arrived, as they are without TLS
---@field pings integer pings that were sent, those of ws:ping() included
---@field pongs integer pongs that arrived
---@field attempts integer all attempts to connect
---@field connections integer attempts that succeeded
---@field retries integer attempts that were not the first since connect()
---@field last_close integer the close code of the last connection that ended; 0 when none has
---@field failures integer failures, each of which calls on_error if there is one
---@field time_connected number seconds of all connections, the present one included

--- A client. While it is neither idle nor closed, it stays alive without a reference to it. Its
--- handlers can be assigned; everything else can only be read.
---@class steadysocket.Client : steadysocket.Handlers
---@field url? string the URL of the present or last attempt, without user and password
---@field name string the option name
---@field status steadysocket.Status what the client is doing
---@field protocol? string the subprotocol of the present or last connection
---@field compression boolean whether the present connection uses permessage-deflate
---@field buffered_amount integer bytes that the system has not taken yet: the payload in the queue, and what is left of the last write
---@field queued integer messages that wait to be sent
---@field unconfirmed integer messages that were sent and are not confirmed yet (with confirm)
---@field latency? number seconds from our last answered ping, or heartbeat message, to its answer
---@field attempt integer the number of the present or last attempt, counted from 1; 0 when there was none
---@field last_error? string the message of the last failure
local Client = {}

--- Starts to connect. data is queued once, for the first connection: it goes out behind what
--- on_open sends, and before what send has queued. Fails with "already_connected" or "invalid".
---@param data? string
---@param kind? steadysocket.Kind ("text")
---@return true? ok
---@return string? message
---@return steadysocket.Code? code
function Client:connect(data, kind) end

--- Sends a message now, or queues it while there is no connection. Fails with "queue_full", "message_size", "closed" or "invalid".
---@param data string
---@param kind? steadysocket.Kind ("text")
---@return true? ok
---@return string? message
---@return steadysocket.Code? code
function Client:send(data, kind) end

--- Sends what is queued, and then does the closing handshake, within close_timeout. The client does not reconnect. When
--- there is no connection, the client closes at once, without on_close, and drops what is queued. A second call does
--- nothing.
---@param code? integer 1000 to 1003, 1007 to 1014, 3000 to 4999 (1000)
---@param reason? string UTF-8, at most 123 bytes ("")
---@return true
function Client:close(code, reason) end

--- Ends the connection or the delay, and begins a new attempt now. Fails with "not_connected" when the client is idle,
--- closing or closed.
---@param code? integer 1000 to 1003, 1007 to 1014, 3000 to 4999 (1000)
---@param reason? string UTF-8, at most 123 bytes ("")
---@return true? ok
---@return string? message
---@return steadysocket.Code? code
function Client:reconnect(code, reason) end

--- Sends a ping, whose pong is given to on_pong. Fails with "not_connected".
---@param data? string at most 125 bytes ("")
---@return true? ok
---@return string? message
---@return steadysocket.Code? code
function Client:ping(data) end

--- Waits for the next message. Returns it; or nil, "timeout"; or nil, "closed". Inside a task this
--- call yields, and outside of tasks it runs the loop. Raises in a handler, and for a client that
--- has an on_message.
---@param timeout? number seconds, 0 or more; nil for ever
---@return string? data
---@return steadysocket.Kind | "timeout" | "closed" kind
function Client:receive(timeout) end

--- Returns an iterator: for data, kind in ws:messages() do … end. It ends when the client is
--- closed, and waits as receive does.
---@return fun(): string?, steadysocket.Kind | "closed"
function Client:messages() end

--- Waits until the status is reached. Returns true; or nil, "timeout"; or nil, "closed". Inside a
--- task this call yields, and outside of tasks it runs the loop. Raises in a handler.
---@param status? steadysocket.Status ("open")
---@param timeout? number seconds, 0 or more; nil for ever
---@return true? reached
---@return "timeout" | "closed" | nil why
function Client:wait(status, timeout) end

--- Waits until nothing is queued, and with confirm nothing is unconfirmed. Returns true; or nil,
--- "timeout"; or nil, "closed". Inside a task this call yields, and outside of tasks it runs the
--- loop. Raises in a handler.
---@param timeout? number seconds, 0 or more; nil for ever
---@return true? done
---@return "timeout" | "closed" | nil why
function Client:flush(timeout) end

--- Delivers no message and reads nothing until resume() is called, so that TCP makes the peer wait.
--- The heartbeat asks no question meanwhile.
function Client:pause() end

--- Goes on with delivering and reading after pause().
function Client:resume() end

--- Empties the queue. A message of which a part has gone out stays, and so do unconfirmed messages.
---@return integer dropped messages
function Client:discard() end

--- Returns counters that began when the client was made.
---@return steadysocket.Stats
function Client:stats() end

---@class steadysocket.Timer
local Timer = {}

--- Stops the timer. A second call does nothing.
function Timer:cancel() end

---@class steadysocket
---@field version string the version of this module
---@field libwebsockets string the version of libwebsockets at run time
local WebSocket = {}

--- Makes a client, which is idle until connect() is called. Raises an error that names the wrong
--- argument or option.
---@param url string ws:// or wss://
---@param on_message? fun(data: string, kind: steadysocket.Kind, ws: steadysocket.Client)
---@param name? string for messages and the log ("default")
---@return steadysocket.Client
---@overload fun(options: steadysocket.Options): steadysocket.Client
function WebSocket.new(url, on_message, name) end

--- Runs the loop until no client is active, no timer is armed and no task is left, or stop() is called. Raises what
--- handlers, timers and tasks raise, one error for each call; another call goes on. Raises when only tasks are left
--- that nothing can wake, and says where they wait. Also raises inside a handler, a timer's function or a task, and
--- while another event loop runs ours.
function WebSocket.run() end

--- Makes one turn of the loop. Raises as run does.
---@param timeout? number seconds to wait at most; 0 for not at all, nil for until something happens
---@return boolean left whether work is left
function WebSocket.step(timeout) end

--- Makes run return after the present turn. Does nothing outside of run.
function WebSocket.stop() end

--- Calls fn once.
---@param seconds number 0 or more, finite
---@param fn fun()
---@return steadysocket.Timer
function WebSocket.after(seconds, fn) end

--- Calls fn again and again. Calls that were missed are left out.
---@param seconds number 0.001 or more, finite
---@param fn fun()
---@return steadysocket.Timer
function WebSocket.every(seconds, fn) end

--- Runs fn(...) as a task, a coroutine that the loop resumes, from its next turn on.
---@param fn fun(...: any)
---@param ... any
function WebSocket.spawn(fn, ...) end

--- Waits. Inside a task this call yields, and outside of tasks it runs the loop. Raises in a handler.
---@param seconds number 0 or more; more than 1e9, such as math.huge, means for ever
function WebSocket.sleep(seconds) end

--- Returns a descriptor that another event loop can poll for reading.
---@return integer
function WebSocket.fd() end

--- Returns how long another event loop may wait at most before it calls step(0).
---@return number? seconds nil for ever
function WebSocket.timeout() end

return WebSocket
