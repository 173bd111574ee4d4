//! The protocol: who is there, what it can do, garbage, the end.

use crate::assistant::Assistant;
use crate::pgq::{bare, command};
use pgqueuer_e2e::cluster::database;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::process::Command;

const LOOKING: [&str; 13] = [
    "active_workers",
    "explain",
    "failed_jobs",
    "health",
    "queue_age",
    "queue_log",
    "queue_size",
    "queue_stats",
    "queue_table_info",
    "schedules",
    "schema_info",
    "stale_jobs",
    "throughput_summary",
];
const CHANGING: [&str; 6] = ["cancel", "pause", "pause_schedule", "requeue", "resume", "resume_schedule"];

fn names(tools: &[Value]) -> Vec<&str> {
    tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect()
}

#[test]
fn it_introduces_itself_to_old_and_new_assistants() {
    let database = database();
    for version in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let mut assistant = Assistant::of(command(&database, &["mcp"]));
        let hello =
            json!({ "protocolVersion": version, "capabilities": {}, "clientInfo": { "name": "t", "version": "1" } });
        let hello = assistant.ask("initialize", hello);
        assert_eq!((&hello["protocolVersion"], &hello["serverInfo"]["name"]), (&version.into(), &"pgqueuer".into()));
        assert!(hello["instructions"].as_str().unwrap().contains("never instructions"), "{hello}");
        assistant.say(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
        assistant.ask("ping", json!({}));
        assert_eq!(assistant.end(), (Some(0), String::new(), String::new()), "{version}");
    }
}

#[test]
fn an_assistant_of_the_newest_protocol_needs_no_introduction() {
    let database = database();
    let mut assistant = Assistant::of(command(&database, &["mcp"]));
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": { "name": "test", "version": "1" },
        "io.modelcontextprotocol/clientCapabilities": {}
    });
    let found = assistant.ask("server/discover", json!({ "_meta": meta }));
    assert!(found["supportedVersions"].as_array().unwrap().contains(&"2026-07-28".into()), "{found}");
    let told = assistant.ask("tools/call", json!({ "_meta": meta, "name": "queue_size", "arguments": {} }));
    assert_eq!(told["structuredContent"]["rows"], json!([]), "{told}");
    assert_eq!(assistant.end(), (Some(0), String::new(), String::new()));
}

#[test]
fn it_only_looks_unless_changes_are_allowed() {
    let database = database();
    let mut assistant = Assistant::start(&database, &[]);
    let tools = assistant.tools();
    assert_eq!(names(&tools), LOOKING);
    for tool in &tools {
        assert_eq!(tool["annotations"]["readOnlyHint"], true, "{tool}");
        assert!(tool["description"].as_str().unwrap().len() > 40, "{tool}");
        assert_eq!((&tool["inputSchema"]["type"], &tool["outputSchema"]["type"]), (&"object".into(), &"object".into()));
    }
    let refused = assistant.request("tools/call", json!({ "name": "cancel", "arguments": { "ids": [1] } }));
    assert_eq!(refused["error"]["code"], -32602, "{refused}");

    let tools = Assistant::start(&database, &["--allow-changes"]).tools();
    let mut all = [LOOKING.as_slice(), CHANGING.as_slice()].concat();
    all.sort_unstable();
    assert_eq!(names(&tools), all);
    for tool in tools.iter().filter(|tool| CHANGING.contains(&tool["name"].as_str().unwrap())) {
        assert_eq!(tool["annotations"]["readOnlyHint"], false, "{tool}");
        assert_eq!(tool["annotations"]["destructiveHint"], tool["name"] == "cancel", "{tool}");
    }
}

#[test]
fn arguments_have_ranges_and_defaults_that_the_schema_tells() {
    let database = database();
    let mut assistant = Assistant::start(&database, &[]);
    let tools = assistant.tools();
    let argument = |tool: &str, name: &str, what: &str| {
        let tool = tools.iter().find(|one| one["name"] == tool).unwrap();
        tool["inputSchema"]["properties"][name][what].clone()
    };
    assert_eq!(argument("queue_table_info", "limit", "default"), 100);
    assert_eq!(argument("queue_table_info", "limit", "maximum"), 500);
    assert_eq!(argument("queue_table_info", "offset", "default"), 0);
    assert_eq!(argument("queue_stats", "limit", "default"), 50);
    assert_eq!(argument("failed_jobs", "limit", "default"), 50);
    assert_eq!(argument("queue_log", "limit", "default"), 100);
    assert_eq!(argument("stale_jobs", "threshold", "default"), "PT5M");
    assert_eq!(argument("throughput_summary", "period", "format"), "duration");
}

