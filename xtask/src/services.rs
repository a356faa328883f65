//! A throw-away PostgreSQL and Redis for tests.

use std::{
    env, fs,
    fs::File,
    future,
    net::{Ipv4Addr, TcpListener},
    os::unix::fs::chown,
    path::Path,
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    process::Command,
    time::{sleep, timeout},
};

use crate::{
    child::{self, Child},
    folder::Folder,
    tools::{self, Needs},
};

/// The variables that tell tests where the services are.
const POSTGRES: &str = "ARTEL_TEST_POSTGRES";
const REDIS: &str = "ARTEL_TEST_REDIS";

/// PostgreSQL refuses to run as root: it runs as this user (Debian's `nobody`) then.
const NOBODY: u32 = 65534;

/// How long a service may take to answer for the first time.
const START: Duration = Duration::from_secs(30);

/// Both services, running until this is dropped.
pub(crate) struct Services {
    /// Where they are, as variables for the environment of tests.
    pub(crate) variables: Vec<(&'static str, String)>,
    _running: Vec<Child>,
    _folder: Option<Folder>,
}

impl Services {
    /// Starts both, or uses those that the environment names (`cargo xtask services` elsewhere).
    pub(crate) async fn start() -> Result<Services> {
        let given: Vec<_> = [POSTGRES, REDIS]
            .into_iter()
            .filter_map(|name| Some((name, env::var(name).ok()?)))
            .collect();
        if given.len() == 2 {
            return Ok(Services { variables: given, _running: Vec::new(), _folder: None });
        }
        Services::new().await
    }

    /// Starts both, new and empty.
    pub(crate) async fn new() -> Result<Services> {
        let folder = Folder::create("services")?;
        let (postgres, postgres_url) = start_postgres(&folder.path).await?;
        let (redis, redis_url) = start_redis(&folder.path).await?;
        Ok(Services {
            variables: vec![(POSTGRES, postgres_url), (REDIS, redis_url)],
            _running: vec![postgres, redis],
            _folder: Some(folder),
        })
    }
}

/// `cargo xtask services`.
pub(crate) async fn run() -> Result<()> {
    tools::ensure(Needs { services: true, ..Needs::default() }).await?;
    let services = Services::start().await?;
    for (name, value) in &services.variables {
        println!("export {name}={value}");
    }
    eprintln!("Running until you press Ctrl-C.");
    future::pending().await
}

async fn start_postgres(folder: &Path) -> Result<(Child, String)> {
    let data = folder.join("postgres");
    fs::create_dir(&data)?;
    if tools::is_root() {
        chown(&data, Some(NOBODY), Some(NOBODY))?;
    }
    let mut initdb = postgres_command("initdb", &data)?;
    initdb.args(["--username=artel", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]);
    child::run(initdb.stdout(Stdio::null())).await?;

    let port = free_port()?;
    let mut command = postgres_command("postgres", &data)?;
    command.args(["-h", "127.0.0.1", "-p", &port.to_string()]);
    for setting in [
        "unix_socket_directories=",
        "max_connections=300",
        // It lives for minutes: nothing has to survive a crash.
        "fsync=off",
        "synchronous_commit=off",
        "full_page_writes=off",
    ] {
        command.args(["-c", setting]);
    }
    // An SSL request; both answers, S and N, mean that it serves.
    let hello = [0, 0, 0, 8, 4, 210, 22, 47];
    let running = start("PostgreSQL", command, folder, port, &hello).await?;
    Ok((running, format!("postgres://artel@127.0.0.1:{port}/postgres")))
}

/// One of PostgreSQL's programs on these data, as somebody other than root.
fn postgres_command(program: &str, data: &Path) -> Result<Command> {
    let program = tools::postgres(program).with_context(|| format!("{program} is missing"))?;
    let mut command = if tools::is_root() {
        let mut command = Command::new("setpriv");
        command.args([format!("--reuid={NOBODY}"), format!("--regid={NOBODY}")]);
        command.arg("--clear-groups").arg(program);
        command
    } else {
        Command::new(program)
    };
    command.arg("-D").arg(data).current_dir(data);
    Ok(command)
}

async fn start_redis(folder: &Path) -> Result<(Child, String)> {
    let port = free_port()?;
    let mut command = Command::new("redis-server");
    command.args(["--bind", "127.0.0.1", "--port", &port.to_string()]);
    command.args(["--save", "", "--appendonly", "no", "--dir"]).arg(folder);
    let running = start("Redis", command, folder, port, b"PING\r\n").await?;
    Ok((running, format!("redis://127.0.0.1:{port}/0")))
}

/// Starts a service and waits until it answers.
async fn start(
    name: &str,
    mut command: Command,
    folder: &Path,
    port: u16,
    hello: &[u8],
) -> Result<Child> {
    let log = folder.join(format!("{name}.log"));
    let output = File::create(&log)?;
    command.stdout(output.try_clone()?).stderr(output);
    let mut running = Child::start(&mut command, "INT")?;
    let answered = timeout(START, async {
        while running.is_running() && !answers(port, hello).await {
            sleep(Duration::from_millis(50)).await;
        }
    });
    if answered.await.is_err() || !running.is_running() {
        bail!("{name} did not start:\n{}", fs::read_to_string(&log)?);
    }
    Ok(running)
}

async fn answers(port: u16, hello: &[u8]) -> bool {
    let ask = async {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
        stream.write_all(hello).await?;
        stream.read_u8().await
    };
    ask.await.is_ok()
}

/// A port that nobody listens on.
fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
