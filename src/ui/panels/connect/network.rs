//! The sections TLS, Way, and Keep-alive.

use egui::{ComboBox, Ui};

use super::options::path_ui;
use super::{problem, section};
use crate::observation::Family;
use crate::ui::action::FileField;
use crate::ui::big_text::BigText;
use crate::ui::context::Actions;
use crate::ui::fields::{self, explain_ui, labelled_ui};
use crate::ui::form::Form;
use crate::ui::form::checks::Field;
use crate::ui::form::network::ProxyWay;
use crate::ui::theme;

/// Certificates, names and keys.
pub(super) fn tls_ui(ui: &mut Ui, form: &mut Form, actions: &mut Actions) {
    section(ui, "TLS", false, |ui| {
        let palette = theme::palette(ui);
        ui.checkbox(&mut form.is_insecure, "Go on although the certificate is invalid");
        if form.is_insecure {
            fields::warning_ui(ui, "Anybody on the way can read this connection; what is wrong is listed in the log");
        }
        let mut is_changed = false;
        let mut file_ui = |ui: &mut Ui, label: &str, name: &str, path: &mut String, what: FileField| {
            ui.label(theme::tinted(label, palette.muted));
            is_changed |= path_ui(ui, BigText::new(name).hint("path to a PEM file"), path, what, actions);
        };
        let name = "Path of the authority's file";
        file_ui(ui, "Trust this authority too", name, &mut form.ca_file, FileField::Authority);
        problem(ui, form, Field::CaFile);
        ui.add_space(theme::STEP);
        let network = &mut form.network;
        let name = "Path of the client certificate";
        let path = &mut network.client_certificate;
        file_ui(ui, "Client certificate, if the server asks for one", name, path, FileField::ClientCertificate);
        problem(ui, form, Field::ClientCertificate);
        if !form.network.client_certificate.trim().is_empty() || !form.network.client_key.is_empty() {
            let name = "Path of the client certificate's key";
            let path = &mut form.network.client_key;
            file_ui(ui, "Its key, unless it stands in the same file", name, path, FileField::ClientKey);
            problem(ui, form, Field::ClientKey);
        }
        ui.add_space(theme::STEP);
        if !form.network.has_no_sni {
            let sni = BigText::new("Server name").hint("the URL's host");
            let label = "Name sent (SNI) and looked for in the certificate";
            is_changed |= labelled_ui(ui, label, sni, &mut form.network.sni).changed();
            problem(ui, form, Field::Sni);
        }
        ui.checkbox(&mut form.network.has_no_sni, "Send no name (no SNI)");
        ui.add_space(theme::STEP);
        ui.label(theme::tinted("Write the session's keys for Wireshark to", palette.muted));
        let field = BigText::new("Path of the key log").hint("no file; or SSLKEYLOGFILE");
        is_changed |= path_ui(ui, field, &mut form.network.key_log, FileField::KeyLog, actions);
        problem(ui, form, Field::KeyLog);
        if !form.network.key_log.trim().is_empty() {
            fields::warning_ui(ui, "Whoever has this file can read the recorded traffic");
        }
        if is_changed {
            form.recheck();
        }
    });
}

/// The proxy, and which addresses are tried.
pub(super) fn way_ui(ui: &mut Ui, form: &mut Form) {
    section(ui, "Proxy and addresses", false, |ui| {
        let palette = theme::palette(ui);
        let before = form.network.proxy;
        ui.horizontal(|ui| {
            let label = ui.label(theme::tinted("Proxy", palette.muted));
            let combo = ComboBox::from_id_salt("proxy").selected_text(proxy(before)).width(ui.available_width());
            let response = combo.show_ui(ui, |ui| {
                for choice in [ProxyWay::System, ProxyWay::None, ProxyWay::Url] {
                    ui.selectable_value(&mut form.network.proxy, choice, proxy(choice));
                }
            });
            response.response.labelled_by(label.id);
        });
        let mut is_changed = form.network.proxy != before;
        match form.network.proxy {
            ProxyWay::System => {
                explain_ui(ui, "HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY count, but never for this machine.");
            }
            ProxyWay::None => {}
            ProxyWay::Url => {
                let field = BigText::new("Proxy URL").hint("http://proxy:3128 or socks5://127.0.0.1:1080");
                is_changed |= field.show(ui, &mut form.network.proxy_url).response.changed();
                problem(ui, form, Field::Proxy);
                explain_ui(ui, "USER:PASSWORD@ may stand before the host; the password is not saved.");
            }
        }
        if is_changed {
            form.recheck();
        }
        ui.horizontal(|ui| {
            let label = ui.label(theme::tinted("Addresses", palette.muted));
            let combo = ComboBox::from_id_salt("family").selected_text(family(form.family)).width(ui.available_width());
            let response = combo.show_ui(ui, |ui| {
                for choice in [Family::Auto, Family::Ipv4, Family::Ipv6] {
                    ui.selectable_value(&mut form.family, choice, family(choice));
                }
            });
            response.response.labelled_by(label.id);
        });
    });
}

/// Pings, pongs, and whether the connection is made again.
pub(super) fn keep_alive_ui(ui: &mut Ui, form: &mut Form) {
    section(ui, "Keep-alive", false, |ui| {
        let mut is_changed = ui.checkbox(&mut form.network.is_pinging, "Ping the server").changed();
        if form.network.is_pinging {
            let ping = BigText::new("Ping each so many seconds");
            is_changed |= labelled_ui(ui, "Each, seconds", ping, &mut form.network.ping.0).changed();
            problem(ui, form, Field::Ping);
            let pong = BigText::new("Pong time-out in seconds");
            let label = "Gone if silent after a ping for, seconds";
            is_changed |= labelled_ui(ui, label, pong, &mut form.network.pong.0).changed();
            problem(ui, form, Field::Pong);
        }
        ui.checkbox(&mut form.network.withholds_pongs, "Leave the server's pings unanswered")
            .on_hover_text("Shows what the server does with a client that hangs");
        ui.checkbox(&mut form.network.reconnects, "Connect again after the end").on_hover_text(
            "After pauses that grow from 1 to 30 seconds, until you stop it; never after an end of your own",
        );
        if is_changed {
            form.recheck();
        }
    });
}

fn proxy(way: ProxyWay) -> &'static str {
    match way {
        ProxyWay::System => "As the environment says",
        ProxyWay::None => "None",
        ProxyWay::Url => "This one",
    }
}

fn family(family: Family) -> &'static str {
    match family {
        Family::Auto => "IPv4 and IPv6",
        Family::Ipv4 => "IPv4 only",
        Family::Ipv6 => "IPv6 only",
    }
}
