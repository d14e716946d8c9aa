//! stub
use super::*;
use crate::store::*;
use crate::wire::Decoder;
use std::collections::BTreeMap;
use std::sync::Mutex;
#[derive(Default)]
pub(crate) struct Shared {
    pub decoder: Decoder,
    pub story: Story,
}
/// r
pub struct Recorder {
    map: Mutex<BTreeMap<ConnId, Arc<Mutex<Shared>>>>,
}
/// e
#[derive(Debug, thiserror::Error)]
#[error("open")]
pub struct OpenError;
impl Recorder {
    pub(crate) fn start(_: Wake) -> Result<Self, StartError> {
        Ok(Self { map: Mutex::default() })
    }
    pub(crate) fn open(&self, conn: ConnId, _: &JournalPlace) -> Result<Sink, OpenError> {
        let shared = Arc::new(Mutex::new(Shared::default()));
        self.map.lock().unwrap().insert(conn, shared.clone());
        Ok(Sink { shared, t0: clock::now() })
    }
    pub(crate) fn view(&self, conn: ConnId) -> Option<Arc<View>> {
        let story = Arc::new(self.map.lock().unwrap().get(&conn)?.lock().unwrap().story.clone());
        Some(Arc::new(View { conn, story, rows: 0, trouble: None, source: Arc::new(No) }))
    }
    pub(crate) async fn settle(&self, conn: ConnId) -> Option<Arc<Story>> {
        self.map.lock().unwrap().get(&conn).map(|s| Arc::new(s.lock().unwrap().story.clone()))
    }
    pub(crate) fn journal_path(&self, _: ConnId) -> Option<PathBuf> {
        None
    }
    pub(crate) fn save_copy(&self, _: ConnId, _: &std::path::Path) -> Result<u64, OpenError> {
        Err(OpenError)
    }
    pub(crate) fn open_file(&self, _: ConnId, _: &std::path::Path) -> Result<Vec<String>, OpenError> {
        Err(OpenError)
    }
    pub(crate) fn forget(&self, _: ConnId) {}
}
struct No;
impl PageSource for No {
    fn page(&self, _: std::ops::Range<u64>) -> Page<Vec<Row>> {
        Page::Pending
    }
    fn payload(&self, _: crate::observation::Direction, _: u64, _: usize) -> Page<bytes::Bytes> {
        Page::Pending
    }
    fn row_at(&self, _: crate::observation::Moment) -> Page<u64> {
        Page::Pending
    }
    fn row_of(&self, _: crate::observation::Direction, _: u64) -> Page<u64> {
        Page::Pending
    }
}
