//! What the form says about TLS, the way and the keep-alive; text in, options out.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::checks::{self, Field};
use crate::engine::{ClientCertificate, ConnectOptions, ProxyChoice, Reconnect};
use crate::token::holds_secret;
use crate::ui::visible::is_hidden;
use crate::wire::parse_proxy;

/// TLS, the way and the keep-alive, as they are typed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a box that is ticked")]
pub struct Network {
    /// The path of the client certificate.
    pub client_certificate: String,
    /// The path of its key.
    pub client_key: String,
    /// The name for SNI in place of the URL's host.
    pub sni: String,
    /// Whether no SNI is sent.
    pub has_no_sni: bool,
    /// The path of the file for the keys.
    pub key_log: String,
    /// Which proxy is gone through.
    pub proxy: ProxyWay,
    /// The proxy's URL.
    pub proxy_url: String,
    /// Whether pings are sent.
    pub is_pinging: bool,
    /// How often, in seconds.
    pub ping: Secs<20>,
    /// How long a pong may take, in seconds.
    pub pong: Secs<10>,
    /// Whether the server's pings are left unanswered.
    pub withholds_pongs: bool,
    /// Whether the connection is made again after its end.
    pub reconnects: bool,
}

/// Which proxy is gone through, as a choice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProxyWay {
    /// The one of the environment.
    #[default]
    System,
    /// None.
    None,
    /// The one that is typed.
    Url,
}

/// Seconds as they are typed, so many at first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secs<const FIRST: u64>(pub String);

impl<const FIRST: u64> Default for Secs<FIRST> {
    fn default() -> Self {
        Self(FIRST.to_string())
    }
}

impl<const FIRST: u64> Secs<FIRST> {
    fn span(&self) -> Duration {
        Duration::from_secs_f64(checks::secs(&self.0).unwrap_or(FIRST as f64))
    }
}

impl Network {
    /// Says what is wrong with each field.
    pub(super) fn check(&self, fields: &mut BTreeMap<Field, String>) {
        let mut add = |field, problem: Option<String>| {
            if let Some(problem) = problem {
                fields.insert(field, problem);
            }
        };
        add(Field::ClientCertificate, checks::path(&self.client_certificate));
        add(Field::ClientKey, checks::path(&self.client_key));
        if !self.client_key.trim().is_empty() && self.client_certificate.trim().is_empty() {
            add(Field::ClientKey, Some("a key alone is of no use: choose its certificate above".to_owned()));
        }
        add(Field::KeyLog, checks::path(&self.key_log));
        let bad = self.sni.trim().chars().find(|c| c.is_whitespace() || is_hidden(*c) || "/:@?#".contains(*c));
        add(Field::Sni, bad.map(|c| format!("it holds {}, which no host name may", checks::character(c))));
        if self.proxy == ProxyWay::Url {
            add(Field::Proxy, parse_proxy(&self.proxy_url).err());
        }
        if self.is_pinging {
            add(Field::Ping, checks::secs(&self.ping.0).err());
            add(Field::Pong, checks::secs(&self.pong.0).err());
        }
    }

    /// Puts it into the options.
    pub(super) fn place(&self, options: &mut ConnectOptions) {
        let file = |path: &str| Some(PathBuf::from(path.trim())).filter(|_| !path.trim().is_empty());
        options.client_certificate = file(&self.client_certificate)
            .map(|certificate| ClientCertificate { certificate, key: file(&self.client_key) });
        let named = Some(self.sni.trim().to_owned()).filter(|name| !name.is_empty());
        options.sni = if self.has_no_sni { Some(String::new()) } else { named };
        options.key_log = file(&self.key_log);
        options.proxy = match self.proxy {
            ProxyWay::System => ProxyChoice::System,
            ProxyWay::None => ProxyChoice::None,
            ProxyWay::Url => ProxyChoice::Url(self.proxy_url.clone()),
        };
        options.keep_alive.ping = self.is_pinging.then(|| self.ping.span());
        options.keep_alive.pong_limit = self.pong.span();
        options.keep_alive.withhold_pongs = self.withholds_pongs;
        options.reconnect = self.reconnects.then(Reconnect::default);
    }

