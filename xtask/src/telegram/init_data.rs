//! Who opens the app, in Telegram's signed words.

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Serialize;
use sha2::Sha256;
use url::form_urlencoded;

/// The people to choose from.
pub(super) const PEOPLE: [Person; 3] = [
    Person { id: 1001, first_name: "Ann", username: Some("ann"), language_code: "en" },
    Person { id: 1002, first_name: "Борис", username: Some("boris"), language_code: "ru" },
    Person { id: 1003, first_name: "小林", username: None, language_code: "ja" },
];

/// A user as Telegram describes one.
#[derive(Clone, Copy, Serialize)]
pub(super) struct Person {
    pub(super) id: i64,
    first_name: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<&'static str>,
    language_code: &'static str,
}

/// The initData of a person who opens the app at `now`, in Unix seconds.
pub(super) fn sign(token: &str, person: Person, start_param: &str, now: u64) -> String {
    // By name, as the signature wants them.
    let mut fields = vec![
        ("auth_date", now.to_string()),
        ("chat_instance", "-1001".to_owned()),
        ("chat_type", "group".to_owned()),
    ];
    if !start_param.is_empty() {
        fields.push(("start_param", start_param.to_owned()));
    }
    let user = serde_json::to_string(&person).expect("names and numbers make JSON");
    fields.push(("user", user));

    let text: Vec<_> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let key = hmac(b"WebAppData", token.as_bytes());
    let hash = hmac(&key, text.join("\n").as_bytes());
    let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(&fields)
        .append_pair("hash", &hash)
        .finish()
}

fn hmac(key: &[u8], text: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(text);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The hash was computed by Python's hmac.
    #[test]
    fn signs_as_telegram_does() {
        let signed = sign("1:development", PEOPLE[0], "m_1", 1_700_000_000);
        assert_eq!(
            signed,
            "auth_date=1700000000&chat_instance=-1001&chat_type=group&start_param=m_1\
             &user=%7B%22id%22%3A1001%2C%22first_name%22%3A%22Ann%22%2C%22username%22%3A%22ann\
             %22%2C%22language_code%22%3A%22en%22%7D&hash=645029660a97cca6ff122dca1be969b68a8f5\
             7eee1b990f4aa6c377c3328fbb2"
        );
    }
}
