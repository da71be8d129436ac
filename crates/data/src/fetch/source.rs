//! Where a file comes from: an address that speaks HTTP, or a folder.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ureq::http::{HeaderMap, Response};
use ureq::{Agent, Body, Error};

use super::FetchError;

/// Longest wait for a name, a connection, or an answer.
const ANSWER: Duration = Duration::from_secs(20);

/// Redirects that are followed.
const REDIRECTS: u32 = 5;

/// A place that holds the files of a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// An address; the file's name is put behind it.
    Address(String),
    /// A folder of this machine.
    Folder(PathBuf),
}

/// What a source gives.
pub(super) enum Answer {
    /// The file from byte `from` on, and its length where it is told.
    Bytes { from: u64, total: Option<u64>, body: Box<dyn Read> },
    /// The source cannot go on from there.
    Anew,
}

impl Source {
    /// An address or a folder, as a person writes it.
    ///
    /// # Errors
    /// [`FetchError::BadSource`].
    pub fn parse(from: &str) -> Result<Source, FetchError> {
        let address =
            ["http://", "https://"].iter().any(|s| from.strip_prefix(s).is_some_and(|r| !r.is_empty()));
        if address {
            return Ok(Source::Address(from.into()));
        }
        let folder = PathBuf::from(from);
        if folder.is_dir() {
            Ok(Source::Folder(folder))
        } else {
            Err(FetchError::BadSource { from: from.into() })
        }
    }

    /// The whole address of a file.
    pub(super) fn url(&self, name: &str) -> String {
        match self {
            Source::Address(base) => format!("{}/{name}", base.trim_end_matches('/')),
            Source::Folder(folder) => folder.join(name).display().to_string(),
        }
    }

    /// Asks for a file from byte `from` on.
    pub(super) fn open(&self, name: &str, from: u64, stall: Duration) -> Result<Answer, FetchError> {
        match self {
            Source::Address(_) => get(&self.url(name), from, stall),
            Source::Folder(folder) => {
                let path = folder.join(name);
                read(&path, from).map_err(|error| FetchError::File { action: "read", path, error })
            }
        }
    }
}

fn read(path: &Path, from: u64) -> io::Result<Answer> {
    let mut file = File::open(path)?;
    let total = file.metadata()?.len();
    if from > total {
        return Ok(Answer::Anew);
    }
    file.seek(SeekFrom::Start(from))?;
    Ok(Answer::Bytes { from, total: Some(total), body: Box::new(file) })
}

fn get(url: &str, from: u64, stall: Duration) -> Result<Answer, FetchError> {
    let mut request = agent(url, stall).get(url).header("accept-encoding", "identity");
    if from > 0 {
        request = request.header("range", format!("bytes={from}-"));
    }
    let response = request.call().map_err(|error| failed(error, url))?;
    match response.status().as_u16() {
        206 => Ok(part(response, from)),
        416 if from > 0 => Ok(Answer::Anew),
        200 => Ok(whole(response)),
        status => Err(FetchError::Status { status, url: url.into() }),
    }
}

/// A client; proxies are those of the environment, but never for this machine itself.
fn agent(url: &str, stall: Duration) -> Agent {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(REDIRECTS)
        .user_agent(concat!("thalweg/", env!("CARGO_PKG_VERSION")))
        .timeout_resolve(Some(ANSWER))
        .timeout_connect(Some(ANSWER))
        .timeout_recv_response(Some(stall.max(Duration::from_millis(1))))
        .timeout_per_read(Some(stall));
    let here = ["//127.0.0.1", "//localhost", "//[::1]"].iter().any(|host| url.contains(host));
    Agent::new_with_config(if here { config.proxy(None).build() } else { config.build() })
}

fn whole(response: Response<Body>) -> Answer {
    let total = response.body().content_length();
    Answer::Bytes { from: 0, total, body: Box::new(response.into_body().into_reader()) }
}

/// An answer that goes on; only if it does so from the byte that was asked for.
fn part(response: Response<Body>, from: u64) -> Answer {
    match range(response.headers()) {
        Some((start, total)) if start == from => {
            Answer::Bytes { from, total, body: Box::new(response.into_body().into_reader()) }
        }
        _ => Answer::Anew,
    }
}

/// First byte and length of the file from `Content-Range: bytes 10-19/20`.
fn range(headers: &HeaderMap) -> Option<(u64, Option<u64>)> {
    let text = headers.get("content-range")?.to_str().ok()?;
    let (span, total) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
    Some((span.split_once('-')?.0.trim().parse().ok()?, total.trim().parse().ok()))
}

/// A failed exchange: was nobody there, or did it go wrong?
fn failed(error: Error, url: &str) -> FetchError {
    use ErrorKind::*;
    let away = match &error {
        Error::HostNotFound | Error::ConnectionFailed | Error::ConnectProxyFailed(_) => true,
        Error::Timeout(which) => matches!(which, ureq::Timeout::Resolve | ureq::Timeout::Connect),
        // Names that do not resolve have no kind of their own, so it is told by what it is not.
        Error::Io(e) => !matches!(
            e.kind(),
            UnexpectedEof
                | ConnectionReset
                | ConnectionAborted
                | BrokenPipe
                | InvalidData
                | TimedOut
                | WouldBlock
        ),
        _ => false,
    };
    let (reason, url) = (in_words(&error), url.to_string());
    if away { FetchError::NotReached { reason, url } } else { FetchError::Failed { reason, url } }
}

/// The cause without the client's own preface.
fn in_words(error: &Error) -> String {
    match error {
        Error::Io(e) => e.to_string(),
        Error::Timeout(_) => "no answer in time".into(),
        other => other.to_string(),
    }
}

/// What a failed read of an answer says.
pub(super) fn read_failure(error: &io::Error) -> String {
    let inner = error.get_ref().and_then(|e| e.downcast_ref::<Error>());
    match inner {
        Some(error) => in_words(error),
        None if error.kind() == ErrorKind::UnexpectedEof => "the connection was closed".into(),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_servers() {
        let told = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("content-range", text.parse().unwrap());
            range(&headers)
        };
        assert_eq!(told("bytes 10-19/20"), Some((10, Some(20))));
        assert_eq!(told("bytes 10-19/*"), Some((10, None)));
        assert_eq!((told("bytes */20"), told("lines 1-2/3"), range(&HeaderMap::new())), (None, None, None));
    }

    #[test]
    fn a_source_is_an_address_or_a_folder() {
        let address = Source::parse("http://a.b/c/").unwrap();
        assert_eq!(address.url("x.gz"), "http://a.b/c/x.gz");
        assert!(matches!(Source::parse("."), Ok(Source::Folder(_))));
        for bad in ["https://", "ftp://a", "no/such/folder"] {
            assert!(matches!(Source::parse(bad), Err(FetchError::BadSource { .. })), "{bad}");
        }
    }
}
