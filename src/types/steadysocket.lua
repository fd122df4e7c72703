---@meta steadysocket

-- Types for lua-language-server and other tools that read LuaCATS. The reference in prose is
-- docs/reference.md; a spec keeps both and the module the same.

---@alias steadysocket.Kind "text" | "binary"
---@alias steadysocket.Status "idle" | "connecting" | "open" | "waiting" | "closing" | "closed"

--- `kind` in on_error, and the third value of a call that fails.
---@alias steadysocket.Code
---| "dns"               # the host name does not resolve
---| "refused"           # nothing listens on the port
---| "unreachable"       # there is no way to the host
---| "timeout"           # connect_timeout ran out
---| "tls"               # the TLS handshake failed, or the certificate does not fit
---| "proxy"             # the proxy refused, or cannot be reached
---| "http"              # the server answered the upgrade, but not with 101
---| "handshake"         # the answer to the upgrade breaks RFC 6455 section 4
---| "protocol"          # the peer broke RFC 6455 on the open connection
---| "heartbeat"         # the peer is silent
---| "too_large"         # a message over max_message_size
---| "network"           # the connection broke, or the system refused
---| "provider"          # the url or headers function failed
---| "queue_full"        # send: the queue's bounds are reached
---| "closed"            # send: the client is closing or closed
---| "already_connected" # connect: the client is active
---| "not_connected"     # the call needs a connection
---| "invalid"           # text that is not UTF-8

--- A connection is open.
---@class steadysocket.OpenEvent
---@field reconnected boolean not the first connection since connect()
---@field attempt integer the number of the attempt that succeeded, from 1
---@field protocol? string the subprotocol that the server chose
---@field url string without user and password
---@field address string numeric, without the port; through a proxy, the proxy's
---@field headers table<string, string> of the server's answer; names in lower case

--- An open connection has ended.
---@class steadysocket.CloseEvent
---@field code integer the close code (RFC 6455 section 7.4); 1006: there was no close frame
---@field reason string the peer's, or ""
---@field clean boolean the closing handshake was completed
---@field by "peer" | "us" | "network" who ended it
---@field will_reconnect boolean
---@field delay? number seconds until the next attempt

--- An attempt has failed, or an open connection has.
---@class steadysocket.ErrorEvent
---@field kind steadysocket.Code
---@field message string the client's name, the URL without credentials, what failed and why
---@field url? string without user and password
---@field attempt integer
---@field http_status? integer the server's answer, when it was not 101
---@field http_headers? table<string, string> of that answer; names in lower case
---@field http_body? string the first 4 KiB of its body
---@field retry_after? number seconds that the server asked for, at most 3600
---@field will_reconnect boolean
---@field delay? number seconds until the next attempt

---@class steadysocket.Reconnect
---@field min_delay? number seconds; the first delay (0.5)
---@field max_delay? number seconds (30)
---@field factor? number by which the delay grows with each failure (2)
---@field jitter? number from 0 (none) to 1 (anything between no delay and all of it) (1)
---@field min_uptime? number seconds open after which failures are counted anew (5)
---@field max_attempts? number in a row without success (math.huge)

---@class steadysocket.Heartbeat
---@field interval? number seconds of silence before the peer is asked (20)
---@field timeout? number seconds it then has for any sign of life (20)
---@field message? string a text to ask with, instead of a ping
---@field reply? string the text that answers it; not given to on_message

---@class steadysocket.Queue
---@field max_bytes? number payload bytes, unconfirmed messages included (16 MiB)
---@field max_messages? number (math.huge)
---@field overflow? "refuse" | "drop_oldest" ("refuse")
---@field ttl? number seconds after which a message that still waits is dropped (math.huge)

---@class steadysocket.Inbox
---@field max_bytes? number payload bytes kept for receive; over it, reading stops (16 MiB)

---@class steadysocket.Compression
---@field threshold? integer bytes; smaller messages are sent as they are
---@field level? integer zlib's, from 1 (fast) to 9 (small)
---@field client_no_context_takeover? boolean our messages are compressed each by itself
---@field server_no_context_takeover? boolean the server is asked to do the same
---@field client_max_window_bits? integer 8 to 15
---@field server_max_window_bits? integer 8 to 15

