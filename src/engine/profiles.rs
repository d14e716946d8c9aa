//! Profiles: connection forms under a name, in one readable file in the platform's folder for settings.
//!
//! What a profile holds is the matter of the face that wrote it, which puts no secret there. Blocks; never on the runtime's
//! threads.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::private_file::{create_folder, replace};

/// A connection form under a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// Its name, at most [`Profile::NAME_CHARS`] characters.
    pub name: String,
    /// What the form holds, without tokens and secrets.
    pub form: Value,
    /// What a later version added.
    #[serde(flatten)]
    other: Map<String, Value>,
}

impl Profile {
    /// The longest name.
    pub const NAME_CHARS: usize = 60;

    /// A form under a name.
    pub fn new(name: String, form: Value) -> Self {
        Self { name, form, other: Map::new() }
    }

    /// The name without spaces around it; `None` if it is none.
    pub fn name_of(text: &str) -> Option<&str> {
        let name = text.trim();
        let is_name = (1..=Self::NAME_CHARS).contains(&name.chars().count()) && !name.contains(char::is_control);
        is_name.then_some(name)
    }
}

/// Why profiles cannot be read or changed.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProfilesError {
    #[error("this system names no folder for settings")]
    NoFolder,
    #[error("the profiles cannot be read: {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("the profiles cannot be read, move the file away to begin anew: {}", path.display())]
    Malformed { path: PathBuf, source: serde_json::Error },
    #[error("the profiles are longer than {MAX_BYTES} bytes: {}", path.display())]
    TooLong { path: PathBuf },
    #[error("the profiles are of a newer version of Sockeye and are left as they are (schema {schema}): {}", path.display())]
    Newer { path: PathBuf, schema: u64 },
    #[error("a profile's name has 1 to {} characters", Profile::NAME_CHARS)]
    Name,
    #[error("there are {MAX_PROFILES} profiles already")]
    TooMany,
    #[error("the profiles cannot be written: {}", path.display())]
    Write { path: PathBuf, source: io::Error },
}

/// The file.
#[derive(Clone, Debug)]
pub(super) struct ProfileFile {
    path: PathBuf,
}

/// What it holds.
#[derive(Debug, Serialize, Deserialize)]
struct Content {
    schema: u64,
    #[serde(default)]
    profiles: Vec<Profile>,
    #[serde(flatten)]
    other: Map<String, Value>,
}

impl ProfileFile {
    /// The user's own.
    pub(super) fn of_user() -> Result<Self, ProfilesError> {
        let dirs = directories::ProjectDirs::from("", "", "sockeye").ok_or(ProfilesError::NoFolder)?;
        Ok(Self { path: dirs.config_dir().join("profiles.json") })
    }

    /// Every profile, by name.
    pub(super) fn list(&self) -> Result<Vec<Profile>, ProfilesError> {
        let mut profiles = self.read()?.profiles;
        profiles.sort_by_cached_key(|profile| (profile.name.to_lowercase(), profile.name.clone()));
        Ok(profiles)
    }

    /// Saves a form under a name, in place of what has this name.
    pub(super) fn save(&self, name: &str, form: Value) -> Result<(), ProfilesError> {
        let name = Profile::name_of(name).ok_or(ProfilesError::Name)?;
        // Read again: another window may have changed it.
        let mut content = self.read()?;
        if let Some(profile) = content.profiles.iter_mut().find(|profile| profile.name == name) {
            profile.form = form;
        } else if content.profiles.len() < MAX_PROFILES {
            content.profiles.push(Profile::new(name.to_owned(), form));
        } else {
            return Err(ProfilesError::TooMany);
        }
        self.write(&content)
    }

    /// Deletes the profile of this name, if there is one.
    pub(super) fn delete(&self, name: &str) -> Result<(), ProfilesError> {
        let mut content = self.read()?;
        content.profiles.retain(|profile| profile.name != name);
        self.write(&content)
    }

    fn read(&self) -> Result<Content, ProfilesError> {
        let path = || self.path.clone();
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Content::default()),
            Err(source) => return Err(ProfilesError::Read { path: path(), source }),
        };
        let mut text = Vec::new();
        let read = file.take(MAX_BYTES + 1).read_to_end(&mut text);
        read.map_err(|source| ProfilesError::Read { path: path(), source })?;
        if text.len() as u64 > MAX_BYTES {
            return Err(ProfilesError::TooLong { path: path() });
        }
        // The version first: the rest may have another shape.
        let versioned: Versioned =
            serde_json::from_slice(&text).map_err(|source| ProfilesError::Malformed { path: path(), source })?;
        if versioned.schema > SCHEMA {
            return Err(ProfilesError::Newer { path: path(), schema: versioned.schema });
        }
        serde_json::from_slice(&text).map_err(|source| ProfilesError::Malformed { path: path(), source })
    }

    /// Puts it in the place of what was there; a file that is a link stays one.
    fn write(&self, content: &Content) -> Result<(), ProfilesError> {
        let path = fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        let written = write_to(&path, content);
        written.map_err(|source| ProfilesError::Write { path, source })
    }
}

