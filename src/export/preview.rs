//! What would leave: an export looked at before it is written.

use std::io::{self, Write};

use super::redact::{Mark, Redactor};
use super::{Exporter, Material, bundle, lines};

/// What would leave.
#[derive(Clone, Debug, Default)]
pub struct Preview {
    /// The files, in order.
    pub files: Vec<PreviewFile>,
    /// What stands in the place of secrets, and how often; empty where secrets stay.
    pub marks: Vec<Mark>,
}

/// One file, as it would be written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PreviewFile {
    /// Its name.
    pub name: String,
    /// What it is.
    pub about: &'static str,
    /// Its length in bytes.
    pub len_bytes: u64,
    /// Its beginning, at most [`PreviewFile::BEGINNING_BYTES`].
    pub beginning: Vec<u8>,
}

impl PreviewFile {
    /// How much of a file a preview holds.
    pub const BEGINNING_BYTES: usize = 256 * 1024;

    /// Takes more bytes, and keeps the first of them.
    pub(super) fn take(&mut self, bytes: &[u8]) {
        self.len_bytes += bytes.len() as u64;
        let room = Self::BEGINNING_BYTES.saturating_sub(self.beginning.len());
        self.beginning.extend_from_slice(bytes.get(..bytes.len().min(room)).unwrap_or_default());
    }
}

impl Write for PreviewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.take(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Exporter {
    /// Tells what would be written; reads every wanted row, writes nothing.
    pub fn preview(&self, material: &Material<'_>, mut redactor: Option<&mut Redactor>) -> io::Result<Preview> {
        if let Some(redactor) = redactor.as_deref_mut() {
            redactor.learn_story(material.story);
            lines::learn(material, redactor)?;
            redactor.recount();
        }
        let files = if self.id == bundle::ID {
            bundle::files(material, redactor.as_deref_mut())?
        } else {
            let extension = self.extensions.first().copied().unwrap_or(self.id);
            let mut file =
                PreviewFile { name: format!("session.{extension}"), about: self.title, ..PreviewFile::default() };
            (self.export)(material, redactor.as_deref_mut(), &mut file)?;
            vec![file]
        };
        Ok(Preview { files, marks: redactor.map(|redactor| redactor.marks()).unwrap_or_default() })
    }
}
