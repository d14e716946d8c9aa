//! What the machine is, as far as it helps whoever reads a report: no name of a person, a host or a folder.

/// Names and values, in order.
pub(super) fn system_facts() -> Vec<(String, String)> {
    let mut facts = vec![
        ("sockeye".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
        ("system".to_owned(), platform::name().unwrap_or_else(|| std::env::consts::OS.to_owned())),
        ("architecture".to_owned(), std::env::consts::ARCH.to_owned()),
    ];
    if let Ok(processors) = std::thread::available_parallelism() {
        facts.push(("processors".to_owned(), processors.to_string()));
    }
    if let Some(zone) = jiff::tz::TimeZone::system().iana_name() {
        facts.push(("time zone".to_owned(), zone.to_owned()));
    }
    facts
}

#[cfg(target_os = "linux")]
mod platform {
    /// The distribution, and the kernel's release.
    pub(super) fn name() -> Option<String> {
        let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").ok()?;
        let about = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
        let distribution = about.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="));
        let distribution = distribution.map_or("Linux", |name| name.trim_matches('"'));
        Some(format!("{distribution}, Linux {}", kernel.trim()))
    }
}

#[cfg(target_os = "macos")]
mod platform {
    /// The version, as the system's own property list tells it.
    pub(super) fn name() -> Option<String> {
        let list = std::fs::read_to_string("/System/Library/CoreServices/SystemVersion.plist").ok()?;
        let (_, rest) = list.split_once("<key>ProductVersion</key>")?;
        let (_, rest) = rest.split_once("<string>")?;
        Some(format!("macOS {}", rest.split('<').next().unwrap_or_default()))
    }
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
mod platform {
    /// The family's name as the system itself sets it.
    pub(super) fn name() -> Option<String> {
        std::env::var("OS").ok().filter(|name| !name.is_empty())
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn facts_have_names_and_values() {
        let facts = super::system_facts();
        assert!(
            facts.len() >= 3 && facts.iter().all(|(name, value)| !name.is_empty() && !value.is_empty()),
            "{facts:?}"
        );
    }
}