---@class steadysocket.Tls
---@field ca_file? string PEM; instead of the system's authorities
---@field cert_file? string PEM; the client's certificate and its chain
---@field key_file? string PEM; its key
---@field key_password? string
---@field server_name? string for SNI and the certificate, instead of the URL's host
---@field verify? boolean check the server's certificate (true)

---@alias steadysocket.Url string | string[] | fun(attempt: integer, ws: steadysocket.Client): string | string[]
---@alias steadysocket.Headers table<string, string | string[]> | fun(attempt: integer, ws: steadysocket.Client): table<string, string | string[]>
---@alias steadysocket.Log boolean | fun(level: "info" | "warning" | "error", message: string, ws: steadysocket.Client)

---@class steadysocket.Handlers
---@field on_open? fun(event: steadysocket.OpenEvent, ws: steadysocket.Client) before anything that is queued goes out; what it sends goes first
---@field on_message? fun(data: string, kind: steadysocket.Kind, ws: steadysocket.Client)
---@field on_close? fun(event: steadysocket.CloseEvent, ws: steadysocket.Client)
---@field on_error? fun(event: steadysocket.ErrorEvent, ws: steadysocket.Client)
---@field on_status? fun(status: steadysocket.Status, old: steadysocket.Status, ws: steadysocket.Client)
---@field on_drain? fun(ws: steadysocket.Client) the queue, having been over high_water, is at or under low_water
---@field on_pong? fun(data: string, ws: steadysocket.Client) to a ping by hand
---@field should_reconnect? fun(event: steadysocket.ErrorEvent | steadysocket.CloseEvent, ws: steadysocket.Client): boolean | number | nil false: no; a number: after so many seconds
---@field log? steadysocket.Log true: on standard error

---@class steadysocket.Options : steadysocket.Handlers
---@field url steadysocket.Url ws:// or wss://; a list is tried in turn
---@field name? string for messages and the log ("default")
---@field headers? steadysocket.Headers
---@field protocols? string | string[] subprotocols offered, in order
---@field origin? string
---@field reconnect? boolean | steadysocket.Reconnect (true)
---@field heartbeat? boolean | steadysocket.Heartbeat (true)
---@field connect_timeout? number seconds for name, TCP, TLS and upgrade together (10)
---@field close_timeout? number seconds for the close, with all that is queued (5)
---@field queue? steadysocket.Queue
---@field confirm? boolean keep each message until the peer has read it (false)
---@field high_water? number payload bytes in the queue, for on_drain (1 MiB)
---@field low_water? number likewise (256 KiB)
---@field max_message_size? number bytes, after decompression (16 MiB)
---@field inbox? steadysocket.Inbox
---@field compression? boolean | steadysocket.Compression permessage-deflate (false)
---@field tls? steadysocket.Tls
---@field proxy? string "http://[user:password@]host:port", or "env" for the environment's

---@class steadysocket.Stats
---@field accepted integer messages that send and connect took
---@field sent integer messages handed over whole, each time
---@field resent integer messages back in the queue because they were not confirmed
---@field confirmed integer messages the peer has read (with confirm)
---@field unconfirmed integer messages sent and not confirmed yet (with confirm)
---@field queued integer messages that wait
---@field dropped integer messages expired, discarded, given up for newer ones, or left over at the end
---@field received integer messages
---@field bytes_sent integer after the upgrade, frames included
---@field bytes_received integer likewise
---@field pings integer that we sent
---@field pongs integer that came
---@field attempts integer
---@field connections integer
---@field retries integer attempts that were not the first since connect()
---@field last_close integer the close code of the last connection that ended; 0: none has
---@field failures integer calls of on_error, had or not
---@field time_connected number seconds

