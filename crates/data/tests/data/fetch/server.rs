//! A web server for tests: one thread, one answer a connection, and every way to be unhelpful.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The path, with its slash.
    pub path: String,
    /// First byte of `Range: bytes=N-`.
    pub from: Option<usize>,
}

/// What is answered.
#[derive(Clone, Debug)]
pub struct Answer {
    status: u16,
    headers: Vec<String>,
    body: Vec<u8>,
    sent: usize,
    silence: Duration,
}

#[allow(dead_code)]
impl Answer {
    /// No file.
    pub fn status(status: u16) -> Answer {
        Answer { status, headers: Vec::new(), body: Vec::new(), sent: 0, silence: Duration::ZERO }
            .header("content-length: 0")
    }

    /// The whole file, whatever was asked for.
    pub fn whole(file: &[u8]) -> Answer {
        let length = format!("content-length: {}", file.len());
        Answer { body: file.to_vec(), sent: file.len(), headers: vec![length], ..Answer::status(200) }
    }

    /// The whole file, without telling its length.
    pub fn unmeasured(file: &[u8]) -> Answer {
        Answer { headers: Vec::new(), ..Answer::whole(file) }
    }

    /// What was asked for, as good servers do.
    pub fn file(file: &[u8], asked: &Asked) -> Answer {
        match asked.from {
            None => Answer::whole(file),
            Some(from) if from >= file.len() => Answer::status(416),
            Some(from) => {
                let range = format!("content-range: bytes {from}-{}/{}", file.len() - 1, file.len());
                Answer { status: 206, ..Answer::whole(&file[from..]) }.header(&range)
            }
        }
    }

    /// With a header.
    pub fn header(mut self, line: &str) -> Answer {
        self.headers.push(line.into());
        self
    }

    /// Cut after this many bytes.
    pub fn cut(mut self, sent: usize) -> Answer {
        self.sent = self.sent.min(sent);
        self
    }

    /// Silent for a while at the end.
    pub fn silent(mut self, silence: Duration) -> Answer {
        self.silence = silence;
        self
    }
}

/// A server on a port of its own; it ends with the process.
pub struct Server {
    /// `http://127.0.0.1:PORT`
    pub url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    /// Answers by `answer`, which is told what is asked and how many questions came before.
    pub fn new(answer: impl Fn(&Asked, usize) -> Answer + Send + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let log = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let Some(question) = read(&stream) else { continue };
                let before = log.lock().unwrap().len();
                log.lock().unwrap().push(question.clone());
                // A client that hangs up has seen enough.
                let _ = write(&stream, &answer(&question, before));
            }
        });
        Server { url, asked }
    }

    /// What was asked until now.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

/// An address at which nobody listens.
pub fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

fn read(stream: &TcpStream) -> Option<Asked> {
    let mut lines = BufReader::new(stream).lines();
    let path = lines.next()?.ok()?.split(' ').nth(1)?.to_string();
    let mut from = None;
    for line in lines.map_while(Result::ok).take_while(|l| !l.is_empty()) {
        let line = line.to_lowercase();
        if let Some(range) = line.strip_prefix("range: bytes=") {
            from = range.trim_end_matches('-').parse().ok();
        }
    }
    Some(Asked { path, from })
}

fn write(mut stream: &TcpStream, answer: &Answer) -> std::io::Result<()> {
    let headers: String = answer.headers.iter().map(|h| format!("{h}\r\n")).collect();
    write!(stream, "HTTP/1.1 {} of a test\r\nconnection: close\r\n{headers}\r\n", answer.status)?;
    stream.write_all(&answer.body[..answer.sent])?;
    stream.flush()?;
    std::thread::sleep(answer.silence);
    Ok(())
}
