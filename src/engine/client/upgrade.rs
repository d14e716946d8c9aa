//! The opening handshake on a connected stream: our request out, the whole answer in, within our limits.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::{Instant, timeout_at};

use crate::engine::sink::Sink;
use crate::observation::{Deadline, Direction, Fact, Limit};
use crate::wire::{
    Decoder, Deflate, Framing, Item, MAX_HEAD_BYTES, ResponseHead, agreed_deflate, checks, framing, is_complete,
};

/// How an opening handshake ended for the endpoint; the facts tell the rest.
pub(crate) enum Upgrade {
    /// A 101 that passed every check.
    Accepted(Accepted),
    /// Anything else.
    Failed,
}

/// What a 101 that passed every check agreed on.
pub(crate) struct Accepted {
    /// The bytes that came behind it.
    pub(crate) tail: Vec<u8>,
    /// permessage-deflate, if it was accepted.
    pub(crate) deflate: Option<Deflate>,
}

/// How much of a refusal's body is read.
const MAX_BODY_BYTES: usize = 1024 * 1024;
/// How long a greeting that is not HTTP may go on.
const GREETING: Duration = Duration::from_millis(300);

/// Sends the request and reads the answer.
pub(crate) async fn upgrade<S>(stream: &mut S, request: &[u8], limit_millis: u64, sink: &Sink) -> Upgrade
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let deadline = deadline_in(limit_millis);
    let ran_out = |deadline| sink.push(Fact::TimedOut { deadline, millis: limit_millis });
    let written = timeout_at(deadline, async {
        stream.write_all(request).await?;
        stream.flush().await
    });
    // The server may have answered and closed before it took everything: after a failed write its answer is still read.
    if written.await.is_err() {
        ran_out(Deadline::Upgrade);
        return Upgrade::Failed;
    }
    let mut reader = AnswerReader::new(request);
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let read = match timeout_at(deadline, stream.read(&mut buffer)).await {
            Err(_elapsed) => {
                ran_out(Deadline::Upgrade);
                return Upgrade::Failed;
            }
            Ok(Ok(0) | Err(_)) => return Upgrade::Failed,
            Ok(Ok(read)) => read,
        };
        match reader.push(&buffer[..read]) {
            Answer::Partial => {}
            Answer::Accepted(accepted) => return Upgrade::Accepted(accepted),
            Answer::Broken => return Upgrade::Failed,
            Answer::HeadTooBig(len) => {
                let limit_bytes = MAX_HEAD_BYTES as u64;
                sink.push(Fact::LimitPassed { limit: Limit::ResponseHead, limit_bytes, actual_bytes: len });
                return Upgrade::Failed;
            }
            Answer::NotHttp => {
                read_on(stream, &mut buffer, GREETING).await;
                return Upgrade::Failed;
            }
            Answer::Refused(framing, body) => {
                read_body(stream, framing, body, limit_millis, sink).await;
                return Upgrade::Failed;
            }
        }
    }
}

/// What the bytes so far mean for the endpoint.
enum Answer {
    Partial,
    Accepted(Accepted),
    Refused(Framing, Vec<u8>),
    Broken,
    NotHttp,
    HeadTooBig(u64),
}

/// Reads the answer with the same decoder as the witness, on its own state.
struct AnswerReader {
    decoder: Decoder,
    request: Option<crate::wire::RequestHead>,
    received: Vec<u8>,
}

impl AnswerReader {
    fn new(request: &[u8]) -> Self {
        let mut decoder = Decoder::default();
        decoder.push(Direction::ClientToServer, request, &mut |_| {});
        Self { decoder, request: crate::wire::parse_request(request), received: Vec::new() }
    }

    fn push(&mut self, bytes: &[u8]) -> Answer {
        self.received.extend_from_slice(bytes);
        let mut answer = Answer::Partial;
        let (request, received) = (&self.request, &self.received);
        self.decoder.push(Direction::ServerToClient, bytes, &mut |item| match item {
            Item::Response(head, _) if matches!(answer, Answer::Partial) => {
                answer = judge(request.as_ref(), head, received);
            }
            Item::Interim(..) if matches!(answer, Answer::Partial) => answer = Answer::Broken,
            Item::NotHttp(_) => answer = Answer::NotHttp,
            Item::HeadTooBig(raw) => answer = Answer::HeadTooBig(raw.len() as u64),
            _ => {}
        });
        answer
    }
}

fn judge(request: Option<&crate::wire::RequestHead>, head: &ResponseHead, received: &[u8]) -> Answer {
    let tail = received.get(head.len_bytes..).unwrap_or(&[]).to_vec();
    if head.status != 101 {
        return Answer::Refused(framing(head), tail);
    }
    match request {
        Some(request) if !checks(request, head).iter().any(|check| check.fatal) => {
            Answer::Accepted(Accepted { tail, deflate: agreed_deflate(request, head) })
        }
        _ => Answer::Broken,
    }
}

async fn read_body<S: AsyncRead + Unpin>(
    stream: &mut S,
    framing: Framing,
    mut body: Vec<u8>,
    limit_millis: u64,
    sink: &Sink,
) {
    let deadline = deadline_in(limit_millis);
    let mut buffer = vec![0; 64 * 1024];
    while !is_complete(framing, &body) {
        if body.len() >= MAX_BODY_BYTES {
            let (limit_bytes, actual_bytes) = (MAX_BODY_BYTES as u64, body.len() as u64);
            sink.push(Fact::LimitPassed { limit: Limit::ResponseBody, limit_bytes, actual_bytes });
            return;
        }
        match timeout_at(deadline, stream.read(&mut buffer)).await {
            Err(_elapsed) => {
                sink.push(Fact::TimedOut { deadline: Deadline::Body, millis: limit_millis });
                return;
            }
            Ok(Ok(0) | Err(_)) => return,
            Ok(Ok(read)) => body.extend_from_slice(&buffer[..read]),
        }
    }
}

/// Reads on for a while, so that the witness sees more; what comes does not matter to the endpoint.
async fn read_on<S: AsyncRead + Unpin>(stream: &mut S, buffer: &mut [u8], limit: Duration) {
    let deadline = Instant::now() + limit;
    let mut total = 0;
    while total < 64 * 1024 {
        match timeout_at(deadline, stream.read(buffer)).await {
            Ok(Ok(read)) if read > 0 => total += read,
            _ => return,
        }
    }
}

fn deadline_in(millis: u64) -> Instant {
    Instant::now() + Duration::from_millis(millis)
}
