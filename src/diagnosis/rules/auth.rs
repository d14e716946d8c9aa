//! The token as a JWT: readable, signed with the right secret, in date, for this audience.

use super::Rule;
use super::token::{REFUSALS, check};

pub(super) const RULES: &[Rule] = &[
    Rule::new("jwt-malformed", check).implies(REFUSALS),
    Rule::new("jwt-alg-none", check).implies(SIGNATURE),
    Rule::new("jwt-alg-mismatch", check).implies(SIGNATURE),
    Rule::new("jwt-wrong-secret", check).implies(REFUSALS),
    Rule::new("jwt-clock-skew", check).implies(DATES),
    Rule::new("jwt-expired-mid-session", check).implies(DATES),
    Rule::new("jwt-expired", check).implies(REFUSALS),
    Rule::new("jwt-not-active", check).implies(REFUSALS),
    Rule::new("jwt-audience", check).implies(REFUSALS),
    Rule::new("jwt-issuer", check).implies(REFUSALS),
    Rule::new("jwt-secret-missing", check).implies(REFUSALS),
    Rule::new("jwt-kid-missing", check).implies(REFUSALS),
];

const SIGNATURE: &[&str] = &[
    "jwt-wrong-secret",
    "jwt-malformed",
    "http-400",
    "http-401",
    "http-403",
    "http-403-starlette",
    "http-500",
    "close-1002",
    "close-1008",
    "close-1011",
    "close-3000",
    "close-3003",
    "close-application",
    "connection-terminated",
    "connection-reset",
    "upgrade-fin-nobytes",
    "upgrade-rst-nobytes",
];

