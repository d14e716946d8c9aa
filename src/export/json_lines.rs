//! JSON Lines: one object a row, in order, UTF-8, each line ended by LF.

use std::io::{self, Write};

use super::Material;
use super::lines::{Payloads, each};
use super::redact::Redactor;
use super::row_json::row_json;

/// Writes every row.
pub(super) fn write(material: &Material<'_>, redactor: Option<&mut Redactor>, out: &mut dyn Write) -> io::Result<()> {
    each(material, Payloads::Whole, redactor, &mut |line, redactor| {
        serde_json::to_writer(&mut *out, &row_json(&line, redactor))?;
        out.write_all(b"\n")
    })
}
