//! The files that deploy it, and what is written of them, say what the program understands.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use crate::support::Home;

/// What one file sets for the program, by name.
struct Deployment {
    path: &'static str,
    settings: Vec<(String, String)>,
}

#[test]
fn what_is_set_is_understood() {
    let home = Home::sqlite();
    for Deployment { path, settings } in deployments() {
        assert!(settings.len() > 1, "nothing is set in {path}");
        let pairs: Vec<_> = settings.iter().map(|it| (it.0.as_str(), it.1.as_str())).collect();
        let ran = home.artel(&["config"], &pairs);
        assert_eq!(ran.code, Some(0), "{path}: {ran:?}");
        for (name, _) in pairs {
            let mut rows = ran.stdout.lines().map(|it| it.split_whitespace().collect::<Vec<_>>());
            let row = rows.find(|row| row.first() == Some(&name));
            let row = row.unwrap_or_else(|| panic!("{path} sets {name}, which nobody reads"));
            assert_eq!(row.last(), Some(&"environment"), "{path}: {row:?}");
        }
    }
}

#[test]
fn ports_and_paths_fit() {
    let dockerfile = text("Dockerfile");
    assert!(dockerfile.contains("\nEXPOSE 8080\n"), "{dockerfile}");
    for Deployment { path, settings } in deployments() {
        for (name, port) in [("ARTEL_LISTEN", ":8080"), ("ARTEL_METRICS_LISTEN", ":9090")] {
            let set = settings.iter().find(|it| it.0 == name);
            assert!(set.is_none_or(|it| it.1.ends_with(port)), "{path}: {set:?}");
        }
    }
    for path in ["fly.toml", "deploy/fly-sqlite.toml"] {
        let text = text(path);
        for line in ["internal_port = 8080", "port = 9090", "path = \"/readyz\""] {
            assert!(text.lines().any(|it| it.trim() == line), "{path}: no {line}");
        }
        // It is looked for beside the file that names it.
        if let Some(line) = text.lines().find_map(|it| it.trim().strip_prefix("dockerfile = ")) {
            let file = at(path).parent().unwrap().join(line.trim_matches('"'));
            assert_eq!(file.canonicalize().unwrap(), at("Dockerfile").canonicalize().unwrap());
        }
    }
    let compose = text("compose.yaml");
    let proxied = text("deploy/Caddyfile");
    let services = compose.lines().filter_map(|it| it.trim().strip_suffix(": *artel"));
    let mut services: BTreeSet<_> = services.collect();
    services.remove("<<");
    services.insert("artel-1");
    for service in services {
        assert!(proxied.contains(&format!(" {service}:8080")), "{service} is not behind the proxy");
    }
}

#[test]
fn it_is_built_by_the_compiler_that_it_needs() {
    let manifest = text("Cargo.toml");
    let version = manifest.lines().find_map(|it| it.strip_prefix("rust-version = ")).unwrap();
    let image = format!("FROM rust:{}-slim", version.trim_matches('"'));
    assert!(text("Dockerfile").contains(&image), "the Dockerfile is not {image}…");
    let readme = format!("{} or newer", version.trim_matches('"'));
    assert!(text("README.md").contains(&readme), "the README does not say {readme}");
}

#[test]
fn documents_name_variables_that_there_are() {
    let ran = Home::sqlite().artel(&["config"], &[]);
    let known: BTreeSet<_> = ran.stdout.lines().filter_map(|it| it.split(' ').next()).collect();
    let mut documents = vec![at("README.md"), at("ARCHITECTURE.md"), at("CHANGELOG.md")];
    documents.extend(fs::read_dir(at("docs")).unwrap().map(|it| it.unwrap().path()));
    let documents = documents.into_iter().filter(|it| it.extension().is_some_and(|it| it == "md"));
    for path in documents {
        let text = fs::read_to_string(&path).unwrap();
        let words = text.split(|it: char| !(it.is_ascii_uppercase() || it == '_'));
        let ours = words.filter(|it| it.starts_with("ARTEL_") && !it.starts_with("ARTEL_TEST_"));
        for name in ours {
            assert!(known.contains(name), "{} names {name}: there is none", path.display());
        }
    }
}

fn deployments() -> [Deployment; 4] {
    let dockerfile = text("Dockerfile");
    let (_, image) = dockerfile.rsplit_once("\nFROM ").unwrap();
    let compose = text("compose.yaml");
    let (_, compose) = compose.split_once("\n  environment:\n").unwrap();
    let fly = |path| {
        let text = text(path);
        let (_, settings) = text.split_once("\n[env]\n").unwrap();
        let lines = settings.lines().take_while(|it| !it.starts_with('['));
        let settings = lines.filter_map(|it| setting(it, " = ")).collect();
        Deployment { path, settings }
    };
    [
        Deployment {
            path: "Dockerfile",
            settings: image
                .lines()
                .filter_map(|it| it.strip_prefix("ENV "))
                .flat_map(str::split_whitespace)
                .filter_map(|it| setting(it, "="))
                .collect(),
        },
        Deployment {
            path: "compose.yaml",
            settings: compose
                .lines()
                .take_while(|it| it.starts_with("    "))
                .filter_map(|it| setting(it, ": "))
                .collect(),
        },
        fly("fly.toml"),
        fly("deploy/fly-sqlite.toml"),
    ]
}

/// A name and its value, unless it is a comment. Of `${NAME:-this}` the value is `this`.
fn setting(line: &str, joint: &str) -> Option<(String, String)> {
    let line = line.trim();
    let (name, value) = line.split_once(joint).filter(|_| !line.starts_with('#'))?;
    let mut value = value.trim_matches('"').to_owned();
    while let Some((before, rest)) = value.split_once("${") {
        let (variable, after) = rest.split_once('}')?;
        let (_, default) = variable.split_once(":-")?;
        value = format!("{before}{default}{after}");
    }
    Some((name.to_owned(), value))
}

fn text(path: &str) -> String {
    fs::read_to_string(at(path)).unwrap()
}

fn at(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}
