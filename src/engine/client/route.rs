//! Which way a connection takes: straight, or through the proxy that the options or the environment name.

use crate::engine::{ConnectOptions, ProxyChoice};
use crate::observation::Route;
use crate::wire::{ProxyUrl, Target, bypasses, parse_proxy};

/// The way of a connection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Way {
    /// The same for the plan.
    pub(crate) route: Route,
    /// The proxy to go through.
    pub(crate) proxy: Option<ProxyUrl>,
    /// What was asked for and could not be done.
    pub(crate) note: Option<String>,
}

/// Chooses the way to the target.
pub(crate) fn way(options: &ConnectOptions, target: &Target) -> Way {
    match &options.proxy {
        ProxyChoice::None => Way::default(),
        ProxyChoice::Url(url) => by(url, "the options of this connection"),
        ProxyChoice::System => from_environment(target, |name| std::env::var(name).ok()),
    }
}

fn by(url: &str, source: &str) -> Way {
    match parse_proxy(url) {
        Ok(proxy) => {
            let route = Route::Proxy { kind: proxy.kind, place: proxy.place(), source: source.to_owned() };
            Way { route, proxy: Some(proxy), note: None }
        }
        Err(why) => {
            Way { note: Some(format!("the proxy ({source}) cannot be used, so none is: {why}")), ..Way::default() }
        }
    }
}

/// The proxy that the environment names for this target, as other programs read it: lower case before upper case, the
/// scheme's own variable before `ALL_PROXY`.
fn from_environment(target: &Target, variable: impl Fn(&str) -> Option<String>) -> Way {
    let set =
        |name: &str| variable(name).filter(|value| !value.trim().is_empty()).map(|value| (name.to_owned(), value));
    let own: [&str; 2] = if target.secure { ["https_proxy", "HTTPS_PROXY"] } else { ["http_proxy", "HTTP_PROXY"] };
    let Some((name, url)) = own.into_iter().chain(["all_proxy", "ALL_PROXY"]).find_map(set) else {
        return Way::default();
    };
    let without = |why: String| Way { route: Route::Bypassed { why }, ..Way::default() };
    if target.is_loopback() {
        return without(format!("{name} is set, but the host is this machine"));
    }
    if let Some((no, list)) = ["no_proxy", "NO_PROXY"].into_iter().find_map(set)
        && bypasses(&list, &target.host, target.port)
    {
        return without(format!("{no} names the host"));
    }
    by(&url, &name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::parse_url;

    fn words(url: &str, variables: &[(&str, &str)]) -> String {
        let value = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
        from_environment(&parse_url(url).unwrap(), value).route.words()
    }

    #[test]
    fn the_environment_decides_by_the_scheme() {
        let both = [("HTTP_PROXY", "http://plain:1"), ("HTTPS_PROXY", "http://tls:2"), ("ALL_PROXY", "socks5://all")];
        assert_eq!(words("ws://h/", &both), "through the HTTP proxy plain:1 (HTTP_PROXY)");
        assert_eq!(words("wss://h/", &both), "through the HTTP proxy tls:2 (HTTPS_PROXY)");
        assert_eq!(words("wss://h/", &both[2..]), "through the SOCKS5 proxy all:1080 (ALL_PROXY)");
        let lower = [("HTTPS_PROXY", "http://upper:1"), ("https_proxy", "lower:2")];
        assert_eq!(words("wss://h/", &lower), "through the HTTP proxy lower:2 (https_proxy)");
        assert_eq!(words("wss://h/", &[("HTTPS_PROXY", " ")]), "direct");
    }

    #[test]
    fn this_machine_and_no_proxy_go_straight() {
        let set = [("ALL_PROXY", "http://p:1"), ("NO_PROXY", ".corp")];
        assert!(words("ws://localhost:3001/", &set).starts_with("direct, without the proxy: ALL_PROXY is set"));
        assert!(words("ws://127.0.0.1/", &set).starts_with("direct, without"));
        assert_eq!(words("ws://a.corp/", &set), "direct, without the proxy: NO_PROXY names the host");
        assert!(words("ws://a.example/", &set).starts_with("through"));
    }

    #[test]
    fn a_proxy_that_cannot_be_is_told() {
        let way = by("gopher://h", "ALL_PROXY");
        assert!(way.proxy.is_none() && way.note.is_some_and(|note| note.contains("ALL_PROXY")));
    }
}
