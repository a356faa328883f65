//! Access tokens that are not ours.

use std::time::{SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::support::{JWT_SECRET, Server};

#[tokio::test]
async fn forged_access_tokens() {
    let server = Server::start().await;
    let ann = server.person("ann").await;
    let good = jsonwebtoken::decode_header(ann.access_token()).unwrap();
    let mut rules = jsonwebtoken::Validation::new(Algorithm::HS256);
    rules.set_audience(&["artel:access"]);
    let key = jsonwebtoken::DecodingKey::from_secret(JWT_SECRET.as_bytes());
    let claims = jsonwebtoken::decode::<Value>(ann.access_token(), &key, &rules).unwrap().claims;
    let with = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        claims
    };
    let without = |name: &str| {
        let mut claims = claims.clone();
        claims.as_object_mut().unwrap().remove(name);
        claims
    };
    // The controls: what the forgeries are made with makes good tokens too.
    ann.bearing(&signed(&good, &claims, JWT_SECRET)).get("/api/me").await.is(200);
    let header = serde_json::to_value(&good).unwrap();
    let by_hand =
        |header: Value, claims: &Value| signed_by_hand(&header, &claims.to_string(), JWT_SECRET);
    ann.bearing(&by_hand(header.clone(), &claims)).get("/api/me").await.is(200);

    let [head, body, signature] = parts(ann.access_token());
    let other = server.person("bob").await;
    let [_, other_body, _] = parts(other.access_token());
    let head_with = |name: &str, value: Value| {
        let mut header = header.clone();
        header[name] = value;
        header
    };
    let mut flipped = signature.to_owned();
    flipped.replace_range(0..1, if signature.starts_with('A') { "B" } else { "A" });
    let mut forged = vec![
        String::new(),
        "x".to_owned(),
        "..".to_owned(),
        format!("{head}.{body}"),
        format!("{head}.{body}."),
        format!("{head}.{body}.{flipped}"),
        format!("{head}.{other_body}.{signature}"),
        format!("{head}.{body}.{signature}x"),
        format!("{head}.{body}.{signature}.{signature}"),
        "a".repeat(8_000),
        signed(&good, &claims, "another secret that is long enough"),
        signed(&good, &claims, ""),
        signed(&Header { kid: Some("another".into()), ..good.clone() }, &claims, JWT_SECRET),
        signed(&Header { kid: None, ..good.clone() }, &claims, JWT_SECRET),
        signed(&Header { typ: Some("JWT".into()), ..good.clone() }, &claims, JWT_SECRET),
        signed(&Header { typ: None, ..good.clone() }, &claims, JWT_SECRET),
        by_hand(head_with("crit", json!(["exp"])), &claims),
        ann.refresh_token().to_owned(),
        ann.ticket().await,
    ];
    for none in ["none", "None", "nOnE", "NONE", ""] {
        let head = base64(head_with("alg", none.into()).to_string().as_bytes());
        forged.push(format!("{head}.{body}."));
        forged.push(format!("{head}.{body}.{signature}"));
    }
    for algorithm in ["HS384", "HS512", "RS256", "ES256", "PS256", "EdDSA", "hs256"] {
        forged.push(by_hand(head_with("alg", algorithm.into()), &claims));
    }
    for algorithm in [json!(null), json!(256), json!(["HS256"]), json!({})] {
        forged.push(by_hand(head_with("alg", algorithm), &claims));
    }
    for algorithm in [Algorithm::HS384, Algorithm::HS512] {
        forged.push(signed(&Header { alg: algorithm, ..good.clone() }, &claims, JWT_SECRET));
    }
    for name in ["iss", "aud", "sub", "sid", "role", "exp"] {
        forged.push(signed(&good, &without(name), JWT_SECRET));
        for wrong in [json!(null), json!(-1), json!(true), json!([]), json!({}), json!("evil")] {
            forged.push(signed(&good, &with(name, wrong), JWT_SECRET));
        }
    }
    for (name, wrong) in [
        ("exp", json!(now() - 30)),
        ("exp", json!(now() - 6)),
        ("exp", json!(0)),
        ("exp", json!((now() + 60).to_string())),
        ("nbf", json!(now() + 60)),
        ("nbf", json!((now() + 60).to_string())),
        ("iss", json!("artel2")),
        ("iss", json!("")),
        ("aud", json!("artel:refresh")),
        ("aud", json!("artel")),
        ("sub", json!("")),
        ("sub", json!(1)),
        ("role", json!("owner")),
    ] {
        forged.push(signed(&good, &with(name, wrong), JWT_SECRET));
    }
    let text = claims.to_string();
    let exp = format!("\"exp\":{}", claims["exp"]);
    for wrong in ["\"exp\":1e400", "\"exp\":1e20", "\"exp\":99999999999999999999"] {
        forged.push(signed_by_hand(&header, &text.replace(&exp, wrong), JWT_SECRET));
    }

    for token in forged {
        let answer = ann.bearing(&token).get("/api/me").await;
        assert_eq!(answer.status, 401, "{token} is let in");
        if !token.is_empty() {
            answer.refuses(401, "access_token_invalid");
        }
        assert_eq!(answer.header("www-authenticate"), "Bearer");
    }
    assert!(!server.log().contains(ann.access_token()));
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// The three parts of a token.
fn parts(token: &str) -> [&str; 3] {
    token.split('.').collect::<Vec<_>>().try_into().unwrap()
}

fn signed(header: &Header, claims: &Value, secret: &str) -> String {
    jsonwebtoken::encode(header, claims, &EncodingKey::from_secret(secret.as_bytes())).unwrap()
}

/// A token whose header is any JSON, signed as HS256 would be.
fn signed_by_hand(header: &Value, claims: &str, secret: &str) -> String {
    let text = format!("{}.{}", base64(header.to_string().as_bytes()), base64(claims.as_bytes()));
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    format!("{text}.{}", base64(&mac.finalize().into_bytes()))
}

/// Base 64 for addresses, without padding.
pub(crate) fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte));
        let bits = bits << (8 * (3 - chunk.len()));
        for i in 0..=chunk.len() {
            text.push(LETTERS[(bits >> (18 - 6 * i)) as usize & 63].into());
        }
    }
    text
}
