//! Files and dialogs, off the window's thread: a dialog may stay open for minutes, a disk may be slow.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use bytes::Bytes;
use egui::Context;

use super::action::FileField;
use crate::observation::ConnId;
use crate::token::{Secret, env_file_kin, is_env_file, secrets_from_env, secrets_from_env_file, variables_from_env};

/// Work that is done beside the window.
pub struct FileJobs {
    results: Receiver<FileDone>,
    sender: SyncSender<FileDone>,
    wake: Context,
    has_dialogs: bool,
}

/// What a dialog is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pick {
    /// A place to save the shown connection.
    Save,
    /// A place to export the shown connection to.
    Export,
    /// A saved session.
    Open,
    /// A file for a field.
    Field(FileField),
}

/// What a file with secrets holds.
#[derive(Debug, Default)]
pub struct SecretFile {
    /// Its secrets, and those of its kin.
    pub secrets: Vec<Secret>,
    /// The variables of a `.env` file.
    pub variables: BTreeMap<String, String>,
}

/// Work that is done.
#[derive(Debug)]
pub enum FileDone {
    /// A dialog was closed.
    Picked {
        /// What it was for.
        pick: Pick,
        /// What was chosen, if anything.
        path: Option<PathBuf>,
        /// Whether there is no dialog on this machine; a path field must do.
        has_no_dialog: bool,
    },
    /// A file with secrets was read.
    SecretsRead(Result<SecretFile, String>),
    /// A file to send was read.
    PayloadRead {
        /// On which connection it is to be sent.
        conn: ConnId,
        /// Its contents.
        payload: Result<Bytes, String>,
    },
}

impl FileJobs {
    /// Nothing under way; `wake` is asked to repaint when something is done.
    pub fn new(wake: Context) -> Self {
        let (sender, results) = sync_channel(WAITING);
        Self { results, sender, wake, has_dialogs: true }
    }

    /// Never opens a dialog, as on a machine that has none.
    pub fn without_dialogs(&mut self) {
        self.has_dialogs = false;
    }

    /// Takes what was done since.
    pub fn take(&self) -> Option<FileDone> {
        self.results.try_recv().ok()
    }

    /// Opens a dialog; `name` is the file name that a new file is given.
    pub fn pick(&self, pick: Pick, name: String) {
        let has_dialogs = self.has_dialogs;
        self.start("job-dialog", move || {
            let began = now();
            let path = if has_dialogs { dialog(pick, &name) } else { None };
            let has_no_dialog = path.is_none() && now().duration_since(began) < NO_DIALOG;
            FileDone::Picked { pick, path, has_no_dialog }
        });
    }

    /// Reads the secrets of a `.env`, or takes the whole file as one.
    pub fn read_secrets(&self, path: PathBuf) {
        self.start("job-secret", move || FileDone::SecretsRead(secrets_of_file(&path)));
    }

    /// Reads a file that is to be sent.
    pub fn read_payload(&self, conn: ConnId, path: PathBuf) {
        self.start("job-payload", move || FileDone::PayloadRead {
            conn,
            payload: read(&path, MAX_PAYLOAD).map(Bytes::from),
        });
    }

    fn start(&self, name: &str, job: impl FnOnce() -> FileDone + Send + 'static) {
        let (sender, wake) = (self.sender.clone(), self.wake.clone());
        let run = move || {
            // The window is gone if nobody receives.
            sender.send(job()).ok();
            wake.request_repaint();
        };
        // Without a thread nothing happens, and the user tries again.
        std::thread::Builder::new().name(name.to_owned()).spawn(run).ok();
    }
}

fn dialog(pick: Pick, name: &str) -> Option<PathBuf> {
    let dialog = rfd::FileDialog::new();
    let sessions = |dialog: rfd::FileDialog| dialog.add_filter("Sockeye session", &["sockeye"]);
    match pick {
        Pick::Save => {
            sessions(dialog).add_filter("JSON Lines, secrets replaced", &["jsonl"]).set_file_name(name).save_file()
        }
        Pick::Export => dialog.set_file_name(name).save_file(),
        Pick::Open => sessions(dialog).add_filter("Every file", &["*"]).pick_file(),
        Pick::Field(_) => dialog.pick_file(),
    }
}

