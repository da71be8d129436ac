//! The messages of Arrow's files and streams, checked before they are believed.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_buffer::Buffer;
use arrow_ipc::convert::try_fb_to_schema;
use arrow_ipc::reader::{read_dictionary, read_record_batch};
use arrow_ipc::{CompressionType, Message, root_as_message};
use arrow_schema::{ArrowError, Schema};

/// What a file begins with; its messages follow, as in a stream.
const MAGIC: &[u8] = b"ARROW1\0\0";

/// What stands before the length of a message.
const MARK: [u8; 4] = [0xff; 4];

/// The most bytes that LZ4 makes of one, and what a short one may hold besides.
const MAX_RATIO: (i64, i64) = (255, 1024);

/// Reads the messages of a file or a stream one by one: the schema first, then batches.
pub(super) struct Messages {
    bytes: Buffer,
    at: usize,
    pub schema: Arc<Schema>,
    dictionaries: HashMap<i64, ArrayRef>,
}

impl Messages {
    pub fn new(bytes: Vec<u8>) -> Result<Messages, ArrowError> {
        let bytes = Buffer::from_vec(bytes);
        let at = if bytes.starts_with(MAGIC) { MAGIC.len() } else { 0 };
        let mut messages =
            Messages { bytes, at, schema: Arc::new(Schema::empty()), dictionaries: HashMap::new() };
        let bytes = messages.bytes.clone();
        let Some((message, _)) = messages.next_message(&bytes)? else {
            return Err(wrong("there is no schema"));
        };
        let schema = message.header_as_schema().ok_or_else(|| wrong("the first message is not a schema"))?;
        messages.schema = Arc::new(try_fb_to_schema(schema)?);
        Ok(messages)
    }

    /// The next message with its body; `None` at the end.
    fn next_message<'b>(&mut self, bytes: &'b Buffer) -> Result<Option<(Message<'b>, Buffer)>, ArrowError> {
        let word = |at: usize| bytes.get(at..)?.first_chunk::<4>().copied();
        let Some(mut head) = word(self.at) else { return Ok(None) };
        self.at += 4;
        // before version 0.15 the length stood alone
        if head == MARK {
            head = word(self.at).ok_or_else(|| wrong("a message is cut off"))?;
            self.at += 4;
        }
        let len = i32::from_le_bytes(head);
        if len == 0 {
            return Ok(None);
        }
        let end = usize::try_from(len).ok().map(|len| self.at + len).filter(|end| *end <= bytes.len());
        let end = end.ok_or_else(|| wrong("a message is cut off"))?;
        let message = root_as_message(&bytes[self.at..end]).map_err(|e| wrong(&e.to_string()))?;
        let to = usize::try_from(message.bodyLength()).ok().and_then(|len| end.checked_add(len));
        let to = to.filter(|to| *to <= bytes.len()).ok_or_else(|| wrong("a batch is cut off"))?;
        self.at = to;
        Ok(Some((message, bytes.slice_with_length(end, to - end))))
    }

    fn next_batch(&mut self) -> Result<Option<RecordBatch>, ArrowError> {
        let bytes = self.bytes.clone();
        while let Some((message, body)) = self.next_message(&bytes)? {
            let version = message.version();
            if let Some(dictionary) = message.header_as_dictionary_batch() {
                check(dictionary.data(), &body)?;
                read_dictionary(&body, dictionary, &self.schema, &mut self.dictionaries, &version)?;
            } else if let Some(batch) = message.header_as_record_batch() {
                check(Some(batch), &body)?;
                let batch =
                    read_record_batch(&body, batch, self.schema.clone(), &self.dictionaries, None, &version)?;
                return Ok(Some(batch));
            }
        }
        Ok(None)
    }
}

impl Iterator for Messages {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_batch().transpose()
    }
}

/// Whether what a batch says of itself can be: the reader of the crate takes places and lengths as they are.
fn check(batch: Option<arrow_ipc::RecordBatch<'_>>, body: &Buffer) -> Result<(), ArrowError> {
    let Some(batch) = batch else { return Err(wrong("a dictionary has no values")) };
    let codec = batch.compression().map(|c| c.codec());
    if codec == Some(CompressionType::ZSTD) {
        return Err(wrong("it is compressed with Zstandard, which can be read in Parquet only"));
    }
    let (ratio, besides) = MAX_RATIO;
    let len = body.len() as i64;
    // a boolean takes one bit
    let most = len.saturating_mul(8 * ratio).saturating_add(1 << 20);
    let counts = batch.nodes().into_iter().flatten().map(|n| (n.length(), n.null_count()));
    let good = |(n, nulls): (i64, i64)| (0..=most).contains(&n) && (0..=n).contains(&nulls);
    if !counts.chain([(batch.length(), 0)]).all(good) {
        return Err(wrong("a batch claims more rows than it can hold"));
    }
    for buffer in batch.buffers().into_iter().flatten() {
        let (at, n) = (buffer.offset(), buffer.length());
        if at < 0 || n < 0 || at.checked_add(n).is_none_or(|end| end > len) {
            return Err(wrong("values lie outside of their batch"));
        }
        if codec.is_some() && n > 0 {
            let claim = body
                .get(at as usize..(at + n) as usize)
                .and_then(|b| b.first_chunk::<8>())
                .map(|b| i64::from_le_bytes(*b));
            // -1 stands before values that are not compressed
            let good = |claim: &i64| (-1..=n.saturating_mul(ratio).saturating_add(besides)).contains(claim);
            claim.filter(good).ok_or_else(|| wrong("values claim more than they can hold"))?;
        }
    }
    let variadic = batch.variadicBufferCounts().into_iter().flatten();
    let n_buffers = batch.buffers().map_or(0, |b| b.len()) as i64;
    if variadic.into_iter().any(|n| !(0..=n_buffers).contains(&n)) {
        return Err(wrong("a batch claims more values than it has"));
    }
    Ok(())
}

fn wrong(reason: &str) -> ArrowError {
    ArrowError::IpcError(reason.into())
}