--- A client. Not idle and not closed, it stays alive without a reference to it.
---@class steadysocket.Client : steadysocket.Handlers
---@field url? string of the present or last attempt, without user and password
---@field name string
---@field status steadysocket.Status
---@field protocol? string the subprotocol of the last connection
---@field compression boolean permessage-deflate is in use
---@field buffered_amount integer payload bytes that the system has not taken yet, at most
---@field queued integer messages that wait to be sent
---@field unconfirmed integer messages sent and not confirmed yet (with confirm)
---@field latency? number seconds from the last ping to its pong
---@field attempt integer
---@field last_error? string the message of the last on_error
local Client = {}

--- Starts. data goes out once, as the first message of the first connection.
---@param data? string
---@param kind? steadysocket.Kind
---@return true?, string message, steadysocket.Code code
function Client:connect(data, kind) end

--- Sends now, or queues while there is no connection.
---@param data string
---@param kind? steadysocket.Kind
---@return true?, string message, steadysocket.Code code
function Client:send(data, kind) end

--- Sends what is queued, then the closing handshake. Never reconnects.
---@param code? integer 1000 to 1003, 1007 to 1014, 3000 to 4999 (1000)
---@param reason? string UTF-8, at most 123 bytes
---@return true
function Client:close(code, reason) end

--- Drops the connection or the delay and tries now.
---@return true?, string message, steadysocket.Code code
function Client:reconnect() end

--- A ping by hand; its pong comes to on_pong.
---@param data? string at most 125 bytes
---@return true?, string message, steadysocket.Code code
function Client:ping(data) end

--- The next message. In a task it yields, outside one it runs the loop.
---@param timeout? number seconds
---@return string? data, steadysocket.Kind | "timeout" | "closed" kind
function Client:receive(timeout) end

--- for data, kind in ws:messages() do … end
---@return fun(): string?, steadysocket.Kind?
function Client:messages() end

--- Waits until the status is reached.
---@param status? steadysocket.Status ("open")
---@param timeout? number seconds
---@return true?, "timeout" | "closed" | nil
function Client:wait(status, timeout) end

--- Waits until nothing is queued; with confirm, until nothing is unconfirmed.
---@param timeout? number seconds
---@return true?, "timeout" | "closed" | nil
function Client:flush(timeout) end

--- No message is delivered and nothing is read until resume(), so that TCP holds the peer back.
function Client:pause() end

function Client:resume() end

--- Empties the queue; a message that is part-way out stays.
---@return integer dropped
function Client:discard() end

---@return steadysocket.Stats
function Client:stats() end

---@class steadysocket.Timer
local Timer = {}

function Timer:cancel() end

---@class steadysocket
---@field version string of this module
---@field libwebsockets string the version of libwebsockets at run time
local WebSocket = {}

--- A client, idle until connect.
---@param url string
---@param on_message? fun(data: string, kind: steadysocket.Kind, ws: steadysocket.Client)
---@param name? string
---@return steadysocket.Client
---@overload fun(options: steadysocket.Options): steadysocket.Client
function WebSocket.new(url, on_message, name) end

--- Runs until no client is active, no timer is armed and no task is left, or stop().
function WebSocket.run() end

--- One turn of the loop.
---@param timeout? number seconds to wait at most; 0: not at all; nil: until something happens
---@return boolean left whether work is left
function WebSocket.step(timeout) end

--- Makes run return.
function WebSocket.stop() end

---@param seconds number
---@param fn fun()
---@return steadysocket.Timer
function WebSocket.after(seconds, fn) end

---@param seconds number at least 0.001
---@param fn fun()
---@return steadysocket.Timer
function WebSocket.every(seconds, fn) end

--- Runs fn(...) as a task, from the loop's next turn on.
---@param fn fun(...)
function WebSocket.spawn(fn, ...) end

--- In a task it yields, outside one it runs the loop.
---@param seconds number
function WebSocket.sleep(seconds) end

--- A descriptor to poll for reading, for another event loop.
---@return integer
function WebSocket.fd() end

--- How long to wait at most before step(0).
---@return number? seconds nil: for ever
function WebSocket.timeout() end

return WebSocket