    /// What an exercise of the practice server asks for.
    pub(super) fn for_exercise(exercise: &crate::engine::practice::Exercise) -> Self {
        let mut network = Self { withholds_pongs: exercise.withhold_pongs, ..Self::default() };
        if let Some(proxy) = &exercise.proxy {
            (network.proxy, network.proxy_url) = (ProxyWay::Url, proxy.clone());
        }
        if let Some((ping, pong)) = exercise.ping {
            network.is_pinging = true;
            network.ping.0 = ping.as_secs_f64().to_string();
            network.pong.0 = pong.as_secs_f64().to_string();
        }
        network
    }

    /// Whether the proxy's password stands in a text, as it was typed or decoded.
    pub fn holds_password(&self, text: &str) -> bool {
        let typed = self.proxy_url.rsplit_once('@').and_then(|(before, _)| before.rsplit_once(':'));
        let typed = typed.is_some_and(|(_, password)| holds_secret(text, password));
        let decoded = parse_proxy(&self.proxy_url).ok().and_then(|proxy| proxy.credentials);
        typed || decoded.is_some_and(|(_, password)| holds_secret(text, &password))
    }

    /// What may be kept in a file: no password.
    pub(super) fn kept(&self) -> Self {
        let proxy_url = match self.proxy_url.rsplit_once('@') {
            Some((before, host)) => {
                let scheme = before.split_once("://").map_or("", |(scheme, _)| scheme);
                if scheme.is_empty() { host.to_owned() } else { format!("{scheme}://{host}") }
            }
            None => self.proxy_url.clone(),
        };
        Self { proxy_url, ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_reaches_the_engine() {
        let mut options = ConnectOptions::new("wss://h/");
        let mut network = Network {
            client_certificate: " c.pem ".to_owned(),
            proxy: ProxyWay::Url,
            proxy_url: "http://u:hunter2@p:1".to_owned(),
            is_pinging: true,
            reconnects: true,
            sni: "a.test".to_owned(),
            ..Network::default()
        };
        network.ping.0 = "0.5".to_owned();
        network.place(&mut options);
        assert_eq!(options.client_certificate.as_ref().map(|c| c.certificate.clone()), Some(PathBuf::from("c.pem")));
        assert_eq!(options.keep_alive.ping, Some(Duration::from_millis(500)));
        assert_eq!((options.keep_alive.pong_limit, options.sni.as_deref()), (Duration::from_secs(10), Some("a.test")));
        assert!(options.reconnect.is_some() && options.proxy == ProxyChoice::Url("http://u:hunter2@p:1".to_owned()));
        assert_eq!(network.kept().proxy_url, "http://p:1");
        assert!(
            network.holds_password("sockeye check --proxy http://u:hunter2@p:1")
                && !network.holds_password("http://p:1")
        );
        network.proxy_url = "http://u:hun%20ter@p:1".to_owned();
        assert!(
            network.holds_password("hun ter") && network.holds_password("hun%20ter") && !network.holds_password("u")
        );
        Network::default().place(&mut options);
        assert!(
            options.client_certificate.is_none() && options.keep_alive.ping.is_none() && options.reconnect.is_none()
        );
    }

    #[test]
    fn what_is_wrong_is_told_at_its_field() {
        let said = |network: Network| {
            let mut fields = BTreeMap::new();
            network.check(&mut fields);
            fields.into_keys().collect::<Vec<_>>()
        };
        assert!(said(Network::default()).is_empty());
        assert_eq!(said(Network { client_key: "k".to_owned(), ..Network::default() }), [Field::ClientKey]);
        assert_eq!(said(Network { sni: "a b".to_owned(), ..Network::default() }), [Field::Sni]);
        assert_eq!(said(Network { proxy: ProxyWay::Url, ..Network::default() }), [Field::Proxy]);
        let soon = Network { is_pinging: true, ping: Secs("soon".to_owned()), ..Network::default() };
        assert_eq!(said(soon), [Field::Ping]);
    }
}