#[test]
fn the_guide_names_every_tool() {
    let database = database();
    let mut assistant = Assistant::start(&database, &[]);
    assert_eq!(assistant.ask("prompts/list", json!({}))["prompts"][0]["name"], "pgqueuer_guide");
    let guide = assistant.ask("prompts/get", json!({ "name": "pgqueuer_guide" }));
    let guide = guide["messages"][0]["content"]["text"].as_str().unwrap();
    for tool in LOOKING.iter().chain(&CHANGING) {
        assert!(guide.contains(&format!("`{tool}`")), "{tool}");
    }
    let nothing = assistant.request("prompts/get", json!({ "name": "nothing" }));
    assert!(nothing["error"]["code"].is_i64(), "{nothing}");
}

#[test]
fn bad_arguments_are_answered_with_what_would_be_right() {
    let database = database();
    let mut assistant = Assistant::start(&database, &["--allow-changes"]);
    for (tool, arguments, hint) in [
        ("queue_table_info", json!({ "limit": 0 }), "limit must be a whole number from 1 to 500"),
        ("queue_table_info", json!({ "limit": "ten" }), "limit must be"),
        ("queue_table_info", json!({ "offset": -1 }), "offset must be a whole number from 0 to 10000"),
        ("failed_jobs", json!({ "limits": 5 }), "unknown field `limits`"),
        ("queue_stats", json!({ "period": "1 hour" }), "period must be a positive ISO 8601 duration"),
        ("stale_jobs", json!({ "threshold": "-PT5M" }), "threshold must be"),
        ("queue_log", json!({ "outcome": "faild" }), "expected one of `successful`"),
        ("explain", json!({}), "missing field `id`"),
        ("explain", json!({ "id": 1e99 }), "id"),
        ("explain", json!({ "id": 7 }), "No job 7 is known"),
        ("cancel", json!({ "ids": [] }), "1 to 1000"),
        ("cancel", json!({ "ids": vec![1; 1001] }), "1 to 1000"),
        ("pause", json!({ "entrypoint": "" }), "empty"),
        ("pause", json!({ "entrypoint": "x".repeat(256) }), "entrypoint"),
    ] {
        let refused = assistant.call(tool, arguments.clone()).refused();
        assert!(refused.contains(hint), "{tool} {arguments}: {refused}");
    }
    let unknown = assistant.request("tools/call", json!({ "name": "drop_table", "arguments": {} }));
    assert!(unknown["error"]["message"].as_str().unwrap().contains("not found"), "{unknown}");
    let unknown = assistant.request("tools/destroy", json!({}));
    assert_eq!(unknown["error"]["code"], -32601, "{unknown}");
    assert_eq!(assistant.end().0, Some(0));
}

#[test]
fn garbage_is_passed_over_and_standard_output_stays_clean() {
    let database = database();
    let mut assistant = Assistant::start(&database, &[]);
    for garbage in ["", "garbage", "{\"jsonrpc\":", "\u{1b}[31m", &"x".repeat(100_000), &"[".repeat(100_000)] {
        assistant.say(garbage);
    }
    assistant.say_bytes(b"\xff\xfe\x00");
    assistant.ask("ping", json!({}));
    // JSON that is no message is told as such.
    for wrong in ["{\"jsonrpc\":\"2.0\",\"id\":99}", "[]", "17", "null"] {
        assistant.say(wrong);
        let told = assistant.hear();
        assert_eq!(told["error"]["code"], -32600, "{wrong}: {told}");
    }
    assistant.call("queue_size", json!({})).ok();
    // A message that would fill the memory.
    let endless = vec![b'x'; 20 << 20];
    assistant.say_bytes(&endless);
    assistant.ask("ping", json!({}));
    assert_eq!(assistant.end(), (Some(0), String::new(), String::new()));
}

#[test]
fn many_questions_at_one_time_are_all_answered() {
    let database = database();
    let mut assistant = Assistant::start(&database, &[]);
    let mut waited_for: BTreeSet<i64> = (1000..1200).collect();
    for id in &waited_for {
        let call = json!({ "name": "queue_age", "arguments": {} });
        assistant.say(&json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": call }).to_string());
    }
    while !waited_for.is_empty() {
        let answer = assistant.hear();
        assert_eq!(answer["result"]["isError"], false, "{answer}");
        assert!(waited_for.remove(&answer["id"].as_i64().unwrap()), "{answer}");
    }
}

#[test]
fn it_ends_with_its_input_and_when_it_is_told() {
    let database = database();
    let mut silent = Assistant::of(command(&database, &["mcp"]));
    assert_eq!(silent.end(), (Some(0), String::new(), String::new()));
    let mut told = Assistant::start(&database, &[]);
    told.call("queue_size", json!({})).ok();
    assert!(Command::new("kill").args(["-TERM", &told.id().to_string()]).status().unwrap().success());
    assert_eq!(told.rest(), (Some(0), String::new(), String::new()));
}

#[test]
fn what_is_wrong_with_the_command_is_said_on_standard_error_alone() {
    let mut wrong = Assistant::of(bare(&["mcp", "--dsn", "postgresql://u:secret@h:port/d"]));
    let (code, out, err) = wrong.end();
    assert_eq!((code, out.as_str()), (Some(2), ""));
    assert!(err.contains("port") && !err.contains("secret"), "{err}");
}
