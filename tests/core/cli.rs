//! The program as people run it: help, exit status, JSON against its schema, and no secret in any output.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use sockeye::export::check_json::SCHEMA;

/// The program with these arguments; nothing of the environment decides how it prints.
pub(crate) fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sockeye"));
    command
        .args(arguments)
        .env_remove("NO_COLOR")
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .env_remove("WAYLAND_SOCKET");
    command.stdin(Stdio::null());
    command
}

pub(crate) fn run(arguments: &[&str]) -> Output {
    program(arguments).output().unwrap()
}

pub(crate) fn status(output: &Output) -> i32 {
    output.status.code().unwrap()
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What `check --json` printed, which must be one object of the schema and nothing else.
pub(crate) fn checked(arguments: &[&str]) -> (Value, i32) {
    let arguments: Vec<&str> = ["check", "--json"].iter().chain(arguments).copied().collect();
    let output = run(&arguments);
    let printed = text(&output.stdout);
    let value: Value = serde_json::from_str(&printed).unwrap_or_else(|error| {
        panic!("{arguments:?}: {error}\n{printed}\n{}", text(&output.stderr));
    });
    assert_fits_schema(&value);
    (value, status(&output))
}

/// Fails unless the value is what `assets/check.schema.json` says.
pub(crate) fn assert_fits_schema(value: &Value) {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let errors: Vec<String> =
        validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}\n{value:#}");
}

/// A port on which nobody listens.
fn dead_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn help_names_every_option_that_works_and_no_other() {
    let help = text(&run(&["check", "--help"]).stdout);
    for option in [
        "--token",
        "--token-file",
        "--token-env",
        "--token-in",
        "--agent-id",
        "--query",
        "--header",
        "--origin",
        "--server-log",
        "--server-cmd",
        "--server-wait",
        "--browser-console",
        "--subprotocol",
        "--secret-file",
        "--env-file",
        "--aud",
        "--iss",
        "--leeway",
        "--expect",
        "--confirm-timeout",
        "--watch",
        "--send",
        "--send-delay",
        "--close",
        "--connect-timeout",
        "--upgrade-timeout",
        "--insecure",
        "--ca",
        "--ipv4",
        "--ipv6",
        "--no-probes",
        "--repeat",
        "--save",
        "--json",
        "--max-message",
        "--no-redact",
        "--no-compress",
        "--preset",
    ] {
        assert!(help.contains(&format!("{option} ")) || help.contains(&format!("{option}\n")), "{option} in\n{help}");
    }
    for option in [
        "--proxy",
        "--client-cert",
        "--client-key",
        "--sni",
        "--keylog",
        "--ping",
        "--no-pong",
        "--reconnect",
        "--no-compress",
    ] {
        assert!(
            help.contains(option),
            "{option} in
{help}"
        );
    }
    let all = text(&run(&["--help"]).stdout);
    for command in ["check", "record", "token", "explain", "practice", "export", "search", "open", "diff"] {
        assert!(all.contains(&format!("  {command} ")), "{command} in\n{all}");
        assert_eq!(status(&run(&[command, "--help"])), 0);
    }
    assert_eq!(status(&run(&["--version"])), 0);
}

#[test]
fn usage_errors_end_with_two_and_say_why() {
    for (arguments, word) in [
        (&["check"][..], "URL"),
        (&["check", "practice", "--nonsense"], "--nonsense"),
        (&["check", "practice", "--watch", "soon"], "seconds"),
        (&["check", "practice", "--token-in", "pocket"], "query:NAME"),
        (&["check", "practice", "--expect", "regex:("], "regex"),
        (&["check", "practice", "--close", "1006"], "Close frame"),
        (&["check", "practice", "--ipv4", "--ipv6"], "--ipv6"),
        (&["check", "practice", "--token-file", "/nowhere/token"], "/nowhere/token"),
        (&["check", "practice", "--header", "no colon"], "Name: value"),
        (&["check", "practice", "--save", "log.csv"], ".jsonl"),
        (&["export", "x.sockeye", "-o", "x.csv"], "pcapng"),
        (&["export", "x.sockeye"], "--to"),
        (&["export", "x.sockeye", "--to", "text", "--rows", "a-b"], "--rows"),
        (&["export", "x.sockeye", "--to", "text", "--filter", "a kind:pin"], "(character 3)"),
        (&["search", "x.sockeye", "size:big"], "(character 1)"),
        (&["search", "/nowhere/x.sockeye", "a"], "/nowhere/x.sockeye"),
        (&["diff", "/nowhere/a.sockeye", "/nowhere/b.sockeye"], "/nowhere/a.sockeye"),
        (&["check", "practice/htp-403"], "http-403"),
        (&["explain", "jwt-expird"], "jwt-expired"),
        (&["export", "/nowhere/x.sockeye", "--to", "jsonl"], "/nowhere/x.sockeye"),
        (&["export", "/nowhere/x.sockeye", "--to", "csv"], "jsonl"),
        (&["record", "practice", "-o", "log.jsonl"], ".sockeye"),
        (&["chekc"], "--help"),
        (&["token", "mint"], "--secret-file"),
    ] {
        let output = run(arguments);
        let said = text(&output.stderr);
        assert_eq!(status(&output), 2, "{arguments:?}: {said}");
        assert!(said.contains(word), "{arguments:?}: {said}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn a_healthy_session_is_zero_and_any_other_cause_one() {
    let (healthy, status) = checked(&["practice", "--watch", "0.1"]);
    assert_eq!((status, healthy["verdict"]["cause"].as_str()), (0, Some("healthy")));
    assert_eq!(healthy["verdict"]["ending"], "open");
    assert_eq!(healthy["close"]["browser_code"], 1000);
    assert_eq!(healthy["token"]["signature"], "valid");
    assert_eq!(healthy["confirmation"]["ok"], true);
    assert!(healthy["url"].as_str().unwrap().contains("token=<token#1>&agentId="), "{}", healthy["url"]);
    assert_eq!(healthy["checklist"].as_array().unwrap().iter().filter(|item| item["ok"] == false).count(), 0);

    let url = format!("ws://127.0.0.1:{}/?token=undefined", dead_port());
    let (refused, status) = checked(&[&url]);
    assert_eq!((status, refused["verdict"]["cause"].as_str()), (1, Some("tcp-refused")));
    assert_eq!(refused["url"], url.as_str());
    assert_eq!(refused["upgrade"], Value::Null);
    let tcp = &refused["phases"].as_array().unwrap().iter().find(|phase| phase["phase"] == "tcp").unwrap();
    assert_eq!((tcp["ok"].as_bool(), tcp["error"].as_str()), (Some(false), Some("connection refused")));

    let (typo, status) = checked(&["localhost:3001/"]);
    assert_eq!((status, typo["verdict"]["ending"].as_str()), (1, Some("not-attempted")));
    assert_eq!(typo["close"]["browser_code"], Value::Null);
}

#[test]
fn faults_of_every_phase_fit_the_schema() {
    for (fault, ending) in [
        ("close-1008", "closed"),
        ("http-401", "upgrade-refused"),
        ("upgrade-wrong-accept", "upgrade-invalid"),
        ("upgrade-fin-nobytes", "upgrade-cut"),
        ("proto-masked-server", "protocol-error"),
        ("jwt-expired", "closed"),
        ("tls-self-signed", "tls-failed"),
        ("port-not-http", "upgrade-invalid"),
        ("frame-truncated", "fin"),
        ("confirmation-missing", "unconfirmed"),
    ] {
        let (value, status) = checked(&[&format!("practice/{fault}"), "--watch", "0.2"]);
        assert_eq!((status, value["verdict"]["ending"].as_str()), (1, Some(ending)), "{fault}: {value:#}");
    }
}

#[test]
fn repeats_are_counted() {
    let (value, status) = checked(&["practice/close-1011", "--repeat", "3", "--watch", "0.1"]);
    assert_eq!(status, 1);
    assert_eq!(value["runs"].as_array().unwrap().len(), 3);
    assert_eq!(value["tally"], serde_json::json!({"close-1011": 3}));
    let output = run(&["check", "practice", "--repeat", "2", "--watch", "0.1"]);
    let printed = text(&output.stdout);
    assert_eq!(status_and(&output, "run 2/2"), (0, true), "{printed}");
    assert!(printed.contains("Tally") && printed.contains("2  healthy"), "{printed}");
}

fn status_and(output: &Output, words: &str) -> (i32, bool) {
    (status(output), text(&output.stdout).contains(words))
}

#[test]
fn explicit_options_win_over_the_exercise() {
    let (value, status) =
        checked(&["practice", "--watch", "0.1", "--expect", "contains:never said", "--confirm-timeout", "0.3"]);
    assert_eq!((status, value["verdict"]["cause"].as_str()), (1, Some("confirmation-mismatch")));
    let (value, _) = checked(&["practice", "--watch", "0.1", "--token", "undefined", "--agent-id", "me"]);
    assert_eq!(value["verdict"]["cause"], "token-placeholder");
    assert!(value["url"].as_str().unwrap().ends_with("/?token=undefined&agentId=me"), "{}", value["url"]);
    let (value, status) = checked(&["practice", "--watch", "0.1", "--close", "4001:bye", "--send", "hello"]);
    assert_eq!((status, value["close"]["sent"]["code"].as_u64()), (0, Some(4001)));
    assert_eq!(value["close"]["sent"]["reason"], "bye");
    assert_eq!(value["frames"]["sent"], 2);
}

/// What `sockeye token` prints as JSON, and its exit status.
fn token_json(arguments: &[&str]) -> (Value, i32) {
    let output = run(&[&["token", "--json"], arguments].concat());
    let value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", text(&output.stderr)));
    (value, status(&output))
}

#[test]
fn a_token_is_validated_against_what_is_expected_of_it() {
    let token = sockeye::token::mint(r#"{"aud":"web","exp":1000}"#, "HS256", b"s3cret").unwrap();
    let (value, status) = token_json(&[&token, "--secret", "s3cret", "--at", "1970-01-01T00:16:30Z", "--aud", "web"]);
    assert_eq!((status, value["report"]["signature"].as_str()), (0, Some("valid")), "{value}");
    assert!(value["jsonwebtoken"].is_null() && value["objections"].as_array().unwrap().is_empty());
    let (value, status) =
        token_json(&[&token, "--secret", "s3cret", "--at", "1005", "--leeway", "2", "--aud", "voice"]);
    let causes: Vec<_> =
        value["objections"].as_array().unwrap().iter().map(|one| one["cause"].as_str().unwrap()).collect();
    assert_eq!((status, causes), (1, vec!["jwt-expired", "jwt-audience"]));
    assert_eq!(value["jsonwebtoken"], "jwt expired");
    let (value, _) = token_json(&[&token, "--secret", "czNjcmV0", "--secret-form", "base64", "--at", "0"]);
    assert_eq!(value["report"]["signature"], "valid");
    let (value, _) = token_json(&[&token, "--secret", "czNjcmV0", "--at", "0"]);
    assert_eq!(value["report"]["verified_as"], "--secret, decoded from base64");
}

#[test]
fn what_a_connection_expects_of_the_claims_is_held_against_the_token() {
    let (value, status) = checked(&["practice/jwt-audience", "--watch", "0.1", "--aud", "voice-service"]);
    assert_eq!((value["verdict"]["cause"].as_str(), status), (Some("jwt-audience"), 1));
    assert_eq!(value["verdict"]["certainty"], "likely");
    let (value, status) = checked(&["practice", "--watch", "0.1", "--iss", "nobody", "--leeway", "30"]);
    let findings = value["verdict"]["findings"].as_array().unwrap();
    assert!(findings.iter().any(|finding| finding["id"] == "jwt-issuer"), "{value:#}");
    let items = value["checklist"].as_array().unwrap();
    assert!(items.iter().any(|item| item["item"] == "issuer" && item["ok"] == false), "{value:#}");
    assert_eq!(status, 0);
}

#[test]
fn secrets_are_looked_for_in_the_files_beside_the_env_file() {
    let folder = tempfile::tempdir().unwrap();
    let env = folder.path().join(".env");
    fs::write(&env, "JWT_SECRET=old\nOTHER=1\n").unwrap();
    fs::write(folder.path().join(".env.local"), "JWT_SECRET=s3cret\n").unwrap();
    let token = sockeye::token::mint("{}", "HS256", b"s3cret").unwrap();
    let path = env.to_str().unwrap();
    let (value, _) = token_json(&[&token, "--env-file", path]);
    assert_eq!(value["report"]["signature"], "invalid");
    assert_eq!(value["report"]["verified_as"], ".env.local JWT_SECRET");
    let other = sockeye::token::mint("{}", "HS256", b"1").unwrap();
    let (value, _) = token_json(&[&other, "--env-file", path, "--env-var", "OTHER"]);
    assert_eq!(
        (value["report"]["signature"].as_str(), value["report"]["verified_as"].as_str()),
        (Some("valid"), Some(".env OTHER"))
    );
}

#[test]
fn one_of_several_tokens_is_picked() {
    let (a, b) = ("HS256", "HS512");
    let made = |alg: &str| sockeye::token::mint("{}", alg, b"s").unwrap();
    let both = format!("access={} refresh={}", made(a), made(b));
    let (value, _) = token_json(&[&both]);
    assert_eq!((value["report"]["alg"].as_str(), value["candidates"].as_array().unwrap().len()), (Some(a), 2));
    let (value, _) = token_json(&[&both, "--pick", "2"]);
    assert_eq!(value["report"]["alg"], b);
    assert_eq!(status(&run(&["token", &both, "--pick", "3"])), 2);
}

#[test]
fn variants_of_a_token_are_made_and_tried_on_a_server() {
    let token = sockeye::token::mint(r#"{"sub":"a"}"#, "HS256", b"s3cret").unwrap();
    let output = run(&["token", "variants", &token, "--secret", "s3cret", "--only", "expired"]);
    let expired = text(&output.stdout).trim().to_owned();
    assert_eq!(token_json(&[&expired, "--secret", "s3cret"]).0["jsonwebtoken"], "jwt expired");

    let only = "fresh,expired,other-secret,alg-none,without-userId";
    let output = run(&["token", "matrix", "practice", "--json", "--only", only, "--watch", "0.1"]);
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    let rows = value["rows"].as_array().unwrap();
    let accepted: Vec<_> = rows.iter().map(|row| row["accepted"].as_bool()).collect();
    assert_eq!(accepted[..4], [Some(true), Some(false), Some(false), Some(false)], "{value}");
    assert!(rows.iter().all(|row| row["contradicts"] == false), "{value}");
    assert!(rows[1]["answer"].as_str().unwrap().contains("jwt expired"), "{value}");
    assert_eq!((rows[1]["cause"].as_str(), status(&output)), (Some("jwt-expired"), 0));
    let text = text(&run(&["token", "matrix", "practice", "--only", "fresh,expired", "--watch", "0.1"]).stdout);
    assert!(text.contains("accepted 1, − refused 1") && !text.contains("eyJ"), "{text}");
}

#[test]
fn variables_of_the_env_file_stand_in_url_headers_and_messages() {
    let folder = tempfile::tempdir().unwrap();
    let env = folder.path().join(".env");
    fs::write(&env, format!("DEAD_PORT={}\nJWT_SECRET=x\n", dead_port())).unwrap();
    let url = "ws://127.0.0.1:{{DEAD_PORT}}/?a=1";
    let (value, _) = checked(&[url, "--env-file", env.to_str().unwrap()]);
    assert_eq!(value["verdict"]["cause"], "tcp-refused");
    assert!(!value["url"].as_str().unwrap().contains("{{"), "{value}");
    let output = run(&["check", url, "--json"]);
    assert!(text(&output.stderr).contains("no variable DEAD_PORT"), "{}", text(&output.stderr));
    let folder = folder.path().to_str().unwrap();
    let saved = format!("{folder}/a.sockeye");
    fs::write(&env, "AGENT=a 7\nPAGE=https://page.example\n").unwrap();
    let message = "message:{\"agent\":\"{{AGENT}}\",\"token\":\"{{token}}\"}";
    let base = ["practice", "--watch", "0.2", "--env-file", env.to_str().unwrap(), "--save", &saved];
    let more =
        ["--origin", "{{PAGE}}", "--header", "X-Agent: {{AGENT}}", "--send", "I am {{AGENT}}", "--expect", "none"];
    let place = ["--token", "opaque", "--token-in", message];
    checked(&[&base[..], &more, &place].concat());
    let lines = text(&run(&["export", &saved, "--to", "jsonl", "--no-redact"]).stdout);
    for sent in ["Origin: https://page.example", "X-Agent: a 7", "{\\\"agent\\\":\\\"a 7\\\"", "\"I am a 7\""] {
        assert!(lines.contains(sent), "{sent} in\n{lines}");
    }
}

/// The secrets of this test; none may be in any output.
struct Secrets {
    token: String,
    cookie: &'static str,
    basic: &'static str,
    key: &'static str,
    secret: &'static str,
}

impl Secrets {
    fn new(folder: &Path) -> Self {
        let secret = "a-secret-that-nobody-else-knows";
        fs::write(folder.join("secret"), secret).unwrap();
        let path = folder.join("secret");
        let minted = run(&["token", "mint", "--secret-file", path.to_str().unwrap(), "--claim", "sub=me"]);
        let token = text(&minted.stdout).trim().to_owned();
        assert_eq!(token.split('.').count(), 3, "{}", text(&minted.stderr));
        Self { token, cookie: "cookie-s3cr3t-value", basic: "dXNlcjpodW50ZXIyMg==", key: "key-1234567", secret }
    }

    fn found_in(&self, output: &str) -> Vec<String> {
        let mut parts: Vec<&str> = self.token.split('.').collect();
        parts.extend([self.token.as_str(), self.cookie, self.basic, "hunter22", self.key, self.secret]);
        parts.into_iter().filter(|part| output.contains(part)).map(str::to_owned).collect()
    }
}

#[test]
fn no_secret_is_in_any_output() {
    let folder = tempfile::tempdir().unwrap();
    let secrets = Secrets::new(folder.path());
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let cookie = format!("Cookie: sid={}", secrets.cookie);
    let basic = format!("Authorization: Basic {}", secrets.basic);
    let key = format!("api_key={}", secrets.key);
    let said = format!("{{\"echo\": \"{}\"}}", secrets.token);
    let secret_file = path("secret");
    let base = [
        "practice",
        "--watch",
        "0.2",
        "--token",
        &secrets.token,
        "--secret-file",
        &secret_file,
        "--header",
        &cookie,
        "--header",
        &basic,
        "--query",
        &key,
        "--send",
        &said,
        "--expect",
        "none",
    ];
    let check = |more: &[&str]| {
        let arguments: Vec<&str> = ["check"].iter().chain(&base).chain(more).copied().collect();
        let output = run(&arguments);
        assert!(status(&output) < 2, "{}", text(&output.stderr));
        format!("{}{}", text(&output.stdout), text(&output.stderr))
    };
    let mut outputs = vec![("text", check(&[])), ("json", check(&["--json"]))];
    let traced: Vec<&str> = ["check"].iter().chain(&base).copied().collect();
    let traced = program(&traced).env("SOCKEYE_LOG", "trace").output().unwrap();
    let trace = text(&traced.stderr);
    assert!(trace.contains("a connection begins"), "{trace}");
    outputs.push(("trace", trace));
    for name in ["a.jsonl", "a.json", "a.txt", "a.html", "a.md", "a.har"] {
        outputs.push(("text", check(&["--save", &path(name)])));
        outputs.push((name, fs::read_to_string(path(name)).unwrap()));
    }
    outputs.push(("text", check(&["--save", &path("a.sockeye")])));
    for format in ["jsonl", "json", "text", "html", "md", "har", "pcapng"] {
        let output = run(&["export", &path("a.sockeye"), "--to", format]);
        assert_eq!(status(&output), 0, "{}", text(&output.stderr));
        outputs.push((format, text(&output.stdout)));
    }
    let recording = path("a.sockeye");
    for more in [&[][..], &["--json"]] {
        let all = [&["search", &recording, "size:>0 OR kind:event"], more].concat();
        outputs.push(("search", text(&run(&all).stdout)));
    }
    outputs.push(("token", text(&run(&["token", &secrets.token, "--secret-file", &secret_file]).stdout)));
    for (name, output) in &outputs {
        assert!(!output.is_empty(), "{name}");
        assert_eq!(secrets.found_in(output), Vec::<String>::new(), "{name}:\n{output}");
    }
    let plain = check(&["--no-redact", "--save", &path("b.jsonl")]);
    assert!(plain.contains(&secrets.token));
    let saved = fs::read_to_string(path("b.jsonl")).unwrap();
    for secret in [&secrets.token, secrets.cookie, secrets.basic, secrets.key] {
        assert!(saved.contains(secret), "{secret} in {saved}");
    }
    assert!(!saved.contains(secrets.secret));
}

#[test]
fn a_saved_session_is_exported_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (live, _) = checked(&["practice/close-1008", "--watch", "0.1", "--save", &path("a.sockeye")]);
    let exported = run(&["export", &path("a.sockeye"), "--to", "json"]);
    let saved: Value = serde_json::from_str(&text(&exported.stdout)).unwrap();
    assert_eq!(saved, live);
    let lines = text(&run(&["export", &path("a.sockeye"), "--to", "jsonl"]).stdout);
    let rows: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows[0]["kind"], "planned");
    let numbers: Vec<u64> = rows.iter().map(|row| row["row"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (0..rows.len() as u64).collect::<Vec<_>>());
    let close = rows.iter().find(|row| row["opcode"] == "close" && row["direction"] == "server_to_client").unwrap();
    assert_eq!(
        (close["code"].as_u64(), close["fin"].as_bool(), close["masked"].as_bool()),
        (Some(1008), Some(true), Some(false))
    );
    assert!(rows.iter().any(|row| row["kind"] == "concluded"));
    let output = run(&["export", &path("a.sockeye"), "--to", "text", "-o", &path("a.txt")]);
    assert!(output.stdout.is_empty() && status(&output) == 0);
    let report = fs::read_to_string(path("a.txt")).unwrap();
    assert!(report.contains("101 Switching Protocols") && report.contains("\nLog\n"), "{report}");
    let onto_itself = run(&["export", &path("a.sockeye"), "--to", "text", "-o", &path("a.sockeye")]);
    assert_eq!(status(&onto_itself), 2);
    assert_eq!(status(&run(&["export", &path("a.sockeye"), "--to", "text", "-o", &path("no/such/folder.txt")])), 3);
    // Saving again over it is allowed; recording over it is not.
    checked(&["practice", "--watch", "0.1", "--save", &path("a.sockeye")]);
    assert_eq!(status(&run(&["record", "practice", "-o", &path("a.sockeye")])), 2);
    fs::write(path("torn.sockeye"), b"not a journal").unwrap();
    assert_eq!(status(&run(&["export", &path("torn.sockeye"), "--to", "json"])), 2);
}

#[test]
fn what_is_wrong_with_a_session_is_said_on_standard_error_before_its_export() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    checked(&["practice", "--watch", "0", "--save", &path("a.sockeye")]);
    let whole = fs::read(path("a.sockeye")).unwrap();
    // The header of its last record has 20 bytes.
    let last = whole.strip_suffix(br#"{"fact":"finished"}"#).unwrap().len() - 20;
    for (len, expected) in [(whole.len() - 3, "ends inside a record"), (last, "unfinished")] {
        fs::write(path("b.sockeye"), &whole[..len]).unwrap();
        for format in ["json", "jsonl", "text"] {
            let output = run(&["export", &path("b.sockeye"), "--to", format]);
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(status(&output) == 0 && said.contains(expected) && !output.stdout.is_empty(), "{format}: {said}");
        }
    }
}

#[test]
fn the_output_names_the_format_and_rows_can_be_chosen() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    checked(&["practice", "--watch", "0.1", "--save", &path("a.sockeye")]);
    for (name, begins) in [
        ("a.html", &b"<!doctype html>"[..]),
        ("a.md", b"## "),
        ("a.har", b"{\"log\":"),
        ("a.pcapng", b"\x0a\x0d\x0d\x0a"),
        ("a.zip", b"PK"),
        ("a.txt", b"ws://"),
    ] {
        let output = run(&["export", &path("a.sockeye"), "-o", &path(name)]);
        assert_eq!(status(&output), 0, "{name}: {}", text(&output.stderr));
        assert!(fs::read(path(name)).unwrap().starts_with(begins), "{name}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 7, "nothing half written is left");
    let some = text(&run(&["export", &path("a.sockeye"), "--to", "jsonl", "--rows", "1-2,4"]).stdout);
    let numbers: Vec<u64> =
        some.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["row"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [1, 2, 4]);
    let preview = text(&run(&["export", &path("a.sockeye"), "--to", "bundle", "--preview"]).stdout);
    assert!(preview.contains("session.jsonl") && preview.contains("×  <token#1>"), "{preview}");
    let dropped = run(&["export", &path("a.har"), "--to", "text"]);
    assert!(text(&dropped.stderr).contains("this is a HAR"), "{}", text(&dropped.stderr));
}

#[test]
fn two_sessions_are_compared_by_exit_status() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    checked(&["practice/close-1008", "--watch", "0.1", "--save", &path("bad.sockeye")]);
    checked(&["practice", "--watch", "0.1", "--save", &path("good.sockeye")]);
    let same = run(&["diff", &path("good.sockeye"), &path("good.sockeye")]);
    assert_eq!(status(&same), 0, "{}", text(&same.stdout));
    assert!(text(&same.stdout).contains("No difference"), "{}", text(&same.stdout));
    let different = run(&["diff", &path("good.sockeye"), &path("bad.sockeye")]);
    assert_eq!(status(&different), 1);
    assert!(text(&different.stdout).contains("First difference"), "{}", text(&different.stdout));
    let json = run(&["diff", "--json", &path("good.sockeye"), &path("bad.sockeye")]);
    let value: Value = serde_json::from_str(&text(&json.stdout)).unwrap();
    assert_eq!((&value["schema"], &value["same"]), (&Value::from(1), &Value::from(false)));
    let verdict = value["differences"].as_array().unwrap().iter().find(|d| d["what"] == "the cause").unwrap();
    assert_eq!((&verdict["one"], verdict["other"] == "healthy"), (&Value::from("healthy"), false));
}

#[test]
fn a_recording_ends_when_the_server_closes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("r.sockeye");
    let output = run(&["record", "practice/close-1001", "-o", file.to_str().unwrap()]);
    assert_eq!(status(&output), 0, "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("recorded "), "{}", text(&output.stderr));
    assert!(fs::metadata(&file).unwrap().len() > 100);
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_a_recording_well() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("r.sockeye");
    let mut child = program(&["record", "practice", "-o", file.to_str().unwrap()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = std::io::BufReader::new(child.stderr.take().unwrap());
    let mut first = String::new();
    std::io::BufRead::read_line(&mut stderr, &mut first).unwrap();
    assert!(first.starts_with("recorded "), "{first}");
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(status(&output), 0);
    assert!(text(&output.stdout).contains("ended-by-user"), "{}", text(&output.stdout));
    let exported = run(&["export", file.to_str().unwrap(), "--to", "json"]);
    let value: Value = serde_json::from_str(&text(&exported.stdout)).unwrap();
    assert_eq!(value["verdict"]["cause"], "ended-by-user");
}

#[test]
fn tokens_are_read_from_arguments_and_pipes() {
    let folder = tempfile::tempdir().unwrap();
    let secrets = Secrets::new(folder.path());
    let secret_file = folder.path().join("secret");
    let secret_file = secret_file.to_str().unwrap();
    let mut child = program(&["token", "-", "--secret-file", secret_file])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    writeln!(child.stdin.take().unwrap(), "{}", secrets.token).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(status_and(&output, "the signature is valid"), (0, true), "{}", text(&output.stdout));
    let wrong = run(&["token", &secrets.token, "--secret", "another"]);
    assert_eq!(status_and(&wrong, "not valid with this secret"), (1, true));
    let env = folder.path().join(".env");
    fs::write(&env, format!("PORT=3001\nJWT_SECRET=\"{}\"\n", secrets.secret)).unwrap();
    let output = run(&["token", &secrets.token, "--env-file", env.to_str().unwrap()]);
    assert_eq!(status_and(&output, "the signature is valid"), (0, true), "{}", text(&output.stdout));
    let minted = run(&["token", "mint", "--secret", "x", "--expires-in", "-60"]);
    let expired = run(&["token", text(&minted.stdout).trim()]);
    assert_eq!(status_and(&expired, "expired"), (1, true));
    assert_eq!(status(&run(&["token", "undefined"])), 1);
}

#[test]
fn explanations_and_lists_are_printed_without_colour() {
    for (arguments, words) in [
        (&["explain", "1006"][..], "1006"),
        (&["explain", "jwt-expired"], "The token has expired"),
        (&["practice", "--list"], "practice/close-1008"),
    ] {
        let output = run(arguments);
        assert_eq!(status_and(&output, words), (0, true), "{arguments:?}");
        assert!(!output.stdout.contains(&0x1b), "{arguments:?}");
    }
}

#[test]
fn a_taken_port_is_said() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = run(&["practice", "--port", &port]);
    let said = text(&output.stderr);
    assert_eq!(status(&output), 3, "{said}");
    assert!(said.contains(&port) && said.contains("taken"), "{said}");
}

#[test]
fn without_a_display_the_practice_check_runs() {
    let output = run(&[]);
    assert_eq!(status_and(&output, "healthy"), (0, true), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("no display"));
}
