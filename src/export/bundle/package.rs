//! Files one after the other: into a zip, or looked at and dropped.

use std::io::{self, Write};

use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, DateTime, ZipWriter};

use crate::export::preview::PreviewFile;

/// What is being filled.
pub(super) struct Package<'a> {
    files: Vec<PreviewFile>,
    zip: Option<ZipWriter<StreamWriter<&'a mut dyn Write>>>,
    date: DateTime,
}

impl<'a> Package<'a> {
    /// A zip whose files carry this wall clock.
    pub(super) fn zip(out: &'a mut dyn Write, unix_millis: i64) -> Self {
        Self { files: Vec::new(), zip: Some(ZipWriter::new_stream(out)), date: date(unix_millis) }
    }

    /// Nothing but a look at what would be written.
    pub(super) fn preview() -> Self {
        Self { files: Vec::new(), zip: None, date: DateTime::default() }
    }

    /// Ends the file before, and begins one.
    pub(super) fn begin(&mut self, name: &'static str, about: &'static str) -> io::Result<()> {
        self.files.push(PreviewFile { name: name.to_owned(), about, ..PreviewFile::default() });
        if let Some(zip) = &mut self.zip {
            let options = SimpleFileOptions::default()
                .compression_method(CompressionMethod::Deflated)
                .last_modified_time(self.date)
                // How long it gets is not known before.
                .large_file(true)
                .unix_permissions(0o644);
            zip.start_file(name, options).map_err(io::Error::other)?;
        }
        Ok(())
    }

    /// The files so far.
    pub(super) fn files(&self) -> &[PreviewFile] {
        &self.files
    }

    /// Ends everything; gives the files of a preview.
    pub(super) fn finish(self) -> io::Result<Vec<PreviewFile>> {
        if let Some(zip) = self.zip {
            zip.finish().map_err(io::Error::other)?;
        }
        Ok(self.files)
    }
}

impl Write for Package<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let len = match &mut self.zip {
            Some(zip) => zip.write(bytes)?,
            None => bytes.len(),
        };
        if self.zip.is_none()
            && let Some(file) = self.files.last_mut()
        {
            file.take(bytes);
        }
        Ok(len)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A wall clock as a zip holds it: from 1980 on, without a zone, which is UTC here.
fn date(unix_millis: i64) -> DateTime {
    let Ok(at) = jiff::Timestamp::from_millisecond(unix_millis) else { return DateTime::default() };
    let at = at.to_zoned(jiff::tz::TimeZone::UTC);
    let small = |value: i8| u8::try_from(value).unwrap_or_default();
    let year = u16::try_from(at.year()).unwrap_or_default();
    DateTime::from_date_and_time(
        year,
        small(at.month()),
        small(at.day()),
        small(at.hour()),
        small(at.minute()),
        small(at.second()),
    )
    .unwrap_or_default()
}
