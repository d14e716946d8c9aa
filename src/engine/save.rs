//! Saves a session: the journal as it is, or an export by the file's extension. Blocks; never on the runtime's threads.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;

use super::recorder::Recorder;
use super::saved::SaveError;
use crate::diagnosis::{Case, checklist};
use crate::export::{Exporter, Material, Redactor, exporter_for_extension};
use crate::observation::{ConnId, Direction};
use crate::store::{Page, View};

/// How long a payload may take to be read from the journal.
const PAYLOAD_TRIES: u32 = 2_000;
/// Between two looks whether it is there.
const PAYLOAD_WAIT: Duration = Duration::from_millis(2);
/// Bytes of a payload that an export holds at a time.
const MAX_PAYLOAD_BYTES: usize = 64 * 1024 * 1024;

/// Writes the session of a connection; without redaction an export holds secrets as they are, a journal always does.
pub(super) fn save(recorder: &Recorder, conn: ConnId, path: &Path, redact: bool) -> Result<(), SaveError> {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or("");
    if let Some(exporter) = exporter_for_extension(extension) {
        export(recorder, conn, path, exporter, redact)
    } else {
        recorder.save_copy(conn, path).map(|_bytes| ())
    }
}

fn export(recorder: &Recorder, conn: ConnId, path: &Path, exporter: &Exporter, redact: bool) -> Result<(), SaveError> {
    let view = recorder.view(conn).ok_or(SaveError::Unknown { conn })?;
    let rows = recorder.rows(conn).ok_or(SaveError::Unknown { conn })?;
    let failed = |source| SaveError::Write { path: path.to_owned(), source };
    // Half a file never stands under the final name.
    let beside = beside(path);
    let written = (|| {
        let mut out = BufWriter::new(File::create(&beside)?);
        let checklist = checklist(&Case { story: &view.story, probes_pending: false });
        let mut redactor = redact.then(|| Redactor::for_story(&view.story));
        let mut material = Material {
            story: &view.story,
            checklist: &checklist,
            rows: &mut rows.map(Ok),
            payload: &mut |direction, offset| payload(&view, direction, offset),
        };
        (exporter.export)(&mut material, redactor.as_mut(), &mut out)?;
        out.flush()?;
        fs::rename(&beside, path)
    })();
    written.map_err(|source| {
        // What was begun is of no use to anybody.
        fs::remove_file(&beside).ok();
        failed(source)
    })
}

fn payload(view: &View, direction: Direction, offset: u64) -> io::Result<Option<Bytes>> {
    for _ in 0..PAYLOAD_TRIES {
        match view.source.payload(direction, offset, MAX_PAYLOAD_BYTES) {
            Page::Ready(payload) => return Ok(Some(payload)),
            Page::Pending => std::thread::sleep(PAYLOAD_WAIT),
        }
    }
    Err(io::Error::new(io::ErrorKind::TimedOut, "a payload could not be read from the journal"))
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    path.with_file_name(name)
}