fn write_to(path: &Path, content: &Content) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        create_folder(folder)?;
    }
    let mut text = serde_json::to_vec_pretty(content)?;
    text.push(b'\n');
    replace(path, &text)
}

/// All that is read at first.
#[derive(Deserialize)]
struct Versioned {
    schema: u64,
}

impl Default for Content {
    fn default() -> Self {
        Self { schema: SCHEMA, profiles: Vec::new(), other: Map::new() }
    }
}

/// The version of the file.
const SCHEMA: u64 = 1;
const MAX_PROFILES: usize = 500;
const MAX_BYTES: u64 = 4 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn file(folder: &tempfile::TempDir) -> ProfileFile {
        ProfileFile { path: folder.path().join("settings").join("profiles.json") }
    }

    fn names(file: &ProfileFile) -> Vec<String> {
        file.list().unwrap().into_iter().map(|profile| profile.name).collect()
    }

    #[test]
    fn profiles_are_saved_replaced_and_deleted() {
        let folder = tempfile::tempdir().unwrap();
        let file = file(&folder);
        assert_eq!(names(&file), Vec::<String>::new());
        for name in ["staging", " Local ", "production"] {
            file.save(name, json!({"url": name})).unwrap();
        }
        assert_eq!(names(&file), ["Local", "production", "staging"]);
        file.save("staging", json!({"url": "ws://other"})).unwrap();
        assert_eq!(file.list().unwrap()[2].form, json!({"url": "ws://other"}));
        file.delete("production").unwrap();
        file.delete("never there").unwrap();
        assert_eq!(names(&file), ["Local", "staging"]);
        let text = fs::read_to_string(&file.path).unwrap();
        assert!(text.starts_with("{\n  \"schema\": 1,\n") && text.ends_with("}\n"), "{text}");
        assert_eq!(fs::read_dir(folder.path().join("settings")).unwrap().count(), 1, "nothing else is left there");
    }

    #[test]
    fn names_are_words_of_one_line() {
        let folder = tempfile::tempdir().unwrap();
        let file = file(&folder);
        for bad in ["", "   ", "a\nb", "\u{7}", &"x".repeat(61)] {
            assert!(matches!(file.save(bad, json!({})), Err(ProfilesError::Name)), "{bad:?}");
        }
        file.save(&"ü".repeat(60), json!({})).unwrap();
    }

    #[test]
    fn what_cannot_be_read_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let file = file(&folder);
        fs::create_dir(folder.path().join("settings")).unwrap();
        let longer = format!("{{\"schema\": 1, \"x\": \"{}\"}}", "x".repeat(MAX_BYTES as usize));
        for bad in ["", "{", "[]", "{\"schema\": 2, \"profiles\": 7}", "{\"schema\": 1, \"profiles\": [{}]}", &longer] {
            fs::write(&file.path, bad).unwrap();
            assert!(file.list().is_err() && file.save("a", json!({})).is_err() && file.delete("a").is_err());
            assert_eq!(fs::read_to_string(&file.path).unwrap(), bad);
        }
    }

    #[test]
    fn what_a_later_version_added_stays() {
        let folder = tempfile::tempdir().unwrap();
        let file = file(&folder);
        fs::create_dir(folder.path().join("settings")).unwrap();
        let later = json!({"schema": 1, "profiles": [{"name": "a", "form": {}, "colour": "red"}], "order": [0]});
        fs::write(&file.path, later.to_string()).unwrap();
        file.save("b", json!({})).unwrap();
        let text = fs::read_to_string(&file.path).unwrap();
        assert!(text.contains("\"colour\": \"red\"") && text.contains("\"order\""), "{text}");
    }

    #[cfg(unix)]
    #[test]
    fn the_file_is_private_and_a_link_stays_one() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let file = file(&folder);
        file.save("a", json!({})).unwrap();
        assert_eq!(file.path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let elsewhere = folder.path().join("elsewhere.json");
        fs::rename(&file.path, &elsewhere).unwrap();
        std::os::unix::fs::symlink(&elsewhere, &file.path).unwrap();
        file.save("b", json!({})).unwrap();
        assert!(file.path.symlink_metadata().unwrap().is_symlink());
        assert_eq!(names(&file), ["a", "b"]);
    }
}
