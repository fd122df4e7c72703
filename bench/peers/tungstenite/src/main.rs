//! tungstenite, blocking; ../driver.h says what a driver is. tx uses write(), with one flush() at the
//! end, which is its way to send many messages.
use std::net::TcpStream;
use std::time::Instant;
use std::{env, fs, process};

use native_tls::TlsConnector;
use tungstenite::protocol::WebSocketConfig;
use tungstenite::stream::MaybeTlsStream;
use tungstenite::{client_tls_with_config, Connector, Message};

type Socket = tungstenite::WebSocket<MaybeTlsStream<TcpStream>>;

struct Driver {
    mode: String,
    url: String,
    size: usize,
    count: usize,
}

fn fail(what: impl std::fmt::Display) -> ! {
    eprintln!("tungstenite: {what}");
    process::exit(1)
}

fn or_fail<T, E: std::fmt::Display>(result: Result<T, E>) -> T {
    result.unwrap_or_else(|error| fail(error))
}

fn processor_time() -> f64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) };
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

fn resident() -> i64 {
    let status = or_fail(fs::read_to_string("/proc/self/status"));
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok())
        .unwrap_or(0)
}

struct Clock {
    began: Instant,
    cpu: f64,
    kib: i64,
}

impl Clock {
    fn start() -> Clock {
        Clock {
            kib: resident(),
            cpu: processor_time(),
            began: Instant::now(),
        }
    }

    fn done(&self) {
        let (seconds, cpu) = (
            self.began.elapsed().as_secs_f64(),
            processor_time() - self.cpu,
        );
        let kib = resident() - self.kib;
        println!("{{\"seconds\": {seconds:.6}, \"cpu\": {cpu:.6}, \"kib\": {kib}}}");
    }
}

/// For wss.
fn tls() -> Option<TlsConnector> {
    let pem = or_fail(fs::read(env::var("BENCH_CA").ok()?));
    let authority = or_fail(native_tls::Certificate::from_pem(&pem));
    Some(or_fail(
        TlsConnector::builder()
            .add_root_certificate(authority)
            .build(),
    ))
}

fn dial(url: &str, tls: &Option<TlsConnector>) -> Socket {
    let host = url
        .split('/')
        .nth(2)
        .unwrap_or_else(|| fail("no host in the URL"));
    let stream = or_fail(TcpStream::connect(host));
    or_fail(stream.set_nodelay(true));
    let config = WebSocketConfig {
        max_message_size: None,
        max_frame_size: None,
        ..Default::default()
    };
    let connector = tls.clone().map_or(Connector::Plain, Connector::NativeTls);
    or_fail(client_tls_with_config(
        url,
        stream,
        Some(config),
        Some(connector),
    ))
    .0
}

fn read(socket: &mut Socket) -> String {
    match or_fail(socket.read()) {
        Message::Text(text) => text,
        _ => fail("no text"),
    }
}

fn receive(socket: &mut Socket, size: usize) {
    if read(socket).len() != size {
        fail("a message of the wrong size")
    }
}

fn transfer(driver: &Driver) {
    let mut socket = dial(&driver.url, &tls());
    let text = "x".repeat(driver.size);
    let clock = Clock::start();
    match driver.mode.as_str() {
        "rx" => {
            or_fail(socket.send(Message::Text("go".into())));
            for _ in 0..driver.count {
                receive(&mut socket, driver.size);
            }
        }
        "tx" => {
            for _ in 0..driver.count {
                or_fail(socket.write(Message::Text(text.clone())));
            }
            or_fail(socket.flush());
            let answer = read(&mut socket);
            if answer != "end" {
                fail(format!("the server says: {answer}"))
            }
        }
        "rtt" => {
            for _ in 0..driver.count {
                or_fail(socket.send(Message::Text(text.clone())));
                receive(&mut socket, driver.size);
            }
        }
        _ => fail("MODE is rx, tx, rtt or conn"),
    }
    clock.done();
    process::exit(0)
}

/// It blocks, so one handshake at a time.
fn connections(driver: &Driver) {
    let tls = tls();
    let clock = Clock::start();
    let held: Vec<Socket> = (0..driver.count).map(|_| dial(&driver.url, &tls)).collect();
    clock.done();
    process::exit(if held.len() == driver.count { 0 } else { 1 })
}

fn main() {
    let arguments: Vec<String> = env::args().collect();
    if arguments.len() != 5 {
        fail("arguments: MODE URL SIZE COUNT")
    }
    let driver = Driver {
        mode: arguments[1].clone(),
        url: arguments[2].clone(),
        size: or_fail(arguments[3].parse()),
        count: or_fail(arguments[4].parse()),
    };
    if driver.mode == "conn" {
        connections(&driver)
    } else {
        transfer(&driver)
    }
}
