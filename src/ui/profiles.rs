//! The profiles at hand, and which of them the form came from.

use super::form::Form;
use super::form::kept::KeptForm;
use crate::engine::Profile;

/// What the window knows of profiles.
#[derive(Debug, Default)]
pub struct Profiles {
    list: Vec<Profile>,
    current: Option<String>,
    before: Option<Before>,
    /// The name that the form is being saved under.
    saving: Option<String>,
}

/// A form that a profile took the place of.
#[derive(Debug)]
struct Before {
    form: Box<Form>,
    current: Option<String>,
}

impl Profiles {
    /// None is known yet; the form came from this one.
    pub fn new(current: Option<String>) -> Self {
        Self { current, ..Self::default() }
    }

    /// Takes the profiles on disk, by name; gives the one that was saved, if one was being saved.
    pub fn listed(&mut self, list: Vec<Profile>) -> Option<&str> {
        self.list = list;
        self.current = Some(self.saving.take()?);
        self.current()
    }

    /// Every profile, by name.
    pub fn list(&self) -> &[Profile] {
        &self.list
    }

    /// The name of the profile that the form came from, if it is still there.
    pub fn current(&self) -> Option<&str> {
        let current = self.current.as_deref()?;
        self.list.iter().any(|profile| profile.name == current).then_some(current)
    }

    /// The name to be remembered, whether the profiles were read or not.
    pub fn kept(&self) -> Option<String> {
        self.current.clone()
    }

    /// The form is being saved under this name.
    pub fn saving(&mut self, name: &str) {
        self.saving = Some(name.to_owned());
    }

    /// Nothing was saved.
    pub fn not_saved(&mut self) {
        self.saving = None;
    }

    /// Whether the form differs from the profile that it came from.
    pub fn is_changed(&self, form: &Form) -> bool {
        let current = self.current();
        let saved = self.list.iter().find(|profile| Some(profile.name.as_str()) == current);
        saved.is_some_and(|saved| {
            // As it is read, since a version before may have left something out.
            let saved = serde_json::from_value::<KeptForm>(saved.form.clone());
            !saved.is_ok_and(|saved| saved == KeptForm::of(form))
        })
    }

    /// The form of this profile, or why it cannot be read.
    pub fn form(&self, name: &str) -> Result<Form, String> {
        let profile = self.list.iter().find(|profile| profile.name == name);
        let profile = profile.ok_or_else(|| "there is no such profile any more".to_owned())?;
        let kept = serde_json::from_value::<KeptForm>(profile.form.clone());
        kept.map(KeptForm::into_form).map_err(|error| error.to_string())
    }

    /// The form of this profile takes the place of another one, which can be had back.
    pub fn used(&mut self, name: &str, before: Form) {
        let current = self.current.replace(name.to_owned());
        self.before = Some(Before { form: Box::new(before), current });
    }

    /// Whether there is a form to go back to.
    pub fn has_before(&self) -> bool {
        self.before.is_some()
    }

    /// Gives back the form that a profile took the place of; `now` can be had back then.
    pub fn go_back(&mut self, now: Form) -> Option<Form> {
        let before = self.before.take()?;
        let current = std::mem::replace(&mut self.current, before.current);
        self.before = Some(Before { form: Box::new(now), current });
        Some(*before.form)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(url: &str) -> Form {
        let mut form = Form::default();
        form.set_url(url.to_owned());
        form
    }

    fn profile(name: &str, form: &Form) -> Profile {
        Profile::new(name.to_owned(), serde_json::to_value(KeptForm::of(form)).unwrap())
    }

    #[test]
    fn a_profile_takes_the_forms_place_and_gives_it_back() {
        let mut profiles = Profiles::default();
        profiles
            .listed(vec![profile("local", &form("ws://localhost:1/")), profile("far", &form("wss://far/?token=&a=1"))]);
        assert_eq!(profiles.current(), None);
        let mine = form("ws://mine/?token=abc");
        let far = profiles.form("far").unwrap();
        assert_eq!(far.url, "wss://far/?token=&a=1");
        profiles.used("far", mine);
        assert_eq!((profiles.current(), profiles.is_changed(&far)), (Some("far"), false));
        let mut other = far.clone();
        other.set_url("wss://far/other".to_owned());
        assert!(profiles.is_changed(&other));
        assert_eq!(profiles.go_back(other).unwrap().url, "ws://mine/?token=abc");
        assert_eq!(profiles.current(), None);
        assert_eq!(profiles.go_back(Form::default()).unwrap().url, "wss://far/other");
        assert_eq!(profiles.current(), Some("far"));
    }

    #[test]
    fn a_profile_is_saved_once_it_is_on_disk() {
        let mut profiles = Profiles::default();
        profiles.saving("local");
        assert_eq!((profiles.current(), profiles.kept()), (None, None));
        assert_eq!(profiles.listed(vec![profile("local", &form("ws://localhost:1/"))]), Some("local"));
        assert_eq!(profiles.listed(profiles.list().to_vec()), None);
        profiles.saving("far");
        profiles.not_saved();
        assert_eq!(profiles.listed(profiles.list().to_vec()), None);
        assert_eq!(profiles.current(), Some("local"));
    }

    #[test]
    fn a_token_changes_no_profile() {
        let mut profiles = Profiles::default();
        profiles.listed(vec![profile("local", &form("ws://localhost:1/?token=&agentId=a1"))]);
        let mut form = profiles.form("local").unwrap();
        profiles.used("local", Form::default());
        form.set_token("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".to_owned());
        assert!(!profiles.is_changed(&form));
    }

    #[test]
    fn a_profile_that_is_gone_or_broken_is_said() {
        let mut profiles = Profiles::new(Some("gone".to_owned()));
        profiles.listed(vec![Profile::new("broken".to_owned(), serde_json::json!({"url": 7}))]);
        assert_eq!(profiles.current(), None);
        assert!(profiles.form("gone").is_err() && profiles.form("broken").is_err());
    }
}