/// The secrets of a `.env` file and of its kin beside it, or the whole file as one: a key, a certificate, a JWK Set.
pub(super) fn secrets_of_file(path: &Path) -> Result<SecretFile, String> {
    let bytes = read(path, MAX_SECRET)?;
    if bytes.is_empty() {
        return Err(format!("{} is empty", shown(path)));
    }
    let name = path.file_name().map_or_else(|| "the file".to_owned(), |name| name.to_string_lossy().into_owned());
    let text = String::from_utf8_lossy(&bytes);
    let is_env = is_env_file(&name);
    let is_key = text.trim_start().starts_with(['{', '-']);
    let mut found = if is_env || !is_key { secrets_from_env(&text) } else { Vec::new() };
    for kin in env_file_kin(&name).filter(|_| is_env) {
        // Most of them are not there.
        if let Ok(bytes) = read(&path.with_file_name(kin), MAX_SECRET) {
            found.extend(secrets_from_env_file(&String::from_utf8_lossy(&bytes), kin));
        }
    }
    let variables = if is_key { BTreeMap::new() } else { variables_from_env(&text) };
    if found.is_empty() && is_env && variables.is_empty() {
        return Err(format!("there is no variable in {}", shown(path)));
    }
    let secrets = if found.is_empty() && !is_env { vec![Secret::new(name, bytes)] } else { found };
    Ok(SecretFile { secrets, variables })
}

fn read(path: &Path, limit: u64) -> Result<Vec<u8>, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", shown(path));
    let about = std::fs::metadata(path).map_err(failed)?;
    if about.is_dir() {
        return Err(format!("{} is a folder", shown(path)));
    }
    if about.len() > limit {
        return Err(format!("{} is too big: {}", shown(path), super::units::size(about.len())));
    }
    std::fs::read(path).map_err(failed)
}

fn shown(path: &Path) -> String {
    super::visible::middle_ellipsis(&path.to_string_lossy(), 60)
}

#[expect(clippy::disallowed_methods, reason = "how long a dialog took tells whether there is one")]
fn now() -> Instant {
    Instant::now()
}

/// A dialog that answers so soon was never shown.
const NO_DIALOG: Duration = Duration::from_millis(150);
const WAITING: usize = 16;
const MAX_SECRET: u64 = 1024 * 1024;
const MAX_PAYLOAD: u64 = 64 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_come_from_env_files_and_from_plain_ones() {
        let folder = tempfile::tempdir().unwrap();
        let env = folder.path().join(".env");
        std::fs::write(&env, "PORT=3001\nJWT_SECRET=abc\n").unwrap();
        std::fs::write(folder.path().join(".env.local"), "JWT_SECRET=def\n").unwrap();
        let found = secrets_of_file(&env).unwrap();
        let names: Vec<_> = found.secrets.into_iter().map(|secret| secret.name).collect();
        assert_eq!(names, [".env JWT_SECRET", ".env.local JWT_SECRET"]);
        assert_eq!(found.variables["PORT"], "3001");
        let plain = folder.path().join("secret.txt");
        std::fs::write(&plain, "abc").unwrap();
        assert_eq!(secrets_of_file(&plain).unwrap().secrets[0].bytes(), b"abc");
        let jwk = folder.path().join("keys.json");
        std::fs::write(&jwk, "{\"kty\":\"oct\",\"k\":\"AA\"}").unwrap();
        assert_eq!(secrets_of_file(&jwk).unwrap().secrets[0].name, "keys.json");
        assert!(secrets_of_file(folder.path()).unwrap_err().contains("is a folder"));
        assert!(secrets_of_file(&folder.path().join("none")).unwrap_err().contains("none"));
    }
}