const DATES: &[&str] = &[
    "jwt-expired",
    "jwt-not-active",
    "http-400",
    "http-401",
    "http-403",
    "http-403-starlette",
    "http-500",
    "close-1002",
    "close-1008",
    "close-1011",
    "close-3000",
    "close-3003",
    "close-application",
    "connection-terminated",
    "connection-reset",
    "upgrade-fin-nobytes",
    "upgrade-rst-nobytes",
];

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use crate::diagnosis::Certainty;
    use crate::diagnosis::testing::{NOW, SECRET, Scene, finds, rivals, signed, token};
    use crate::observation::CloseOrigin;
    use crate::token::{Secret, mint, mint_as};

    fn closed(token: &str, reason: &str) -> Scene {
        Scene::with_token(token).tcp().request().accept().closed_by_server(1008, reason)
    }

    fn unauthorized(token: &str) -> Scene {
        Scene::with_token(token).tcp().request().answer("401 Unauthorized", "", "Unauthorized")
    }

    fn unchecked(token: &str) -> Scene {
        Scene::with_token_and(token, &[])
    }

    fn with_header(header: &str) -> String {
        let good = token(3600);
        let (_, rest) = good.split_once('.').unwrap();
        format!("{}.{rest}", URL_SAFE_NO_PAD.encode(header))
    }

    #[test]
    fn each_fault_of_the_token_is_certain_where_the_server_refused() {
        let not_active = signed(SECRET, &format!("{{\"nbf\":{}}}", NOW + 3600));
        let unsecured = mint("{\"sub\":\"u\"}", "none", b"").unwrap();
        let cases = [
            ("abc.def.ghi".to_owned(), "jwt-malformed", "invalid token"),
            (token(-3600), "jwt-expired", "jwt expired"),
            (not_active, "jwt-not-active", "jwt not active"),
            (signed("another secret", "{\"sub\":\"u\"}"), "jwt-wrong-secret", "invalid signature"),
            (unsecured, "jwt-alg-none", "jwt signature is required"),
        ];
        for (sent, id, reason) in cases {
            closed(&sent, &format!("Invalid token: {reason}")).certain("closed", id);
            closed(&sent, "").certain("closed", id);
            unauthorized(&sent).certain("upgrade-refused", id);
            let silent = Scene::with_token(&sent).tcp().request().answer("404 Not Found", "", "");
            assert!(finds(&silent.certain("upgrade-refused", "http-404"), id), "{id}");
        }
    }

    #[test]
    fn what_stricter_readers_refuse_is_malformed_where_the_server_refused() {
        let padded = format!("{}%3D", token(3600));
        let text_date = signed(SECRET, &format!("{{\"exp\":\"{}\"}}", NOW + 3600));
        for (sent, reason) in [(padded, "invalid token"), (text_date, "invalid exp value")] {
            closed(&sent, reason).certain("closed", "jwt-malformed");
        }
        let no_json = signed(SECRET, "{}").replacen('.', ".e", 1);
        let reason = "Unexpected token 'x', \"x\" is not valid JSON";
        closed(&no_json, reason).certain("closed", "jwt-malformed");
        let curve = "\"alg\" parameter \"ES384\" requires curve \"secp384r1\".";
        closed(&token(3600), curve).likely("closed", "jwt-alg-mismatch");
    }

    #[test]
    fn a_kid_that_the_key_set_does_not_hold_is_named() {
        let signer = Secret::new("the key", include_str!("../../token/tests/keys/p256.pem"));
        let sent = mint_as("{\"sub\":\"u\"}", "ES256", Some("k1"), &signer).unwrap();
        let set = r#"{"keys":[{"kty":"EC","crv":"P-256","kid":"other",
            "x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#;
        let secrets = [Secret::new("--secret-file", set)];
        let asked = || Scene::with_token_and(&sent, &secrets).tcp().request();
        let reason = "Unable to find a signing key that matches 'k1'";
        asked().accept().closed_by_server(1008, reason).certain("closed", "jwt-kid-missing");
        asked().answer("401 Unauthorized", "", "").likely("upgrade-refused", "jwt-kid-missing");
    }

    #[test]
    fn the_same_refusals_of_a_good_token_are_not_about_it() {
        closed(&token(3600), "").certain("closed", "close-1008");
        closed(&token(3600), "Policy violation").certain("closed", "close-1008");
        unauthorized(&token(3600)).certain("upgrade-refused", "http-401");
    }

    #[test]
    fn the_general_cause_is_not_listed_beside_the_particular_one() {
        let verdict = closed(&token(-3600), "jwt expired").verdict();
        assert!(!finds(&verdict, "close-1008"), "{verdict:#?}");
        let verdict = unauthorized(&token(-3600)).verdict();
        assert!(!finds(&verdict, "http-401"), "{verdict:#?}");
    }

    #[test]
    fn an_opaque_word_is_malformed_only_if_the_server_says_so() {
        closed("session-4711", "Invalid token: jwt malformed").certain("closed", "jwt-malformed");
        closed("session-4711", "").likely("closed", "jwt-malformed");
        let healthy =
            Scene::with_token("session-4711").tcp().request().accept().confirm().we_close(CloseOrigin::WatchEnded);
        let verdict = healthy.server_close(1000, "").certain("open", "healthy");
        assert!(verdict.findings.is_empty(), "{verdict:#?}");
    }

    #[test]
    fn another_algorithm_than_the_key_has() {
        let sent = with_header("{\"alg\":\"RS256\",\"typ\":\"JWT\"}");
        closed(&sent, "Invalid token: invalid algorithm").certain("closed", "jwt-alg-mismatch");
        closed(&token(3600), "Invalid token: invalid algorithm").likely("closed", "jwt-alg-mismatch");
    }

    #[test]
    fn the_reading_that_verifies_is_named() {
        let secrets = [Secret::new("--secret-file", format!("{SECRET}\n"))];
        let scene = Scene::with_token_and(&token(3600), &secrets).tcp().request().accept().closed_by_server(1008, "");
        let verdict = scene.certain("closed", "jwt-wrong-secret");
        assert!(verdict.summary.contains("without its line end"), "{}", verdict.summary);
    }

    #[test]
    fn reason_text_alone_is_likely() {
        let say = |reason: &str| unchecked(&token(3600)).tcp().request().accept().closed_by_server(1008, reason);
        say("Invalid token: jwt audience invalid. expected: voice").likely("closed", "jwt-audience");
        say("jwt issuer invalid. expected: x").likely("closed", "jwt-issuer");
        say("secret or public key must be provided").likely("closed", "jwt-secret-missing");
        say("No KID specified and JWKS endpoint returned more than 1 key").likely("closed", "jwt-kid-missing");
        say("invalid signature").likely("closed", "jwt-wrong-secret");
        say("jwt expired").likely("closed", "jwt-expired");
        let other = unchecked(&token(3600)).tcp().request().accept().closed_by_server(1011, "jwt expired");
        other.likely("closed", "jwt-expired");
    }

    #[test]
    fn what_the_user_expects_of_the_claims_is_held_against_them() {
        let sent = signed(SECRET, &format!("{{\"aud\":[\"web\"],\"iss\":\"me\",\"exp\":{}}}", NOW + 600));
        let expecting = |audience: &str, issuer: &str| {
            let expected = |plan: &mut crate::observation::Plan| {
                plan.claims.audience = Some(audience.to_owned());
                plan.claims.issuer = Some(issuer.to_owned());
            };
            Scene::with_token(&sent).plan(expected).tcp().request().accept()
        };
        let refused = |scene: Scene, reason: &str| scene.closed_by_server(1008, reason);
        let verdict = refused(expecting("voice", "me"), "jwt audience invalid. expected: voice");
        let verdict = verdict.likely("closed", "jwt-audience");
        assert!(
            verdict.summary.contains("the token's `aud` must hold `voice`, but it is `web`"),
            "{}",
            verdict.summary
        );
        refused(expecting("voice", "me"), "").likely("closed", "jwt-audience");
        refused(expecting("web", "https://id"), "").likely("closed", "jwt-issuer");
        refused(expecting("web", "https://id"), "jwt issuer invalid. expected: https://id")
            .likely("closed", "jwt-issuer");
        refused(expecting("web", "me"), "").certain("closed", "close-1008");
        let taken = expecting("voice", "me").confirm().we_close(CloseOrigin::WatchEnded).server_close(1000, "");
        assert!(finds(&taken.certain("open", "healthy"), "jwt-audience"));
    }

    #[test]
    fn a_leeway_moves_the_end_of_a_token() {
        let sent = token(-20);
        let with = |leeway_secs: f64| {
            let lenient = |plan: &mut crate::observation::Plan| plan.claims.leeway_secs = leeway_secs;
            Scene::with_token(&sent).plan(lenient).tcp().request().accept().closed_by_server(1008, "")
        };
        with(0.0).certain("closed", "jwt-expired");
        with(10.0).certain("closed", "jwt-expired");
        with(60.0).certain("closed", "close-1008");
    }

    #[test]
    fn clocks_apart_explain_a_refusal() {
        let date = |skew: i64| {
            let moment = std::time::UNIX_EPOCH + std::time::Duration::from_secs((NOW + skew) as u64);
            format!("Date: {}\r\n", httpdate::fmt_http_date(moment))
        };
        let scene = |expires_in: i64, skew: i64, reason: &str| {
            let open = Scene::with_token(&token(expires_in)).tcp().request().accept_with(&date(skew));
            open.closed_by_server(1008, reason)
        };
        scene(600, 3600, "Invalid token: jwt expired").certain("closed", "jwt-clock-skew");
        scene(600, 3600, "").likely("closed", "jwt-clock-skew");
        scene(-600, -3600, "").likely("closed", "jwt-clock-skew");
        scene(600, 30, "").certain("closed", "close-1008");
        scene(-600, 30, "").certain("closed", "jwt-expired");
        scene(-600, 3600, "").certain("closed", "jwt-expired");
    }

    #[test]
    fn expired_while_connected() {
        let session = |stay: u64, code: u16, reason: &str| {
            let open = Scene::with_token(&token(3)).tcp().request().accept().confirm();
            open.wait(stay).closed_by_server(code, reason)
        };
        session(3_000, 1008, "").likely("closed", "jwt-expired-mid-session");
        session(3_000, 1008, "Invalid token: jwt expired").certain("closed", "jwt-expired-mid-session");
        session(60_000, 1008, "").certain("closed", "jwt-expired");
        session(3_000, 1000, "").certain("closed", "close-1000");
        let cut = Scene::with_token(&token(3)).tcp().request().accept().confirm().wait(3_000).fin().accepts();
        let verdict = cut.likely("fin", "connection-terminated");
        assert!(finds(&verdict, "jwt-expired-mid-session"), "{verdict:#?}");
        assert_eq!(rivals(&verdict)[0], "jwt-expired-mid-session");
    }

    #[test]
    fn a_403_is_weaker_than_a_401() {
        let scene = Scene::with_token(&token(-60)).tcp().request().answer("403 Forbidden", "", "{\"error\":\"no\"}");
        scene.likely("upgrade-refused", "jwt-expired");
    }

    #[test]
    fn fin_right_after_the_101_stays_a_fin() {
        let scene = Scene::with_token(&token(-60)).tcp().request().accept().wait(200).fin();
        let verdict = scene.clone().accepts().likely("fin", "connection-terminated");
        assert_eq!(rivals(&verdict)[0], "jwt-expired");
        assert!(finds(&verdict, "jwt-expired"), "{verdict:#?}");
        assert!(rivals(&verdict).contains(&"handler-exception"), "{verdict:#?}");
        scene.refuses().certain("fin", "server-process-died");
        let late = Scene::with_token(&token(-60)).tcp().request().accept().wait(5_000).fin().accepts();
        assert_ne!(rivals(&late.likely("fin", "connection-terminated"))[0], "jwt-expired");
    }

    #[test]
    fn a_1008_that_cannot_be_judged_is_no_invalid_token() {
        let scene = unchecked(&token(3600)).tcp().request().accept().closed_by_server(1008, "");
        let verdict = scene.certain("closed", "close-1008");
        assert!(
            rivals(&verdict).iter().all(|id| id.starts_with("jwt-")) && !rivals(&verdict).is_empty(),
            "{verdict:#?}"
        );
        assert_eq!(verdict.certainty, Certainty::Certain);
    }
}
