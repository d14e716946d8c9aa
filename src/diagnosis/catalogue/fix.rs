//! Fixes: a sentence each, often with something to copy, and the placeholders that are filled in for one target.
//!
//! What is copied may end up in a shell, and the target may come from a file of somebody else. So filled-in values are
//! percent-encoded down to characters that no shell interprets inside double quotes.

use serde::Serialize;

/// One way to mend a cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Fix {
    /// What to do, in one or two sentences; may hold placeholders such as `{port}`.
    pub text: &'static str,
    /// What can be copied for it: a command, or a line of code or configuration.
    pub command: Option<Command>,
}

/// Something to copy, for each platform; may hold placeholders such as `{port}`.
///
/// Code and configuration read the same on all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Command {
    /// For a POSIX shell on Linux and its like.
    pub unix: &'static str,
    /// For a POSIX shell on macOS, whose tools are others.
    pub macos: &'static str,
    /// For `PowerShell`.
    pub windows: &'static str,
}

/// The shell that commands are written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Platform {
    /// Linux and its like.
    Unix,
    /// macOS.
    MacOs,
    /// Windows with `PowerShell`.
    Windows,
}

/// What the placeholders of a [`Fix`] stand for.
///
/// Pass a redacted `url` where the result is exported: nothing is redacted here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Target {
    /// The URL's scheme, for `{scheme}`; `{http}` is `http` or `https` to match.
    pub scheme: String,
    /// The host without brackets, for `{host}`.
    pub host: String,
    /// The port, for `{port}`.
    pub port: u16,
    /// The path without query, for `{path}`.
    pub path: String,
    /// The whole URL, for `{url}`.
    pub url: String,
    /// The process that listens on the port, for `{pid}`; `PID` stands in while it is not known.
    pub pid: Option<u32>,
}

impl Target {
    /// The server of the troubleshooting guide, where there is no connection to speak of.
    pub fn example() -> Self {
        Self {
            scheme: "ws".to_owned(),
            host: "localhost".to_owned(),
            port: 3001,
            path: "/".to_owned(),
            url: "ws://localhost:3001/".to_owned(),
            pid: None,
        }
    }
}

impl Fix {
    /// Returns the sentence with its placeholders filled in.
    pub fn text_for(&self, target: &Target) -> String {
        fill(self.text, |name| target.value(name))
    }

    /// Returns what to copy on `platform`, with its placeholders filled in so that no shell reads more into them.
    pub fn command_for(&self, target: &Target, platform: Platform) -> Option<String> {
        let command = self.command?;
        let template = match platform {
            Platform::Unix => command.unix,
            Platform::MacOs => command.macos,
            Platform::Windows => command.windows,
        };
        Some(fill(template, |name| {
            let value = target.value(name)?;
            Some(match name {
                "url" | "path" => shell_safe(&value, "-._~:/?&=%+,@[]"),
                _ => shell_safe(&value, "-._:[]"),
            })
        }))
    }
}

impl Platform {
    /// Returns the platform that this program was built for.
    pub const fn current() -> Self {
        if cfg!(windows) {
            Self::Windows
        } else if cfg!(target_os = "macos") {
            Self::MacOs
        } else {
            Self::Unix
        }
    }
}

impl Target {
    fn value(&self, name: &str) -> Option<String> {
        match name {
            "scheme" => Some(self.scheme.clone()),
            "http" => Some(
                match self.scheme.as_str() {
                    "wss" | "https" => "https",
                    _ => "http",
                }
                .to_owned(),
            ),
            "host" => Some(self.host.clone()),
            "port" => Some(self.port.to_string()),
            "path" => Some(self.path.clone()),
            "url" => Some(self.url.clone()),
            "pid" => Some(self.pid.map_or_else(|| "PID".to_owned(), |pid| pid.to_string())),
            _ => None,
        }
    }
}

/// A fix that is advice alone.
pub(super) const fn advice(text: &'static str) -> Fix {
    Fix { text, command: None }
}

/// A fix with lines that read the same everywhere: code, configuration, or a command of ours.
pub(super) const fn snippet(text: &'static str, lines: &'static str) -> Fix {
    command(text, lines, lines)
}

