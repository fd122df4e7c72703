// gorilla/websocket, with buffers of 64 KiB where one connection is measured for speed.
package main

import (
	"bench/driver"

	"github.com/gorilla/websocket"
)

type conn struct{ *websocket.Conn }

func (c conn) Read() (string, error) {
	_, text, err := c.ReadMessage()
	return string(text), err
}

func (c conn) Write(text string) error {
	return c.WriteMessage(websocket.TextMessage, []byte(text))
}

func main() {
	dialer := websocket.Dialer{TLSClientConfig: driver.TLS(), EnableCompression: driver.Deflate}
	if driver.Mode != "conn" && driver.Mode != "busy" {
		dialer.ReadBufferSize, dialer.WriteBufferSize = 65536, 65536
	}
	driver.Run(driver.Library{Name: "gorilla", Dial: func(url string) (driver.Conn, error) {
		c, _, err := dialer.Dial(url, nil)
		return conn{c}, err
	}})
}
