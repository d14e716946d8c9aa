//! Writes a session in another format. Blocks; never on the runtime's threads.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::private_file::create_new;
use super::session_reader::{SessionReader, Stopped, Watch};
use super::system::system_facts;
use crate::diagnosis::{Case, checklist};
use crate::export::{Exporter, Material, Preview, Redactor, Selection};

/// What is to be written.
#[derive(Clone, Debug)]
pub struct ExportJob {
    /// In which format.
    pub exporter: &'static Exporter,
    /// What replaces secrets; `None` writes them as they are.
    pub redactor: Option<Redactor>,
    /// Which rows.
    pub selection: Selection,
}

/// Why a session could not be exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// It was told to stop; nothing stands under the file's name that did not stand there before.
    #[error("the export was stopped")]
    Stopped,
    /// The file could not be written, or the journal not be read.
    #[error("the export could not be written: {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl ExportJob {
    /// Everything in this format, secrets replaced.
    pub fn redacted(exporter: &'static Exporter) -> Self {
        Self { exporter, redactor: Some(Redactor::new()), selection: Selection::All }
    }

    /// Writes the session; gives what has replaced secrets.
    pub fn write(
        self,
        session: SessionReader,
        watch: &Arc<Watch>,
        out: &mut dyn Write,
    ) -> io::Result<Option<Redactor>> {
        let mut redactor = self.redactor.clone();
        self.with_material(session, watch, |material| self.exporter.write(material, redactor.as_mut(), out))?;
        Ok(redactor)
    }

    /// Tells what would be written; writes nothing.
    pub fn preview(self, session: SessionReader, watch: &Arc<Watch>) -> io::Result<Preview> {
        let mut redactor = self.redactor.clone();
        self.with_material(session, watch, |material| self.exporter.preview(material, redactor.as_mut()))
    }

    fn with_material<T>(
        &self,
        session: SessionReader,
        watch: &Arc<Watch>,
        work: impl FnOnce(&Material<'_>) -> io::Result<T>,
    ) -> io::Result<T> {
        let view = Arc::clone(session.view());
        let learned = if self.redactor.is_some() { view.rows } else { 0 };
        watch.begin(self.selection.count(view.rows) * self.exporter.passes + learned);
        let session = session.watched(Arc::clone(watch));
        let checklist = checklist(&Case { story: &view.story, probes_pending: false });
        let system = system_facts();
        work(&Material {
            story: &view.story,
            checklist: &checklist,
            source: &session,
            selection: &self.selection,
            system: &system,
        })
    }

    /// Writes the session to a file; half of it never stands under the file's name.
    pub(super) fn write_file(self, session: SessionReader, watch: &Arc<Watch>, path: &Path) -> Result<(), ExportError> {
        let is_private = self.redactor.is_none();
        let written = replace_file(path, is_private, |out| self.write(session, watch, out).map(drop));
        written.map_err(|source| {
            if source.get_ref().and_then(|inner| inner.downcast_ref::<Stopped>()).is_some() {
                ExportError::Stopped
            } else {
                ExportError::Write { path: path.to_owned(), source }
            }
        })
    }
}

/// Writes a file through `write` beside its place and puts it there once it is whole.
fn replace_file(path: &Path, is_private: bool, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    // A device or a pipe cannot be replaced.
    if fs::metadata(path).is_ok_and(|there| !there.is_file() && !there.is_dir()) {
        let mut out = BufWriter::new(File::create(path)?);
        write(&mut out)?;
        return out.flush();
    }
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    let beside = path.with_file_name(name);
    // What an earlier process of this number left there is nobody's.
    fs::remove_file(&beside).ok();
    let file = if is_private { create_new(&beside)? } else { File::create_new(&beside)? };
    let mut out = BufWriter::with_capacity(256 * 1024, file);
    let written = write(&mut out).and_then(|()| out.flush()).and_then(|()| {
        drop(out);
        fs::rename(&beside, path)
    });
    if written.is_err() {
        // What was begun is of no use to anybody.
        fs::remove_file(&beside).ok();
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_file_never_stands_under_the_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.html");
        fs::write(&path, "old").unwrap();
        let failed = replace_file(&path, false, |out| {
            out.write_all(&vec![b'x'; 1_000_000])?;
            Err(io::Error::other(Stopped))
        });
        assert!(failed.is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        replace_file(&path, true, |out| out.write_all(b"new")).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(replace_file(folder.path(), false, |out| out.write_all(b"x")).is_err());
    }
}
