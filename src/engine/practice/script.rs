//! The language of the faults: literal bytes, waits and ends of TCP, run over a raw stream.
//!
//! Nothing here is clever on purpose: what a script says is what travels. Start at [`Step`].

use std::io;
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::ConsoleSink;
use super::guide;
use super::request::{Head, Request, read_head};

/// No script lasts longer than this.
pub(super) const SCRIPT_LIMIT: Duration = Duration::from_secs(30);

/// The status line and fields of a 101 that is right.
pub(super) const ACCEPT: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n";

/// One act of a script.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// Reads one request head; what comes instead is thrown away.
    ReadHead,
    /// Reads whatever comes first, for example a `ClientHello`.
    ReadSome,
    /// Sends a correct 101.
    Accept,
    /// Sends this text; `{accept}`, `{path}`, `{query}`, `{host}` and `{origin}` are filled in.
    Head(&'static str),
    /// Sends a whole HTTP response with `Connection: close` and `Content-Length`.
    Http {
        /// Status code and reason phrase, for example `404 Not Found`.
        status: &'static str,
        /// Header lines, each with its line end; filled in as in [`Step::Head`].
        headers: &'static str,
        /// The body as it is.
        body: &'static str,
    },
    /// Sends these bytes as they are.
    Send(&'static [u8]),
    /// Sends these bytes so many times.
    Repeat(&'static [u8], usize),
    /// Sends these bytes one at a time, with so many milliseconds between them.
    Trickle(&'static [u8], u64),
    /// Sends the guide's confirmation message and prints its console line.
    Confirm,
    /// Sends an unfragmented text message.
    Text(&'static str),
    /// Sends a Close frame with this code and reason.
    Close(u16, &'static str),
    /// Reads until a data frame has come; pings are answered.
    AwaitData,
    /// Reads until the client's Close frame or the end of TCP; pings are answered.
    AwaitClose,
    /// Sends the payload of the client's Close frame back.
    EchoClose,
    /// Waits so many milliseconds, reading nothing.
    Wait(u64),
    /// Reads until the client has sent nothing for so many milliseconds; pings are answered.
    AwaitSilence(u64),
    /// Sends this text again and again, with so many milliseconds between, for so many milliseconds.
    Chatter(&'static str, u64, u64),
    /// Prints a line on the practice console.
    Console(&'static str),
    /// Closes the listener of the fault's own port, as the end of a process does.
    Die,
    /// Ends our direction with FIN, then reads until the client ends too.
    Fin,
    /// Ends TCP with RST.
    Rst,
    /// Reads and says nothing more until the client goes away.
    Silence,
}

/// A connection on which a script runs.
pub(super) struct Stage<'a> {
    stream: TcpStream,
    request: Request,
    unread: Vec<u8>,
    client_close: Vec<u8>,
    console: &'a ConsoleSink,
}

impl<'a> Stage<'a> {
    /// A stage whose request head was read before, or is empty.
    pub(super) fn new(stream: TcpStream, request: Request, console: &'a ConsoleSink) -> Self {
        let unread = request.leftover.clone();
        Self { stream, request, unread, client_close: Vec::new(), console }
    }

    /// Runs `steps` for at most [`SCRIPT_LIMIT`]; a client that goes away ends them early.
    ///
    /// `listener` is what [`Step::Die`] closes.
    pub(super) async fn run(mut self, steps: &[Step], listener: &mut Option<TcpListener>) {
        let play = async {
            for step in steps {
                if self.act(*step, listener).await.is_err() {
                    return;
                }
            }
        };
        // Out of time or not, the end is the same: the stream is dropped.
        timeout(SCRIPT_LIMIT, play).await.ok();
    }

    async fn act(&mut self, step: Step, listener: &mut Option<TcpListener>) -> io::Result<()> {
        match step {
            Step::ReadHead => {
                if let Head::Request(request) = read_head(&mut self.stream, SCRIPT_LIMIT).await {
                    self.unread.clone_from(&request.leftover);
                    self.request = request;
                }
                Ok(())
            }
            Step::ReadSome => self.read_some().await.map(|_| ()),
            Step::Accept => {
                guide::announce(&self.request, self.stream.peer_addr().ok(), self.console);
                self.write(self.filled(ACCEPT).as_bytes()).await
            }
            Step::Head(template) => self.write(self.filled(template).as_bytes()).await,
            Step::Http { status, headers, body } => {
                let headers = self.filled(headers);
                self.write(response(status, &headers, body).as_bytes()).await
            }
            Step::Send(bytes) => self.write(bytes).await,
            Step::Repeat(bytes, times) => self.write(&bytes.repeat(times)).await,
            Step::Trickle(bytes, pause_millis) => {
                for byte in bytes {
                    self.write(&[*byte]).await?;
                    sleep(Duration::from_millis(pause_millis)).await;
                }
                Ok(())
            }
            Step::Confirm => {
                let text = guide::confirmation(&self.request.query("agentId").unwrap_or_default());
                self.write(&frame(0x81, text.as_bytes())).await?;
                (self.console)(guide::CONFIRMED);
                Ok(())
            }
            Step::Text(text) => self.write(&frame(0x81, text.as_bytes())).await,
            Step::Close(code, reason) => {
                let payload = [&code.to_be_bytes(), reason.as_bytes()].concat();
                self.write(&frame(0x88, &payload)).await
            }
            Step::AwaitData => self.read_frames_until(|opcode| opcode < 0x8).await,
            Step::AwaitClose => self.read_frames_until(|_| false).await,
            Step::EchoClose => {
                let echo = frame(0x88, &self.client_close);
                self.write(&echo).await
            }
            Step::Wait(millis) => {
                sleep(Duration::from_millis(millis)).await;
                Ok(())
            }
            Step::AwaitSilence(millis) => {
                let silence = Duration::from_millis(millis);
                while let Ok(read) = timeout(silence, self.read_some()).await {
                    if read? == 0 {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                    while let Some((opcode, payload)) = self.take_frame() {
                        match opcode {
                            0x8 => return Err(io::ErrorKind::ConnectionAborted.into()),
                            0x9 => self.write(&frame(0x8A, &payload)).await?,
                            _ => {}
                        }
                    }
                }
                Ok(())
            }
            Step::Chatter(text, every_millis, for_millis) => {
                let talking = async {
                    loop {
                        sleep(Duration::from_millis(every_millis)).await;
                        self.write(&frame(0x81, text.as_bytes())).await?;
                    }
                };
                // Out of time is the aim; what fails before is the client's end.
                timeout(Duration::from_millis(for_millis), talking).await.unwrap_or(Ok(()))
            }
            Step::Console(line) => {
                (self.console)(line);
                Ok(())
            }
            Step::Die => {
                drop(listener.take());
                Ok(())
            }
            Step::Fin => {
                self.stream.shutdown().await?;
                self.drain().await
            }
            Step::Rst => {
                SockRef::from(&self.stream).set_linger(Some(Duration::ZERO))?;
                Err(io::ErrorKind::ConnectionAborted.into())
            }
            Step::Silence => self.drain().await,
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await
    }

    /// Reads into `unread`; 0 is the end of the client's direction.
    async fn read_some(&mut self) -> io::Result<usize> {
        self.stream.read_buf(&mut self.unread).await
    }

    /// Unread bytes at the close would make the kernel send RST, so everything is taken in.
    async fn drain(&mut self) -> io::Result<()> {
        loop {
            self.unread.clear();
            if self.read_some().await? == 0 {
                return Ok(());
            }
        }
    }

    /// Ends at a Close frame, at the end of TCP, or after a frame whose opcode is `wanted`.
    async fn read_frames_until(&mut self, wanted: impl Fn(u8) -> bool) -> io::Result<()> {
        loop {
            let Some((opcode, payload)) = self.take_frame() else {
                if self.read_some().await? == 0 {
                    return Ok(());
                }
                continue;
            };
            match opcode {
                0x8 => {
                    self.client_close = payload;
                    return Ok(());
                }
                0x9 => self.write(&frame(0x8A, &payload)).await?,
                other if wanted(other) => return Ok(()),
                _ => {}
            }
        }
    }

    /// The next whole frame of the client in `unread`, unmasked.
    fn take_frame(&mut self) -> Option<(u8, Vec<u8>)> {
        let (first, rest) = self.unread.split_first()?;
        let (second, rest) = rest.split_first()?;
        let (payload_len, rest) = match second & 0x7F {
            126 => rest.split_first_chunk::<2>().map(|(len, rest)| (u64::from(u16::from_be_bytes(*len)), rest)),
            127 => rest.split_first_chunk::<8>().map(|(len, rest)| (u64::from_be_bytes(*len), rest)),
            short => Some((u64::from(short), rest)),
        }?;
        let (masking_key, rest) = if second & 0x80 == 0 { (&[0; 4], rest) } else { rest.split_first_chunk::<4>()? };
        let payload = rest.get(..usize::try_from(payload_len).ok()?)?;
        let opcode = first & 0x0F;
        let clear = payload.iter().zip(masking_key.iter().cycle()).map(|(byte, key)| byte ^ key).collect();
        let used = self.unread.len() - rest.len() + payload.len();
        self.unread.drain(..used);
        Some((opcode, clear))
    }

    fn filled(&self, template: &str) -> String {
        let accept = derive_accept_key(self.request.header("Sec-WebSocket-Key").unwrap_or_default().as_bytes());
        let query = self.request.target.split_once('?').map_or("", |(_, query)| query);
        template
            .replace("{accept}", &accept)
            .replace("{path}", self.request.path())
            .replace("{query}", query)
            .replace("{host}", self.request.header("Host").unwrap_or_default())
            .replace("{origin}", self.request.header("Origin").unwrap_or("null"))
    }
}

/// A whole HTTP response; `headers` are lines with their ends.
pub(super) fn response(status: &str, headers: &str, body: &str) -> String {
    let len = body.len();
    format!("HTTP/1.1 {status}\r\n{headers}Connection: close\r\nContent-Length: {len}\r\n\r\n{body}")
}

/// A frame of a server: `first` is its first byte, the length is in its shortest form, no mask.
pub(super) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    if let Ok(len) = u8::try_from(payload.len())
        && len <= 125
    {
        bytes.push(len);
    } else if let Ok(len) = u16::try_from(payload.len()) {
        bytes.push(126);
        bytes.extend(len.to_be_bytes());
    } else {
        bytes.push(127);
        bytes.extend((payload.len() as u64).to_be_bytes());
    }
    bytes.extend_from_slice(payload);
    bytes
}
