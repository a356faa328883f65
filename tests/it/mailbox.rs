//! A stand-in for a mail server (RFC 5321): takes every letter and lets it be read.

use std::sync::{Arc, Mutex};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};

use crate::support::PATIENCE;

/// The stand-in, and what has come.
#[derive(Clone)]
pub(crate) struct Mailbox {
    pub(crate) url: String,
    letters: Arc<Mutex<Vec<Letter>>>,
}

/// A letter as it came.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    pub(crate) to: String,
    pub(crate) text: String,
}

impl Mailbox {
    pub(crate) async fn open() -> Mailbox {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("smtp://{}", listener.local_addr().unwrap());
        let letters: Arc<Mutex<Vec<Letter>>> = Arc::default();
        let box_of = Arc::clone(&letters);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(take(stream, Arc::clone(&box_of)));
            }
        });
        Mailbox { url, letters }
    }

    fn of(&self, to: &str) -> Vec<Letter> {
        let letters = self.letters.lock().unwrap();
        letters.iter().filter(|it| it.to == to).cloned().collect()
    }

    /// How many have come for somebody.
    pub(crate) fn count(&self, to: &str) -> usize {
        self.of(to).len()
    }

    /// Waits until so many have come for somebody, and gives the last.
    pub(crate) async fn letter(&self, to: &str, number: usize) -> Letter {
        let come = async {
            loop {
                if let Some(letter) = self.of(to).get(number - 1) {
                    return letter.clone();
                }
                sleep(std::time::Duration::from_millis(20)).await;
            }
        };
        timeout(PATIENCE, come)
            .await
            .unwrap_or_else(|_| panic!("no letter {number} has come for {to}"))
    }
}

impl Letter {
    /// What is after the # of the link in it.
    pub(crate) fn token(&self) -> String {
        // Long lines are broken by = as quoted-printable has it.
        let text = self.text.replace("=\r\n", "");
        let (_, rest) = text.split_once('#').unwrap_or_else(|| panic!("no link in {text}"));
        rest.split_whitespace().next().unwrap().to_owned()
    }
}

async fn take(stream: TcpStream, letters: Arc<Mutex<Vec<Letter>>>) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 mailbox.example\r\n").await?;
    let mut to = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let command = line.trim_end().to_ascii_uppercase();
        let answer: &[u8] = match command.as_str() {
            it if it.starts_with("EHLO") => b"250 mailbox.example\r\n",
            it if it.starts_with("RCPT TO:") => {
                let address = line["RCPT TO:".len()..].trim();
                to = address.trim_matches(['<', '>']).to_owned();
                b"250 good\r\n"
            }
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await?;
                let mut text = String::new();
                while !text.ends_with("\r\n.\r\n") {
                    stream.read_line(&mut text).await?;
                }
                letters.lock().unwrap().push(Letter { to: to.clone(), text });
                b"250 taken\r\n"
            }
            "QUIT" => b"221 goodbye\r\n",
            _ => b"250 good\r\n",
        };
        stream.write_all(answer).await?;
    }
}
