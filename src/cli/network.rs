//! From options of the command line to the way and the keep-alive of a connection.

use std::time::Duration;

use super::args::ConnectArgs;
use super::failure::Failure;
use crate::engine::{ClientCertificate, ConnectOptions, ProxyChoice, Reconnect, error_chain};
use crate::wire::parse_proxy;

/// Puts what was given into the options; what cannot work is refused before anything is sent.
pub(super) fn place(args: &ConnectArgs, options: &mut ConnectOptions) -> Result<(), Failure> {
    if let Some(certificate) = &args.client_cert {
        let files = ClientCertificate { certificate: certificate.clone(), key: args.client_key.clone() };
        files.check().map_err(|error| Failure::Usage(error_chain(&error)))?;
        options.client_certificate = Some(files);
    }
    options.sni.clone_from(&args.sni);
    if args.keylog.as_ref().is_some_and(|path| path.is_dir()) {
        return Err(Failure::Usage("the file for the TLS keys is a folder".to_owned()));
    }
    options.key_log.clone_from(&args.keylog);
    match args.proxy.as_deref() {
        Some("none") => options.proxy = ProxyChoice::None,
        Some(url) => {
            parse_proxy(url).map_err(|why| Failure::Usage(format!("--proxy: {why}")))?;
            options.proxy = ProxyChoice::Url(url.to_owned());
        }
        None => {}
    }
    let keep_alive = &mut options.keep_alive;
    keep_alive.ping = args.ping.map(|every| every.max(SHORTEST)).or(keep_alive.ping);
    keep_alive.pong_limit = args.pong_timeout.map_or(keep_alive.pong_limit, |limit| limit.max(SHORTEST));
    keep_alive.withhold_pongs |= args.no_pong;
    options.reconnect = args.reconnect.map(|times| Reconnect { at_most: Some(times), ..Reconnect::default() });
    Ok(())
}

/// A timer of zero would do nothing else.
const SHORTEST: Duration = Duration::from_millis(10);

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::super::args::{Arguments, Command};
    use super::*;

    fn placed(words: &[&str]) -> Result<ConnectOptions, Failure> {
        let all = ["sockeye", "check", "wss://h/"].iter().chain(words);
        let Some(Command::Check(check)) = Arguments::try_parse_from(all).unwrap().command else { panic!("no check") };
        let mut options = ConnectOptions::new("wss://h/");
        place(&check.connect, &mut options).map(|()| options)
    }

    #[test]
    fn what_is_given_reaches_the_engine() {
        let words = [
            "--proxy",
            "socks5://u:p@h",
            "--ping",
            "0",
            "--pong-timeout",
            "2.5",
            "--no-pong",
            "--sni",
            "",
            "--reconnect",
            "3",
        ];
        let options = placed(&words).unwrap_or_else(|failure| panic!("{failure}"));
        assert!(options.proxy == ProxyChoice::Url("socks5://u:p@h".to_owned()));
        assert_eq!(options.keep_alive.ping, Some(SHORTEST));
        assert_eq!(options.keep_alive.pong_limit, Duration::from_millis(2500));
        assert!(options.keep_alive.withhold_pongs && options.sni.as_deref() == Some(""));
        assert_eq!(options.reconnect.and_then(|reconnect| reconnect.at_most), Some(3));
        let none = placed(&["--proxy", "none"]).unwrap_or_else(|failure| panic!("{failure}"));
        assert!(none.proxy == ProxyChoice::None && none.reconnect.is_none());
    }

    #[test]
    fn what_cannot_work_is_refused_without_the_password() {
        for words in
            [&["--proxy", "http://u:hunter2@h:x"][..], &["--client-cert", "/nowhere/c.pem"], &["--keylog", "/"]]
        {
            let failure = placed(words).err().unwrap_or_else(|| panic!("{words:?}"));
            assert_eq!(failure.status(), 2, "{words:?}");
            assert!(!failure.to_string().contains("hunter2"), "{failure}");
        }
    }
}
