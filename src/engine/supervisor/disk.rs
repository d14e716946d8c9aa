//! What takes its time on disk: saving, exporting, opening, and the lists of sessions and profiles. None of it runs on the
//! runtime's threads.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};

use super::{Supervisor, error_chain};
use crate::engine::library::Library;
use crate::engine::profiles::{ProfileFile, ProfilesError};
use crate::engine::{Event, ExportError, ExportJob, Watch};
use crate::observation::ConnId;

impl Supervisor {
    /// Saves off the runtime's threads: a long session takes its time.
    pub(super) fn save(&self, conn: ConnId, path: PathBuf) {
        let (recorder, mailbox) = (Arc::clone(&self.recorder), Arc::clone(&self.mailbox));
        tokio::task::spawn_blocking(move || match recorder.save_copy(conn, &path) {
            Ok(_) => mailbox.put(Event::Saved { conn, path }),
            Err(error) => mailbox.put(Event::FileFailed { conn, path, why: error_chain(&error) }),
        });
    }

    pub(super) fn rescue(&self, conn: ConnId) {
        let (recorder, mailbox) = (Arc::clone(&self.recorder), Arc::clone(&self.mailbox));
        tokio::task::spawn_blocking(move || match recorder.rescue(conn) {
            Ok(path) => mailbox.put(Event::Saved { conn, path }),
            Err(error) => {
                mailbox.put(Event::FileFailed { conn, path: PathBuf::new(), why: error_chain(&error) });
            }
        });
    }

    /// Exports off the runtime's threads.
    pub(super) fn export(&self, conn: ConnId, path: PathBuf, job: ExportJob, watch: Arc<Watch>) {
        let Some(session) = self.recorder.session(conn) else {
            return self.refuse(conn, "there is no such connection");
        };
        let mailbox = Arc::clone(&self.mailbox);
        tokio::task::spawn_blocking(move || match job.write_file(session, &watch, &path) {
            Ok(()) => mailbox.put(Event::Saved { conn, path }),
            Err(ExportError::Stopped) => mailbox.put(Event::ExportStopped { conn, path }),
            Err(error) => mailbox.put(Event::FileFailed { conn, path, why: error_chain(&error) }),
        });
    }

    /// Does something about a session on disk off the runtime's threads, then lists them all.
    pub(super) fn on_sessions(
        &self,
        path: Option<PathBuf>,
        act: impl FnOnce(&Library, &Path) -> std::io::Result<()> + Send + 'static,
    ) {
        let (library, mailbox) = (self.recorder.library(), Arc::clone(&self.mailbox));
        tokio::task::spawn_blocking(move || {
            if let Some(path) = path
                && let Err(error) = act(&library, &path)
            {
                mailbox.put(Event::SessionFailed { path, why: error.to_string() });
            }
            let unnamed = library.sweep();
            mailbox.put(Event::Sessions { sessions: library.list(), unnamed });
        });
    }

    /// Does something about the profiles off the runtime's threads, then lists them all.
    pub(super) fn on_profiles(&self, act: impl FnOnce(&ProfileFile) -> Result<(), ProfilesError> + Send + 'static) {
        let (mailbox, profiles) = (Arc::clone(&self.mailbox), Arc::clone(&self.profiles));
        tokio::task::spawn_blocking(move || {
            let _alone = profiles.lock().unwrap_or_else(PoisonError::into_inner);
            let listed = ProfileFile::of_user().and_then(|file| {
                act(&file)?;
                file.list()
            });
            mailbox.put(match listed {
                Ok(profiles) => Event::Profiles { profiles },
                Err(error) => Event::ProfilesFailed { why: error_chain(&error) },
            });
        });
    }

    /// Opens a saved session off the runtime's threads.
    pub(super) fn open_file(&self, conn: ConnId, path: PathBuf) {
        let (recorder, mailbox) = (Arc::clone(&self.recorder), Arc::clone(&self.mailbox));
        tokio::task::spawn_blocking(move || match recorder.open_file(conn, &path) {
            Ok(remarks) => mailbox.put(Event::Opened { conn, path, remarks }),
            Err(error) => mailbox.put(Event::FileFailed { conn, path, why: error_chain(&error) }),
        });
    }
}
