// nhooyr.io/websocket, now coder/websocket.
package main

import (
	"context"
	"net/http"

	"bench/driver"

	"nhooyr.io/websocket"
)

type conn struct{ *websocket.Conn }

func (c conn) Read() (string, error) {
	_, text, err := c.Conn.Read(context.Background())
	return string(text), err
}

func (c conn) Write(text string) error {
	return c.Conn.Write(context.Background(), websocket.MessageText, []byte(text))
}

func main() {
	options := websocket.DialOptions{CompressionMode: websocket.CompressionDisabled}
	if driver.Deflate {
		options.CompressionMode = websocket.CompressionContextTakeover
	}
	if config := driver.TLS(); config != nil {
		options.HTTPClient = &http.Client{Transport: &http.Transport{TLSClientConfig: config}}
	}
	driver.Run(driver.Library{Name: "nhooyr", Dial: func(url string) (driver.Conn, error) {
		c, _, err := websocket.Dial(context.Background(), url, &options)
		if err == nil {
			c.SetReadLimit(1 << 30)
		}
		return conn{c}, err
	}})
}
