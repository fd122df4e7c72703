// Package driver is what the drivers in Go share; driver.h says what a driver is.
package driver

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	handshakes = 64
	busy       = 100
)

// Conn is what a library's connection has to be able to do; messages are the language's strings.
type Conn interface {
	Read() (string, error)
	Write(text string) error
}

// Library opens connections.
type Library struct {
	Name string
	Dial func(url string) (Conn, error)
}

var (
	// Mode is the measurement.
	Mode = os.Args[1]
	// Deflate says whether messages are to be compressed.
	Deflate = os.Getenv("BENCH_DEFLATE") == "1"

	url   = os.Args[2]
	size  = number(os.Args[3])
	count = number(os.Args[4])

	library  Library
	began    time.Time
	used     float64
	resident int
)

func number(text string) int {
	value, _ := strconv.Atoi(text)
	return value
}

func check(err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", library.Name, err)
		os.Exit(1)
	}
}

// TLS trusts the authority in BENCH_CA.
func TLS() *tls.Config {
	path := os.Getenv("BENCH_CA")
	if path == "" {
		return nil
	}
	pem, err := os.ReadFile(path)
	check(err)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	return &tls.Config{RootCAs: pool}
}

func residentMemory() int {
	status, _ := os.ReadFile("/proc/self/status")
	for _, line := range strings.Split(string(status), "\n") {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "VmRSS:" {
			return number(fields[1])
		}
	}
	return 0
}

func processTime() float64 {
	var usage syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e9
}

func clock() {
	resident, used, began = residentMemory(), processTime(), time.Now()
}

func done() {
	seconds, cpu := time.Since(began).Seconds(), processTime()-used
	fmt.Printf("{\"seconds\": %.6f, \"cpu\": %.6f, \"kib\": %d}\n", seconds, cpu,
		residentMemory()-resident)
	os.Exit(0)
}

// The messages to send, one behind the other.
func texts() func() string {
	messages := []string{strings.Repeat("x", size)}
	if path := os.Getenv("BENCH_TEXTS"); path != "" {
		file, err := os.Open(path)
		check(err)
		messages = nil
		scanner := bufio.NewScanner(file)
		scanner.Buffer(nil, 1<<24)
		for scanner.Scan() {
			messages = append(messages, scanner.Text())
		}
	}
	i := -1
	return func() string {
		i++
		return messages[i%len(messages)]
	}
}

func dial(to string) Conn {
	conn, err := library.Dial(to)
	check(err)
	return conn
}

func read(conn Conn) string {
	text, err := conn.Read()
	check(err)
	return text
}

func receive(conn Conn) {
	if len(read(conn)) != size {
		check(fmt.Errorf("a message of the wrong size"))
	}
}

func open(number int, to string) []Conn {
	var wait sync.WaitGroup
	conns, next := make([]Conn, number), make(chan int)
	for i := 0; i < handshakes; i++ {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for k := range next {
				conns[k] = dial(to)
			}
		}()
	}
	for k := range conns {
		next <- k
	}
	close(next)
	wait.Wait()
	return conns
}

// Opens connections and reads from each, or pings would not be answered.
func hold(number int, to string) []Conn {
	conns := open(number, to)
	for _, conn := range conns {
		go func(conn Conn) { _, _ = conn.Read() }(conn)
	}
	return conns
}

func rx() {
	conn := dial(url)
	clock()
	check(conn.Write("go"))
	for i := 0; i < count; i++ {
		receive(conn)
	}
}

func tx() {
	conn, text := dial(url), texts()
	clock()
	for i := 0; i < count; i++ {
		check(conn.Write(text()))
	}
	if answer := read(conn); answer != "end" {
		check(fmt.Errorf("the server says: %s", answer))
	}
}

func rtt() {
	conn, text := dial(url), strings.Repeat("x", size)
	clock()
	for i := 0; i < count; i++ {
		check(conn.Write(text))
		receive(conn)
	}
}

var held []Conn

func conn() {
	clock()
	held = hold(count, url)
}

func trade() {
	var wait sync.WaitGroup
	held = hold(number(os.Getenv("BENCH_IDLE")), os.Getenv("BENCH_HOLD_URL"))
	conns, text := open(busy, url), strings.Repeat("x", size)
	clock()
	for i, conn := range conns {
		wait.Add(1)
		go func(conn Conn, trips int) {
			defer wait.Done()
			for ; trips > 0; trips-- {
				check(conn.Write(text))
				receive(conn)
			}
		}(conn, (count+busy-1-i)/busy)
	}
	wait.Wait()
}

// Run measures what the arguments say.
func Run(with Library) {
	library = with
	map[string]func(){"rx": rx, "tx": tx, "rtt": rtt, "conn": conn, "busy": trade}[Mode]()
	done()
}