/// A fix with a command for POSIX shells and one for `PowerShell`.
pub(super) const fn command(text: &'static str, unix: &'static str, windows: &'static str) -> Fix {
    on_each(text, unix, unix, windows)
}

/// A fix with a command for each platform.
pub(super) const fn on_each(text: &'static str, unix: &'static str, macos: &'static str, windows: &'static str) -> Fix {
    Fix { text, command: Some(Command { unix, macos, windows }) }
}

/// Replaces each `{name}` that `value` knows; other braces stay as they are.
///
/// An IPv6 host gets its brackets where it stands in a URL or before a port.
fn fill(template: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(template.len() + 64);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let known = after.split_once('}').and_then(|(name, tail)| Some((name, tail, value(name)?)));
        if let Some((name, tail, filled)) = known {
            let in_address = out.ends_with("://") || tail.starts_with(":{port}");
            if name == "host" && in_address && filled.contains(':') && !filled.starts_with('[') {
                out.push('[');
                out.push_str(&filled);
                out.push(']');
            } else {
                out.push_str(&filled);
            }
            rest = tail;
        } else {
            out.push('{');
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

/// Percent-encodes all but letters, digits and `allowed`, also a leading `-`, which would read as an option.
fn shell_safe(value: &str, allowed: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for (at, byte) in value.bytes().enumerate() {
        let plain = byte.is_ascii_alphanumeric() || allowed.as_bytes().contains(&byte);
        if plain && !(at == 0 && byte == b'-') {
            out.push(char::from(byte));
        } else {
            out.push('%');
            let digits = [byte >> 4, byte & 0x0F].map(|digit| char::from_digit(digit.into(), 16));
            out.extend(digits.into_iter().flatten().map(|digit| digit.to_ascii_uppercase()));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target() -> Target {
        Target {
            scheme: "wss".to_owned(),
            host: "example.com".to_owned(),
            port: 3001,
            path: "/ws".to_owned(),
            url: "wss://example.com:3001/ws?a=1&b=2".to_owned(),
            pid: None,
        }
    }

    #[test]
    fn placeholders_are_filled_and_other_braces_stay() {
        let fix = snippet("Port {port} of {host}", "f({ a }); {unknown} {http}://{host}:{port}{path} {pid}");
        assert_eq!(fix.text_for(&target()), "Port 3001 of example.com");
        assert_eq!(
            fix.command_for(&target(), Platform::Unix).as_deref(),
            Some("f({ a }); {unknown} https://example.com:3001/ws PID")
        );
    }

    #[test]
    fn each_platform_gets_its_own_command() {
        let fix = on_each("See", "ss {port}", "lsof -i:{port}", "netstat {port}");
        assert_eq!(fix.command_for(&target(), Platform::Unix).as_deref(), Some("ss 3001"));
        assert_eq!(fix.command_for(&target(), Platform::MacOs).as_deref(), Some("lsof -i:3001"));
        assert_eq!(fix.command_for(&target(), Platform::Windows).as_deref(), Some("netstat 3001"));
        assert_eq!(advice("See").command_for(&target(), Platform::Unix), None);
    }

    #[test]
    fn ipv6_host_gets_brackets_in_a_url_only() {
        let fix = snippet("", "ping {host}; {scheme}://{host}/; -connect {host}:{port}");
        let target = Target { host: "::1".to_owned(), ..target() };
        assert_eq!(
            fix.command_for(&target, Platform::Unix).as_deref(),
            Some("ping ::1; wss://[::1]/; -connect [::1]:3001")
        );
    }

    #[test]
    fn hostile_url_cannot_leave_its_quotes() {
        let fix = snippet("", "sockeye check \"{url}\" {host}");
        let target =
            Target { url: "ws://x/\"; rm -rf $(y) `z` '\\\n!".to_owned(), host: "-x;y".to_owned(), ..target() };
        assert_eq!(
            fix.command_for(&target, Platform::Unix).as_deref(),
            Some("sockeye check \"ws://x/%22%3B%20rm%20-rf%20%24%28y%29%20%60z%60%20%27%5C%0A%21\" %2Dx%3By")
        );
    }
}
