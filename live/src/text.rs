//! What people write, made harmless before anyone sees it.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Marks that may stand on one letter: no script needs more, and a hundred cover the lines around.
const MARKS_MAX: usize = 3;

/// A text in Unicode's form NFKC, without what can't be seen or turns the text around it, and
/// without towers of marks. Control characters are left for the caller to refuse or replace.
pub fn tidy(text: &str) -> String {
    let mut tidy = String::with_capacity(text.len());
    let mut marks = 0;
    for letter in text.nfkc().filter(|&it| !is_invisible(it)) {
        marks = if is_combining_mark(letter) { marks + 1 } else { 0 };
        if marks <= MARKS_MAX {
            tidy.push(letter);
        }
    }
    tidy
}

/// Whether a character leaves no mark of its own, or changes the direction of others. The joiners
/// stay, which hold some scripts' words and emoji together, and so do the marks that choose how an
/// emoji is drawn.
fn is_invisible(letter: char) -> bool {
    matches!(letter,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0d}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_gone() {
        for (text, expected) in [
            ("hello", "hello"),
            ("Привет, ё", "Привет, ё"),
            ("ｈｅｌｌｏ", "hello"),
            ("ﬁne", "fine"),
            ("e\u{301}", "é"),
            ("a\u{202e}b\u{2066}c\u{200b}d\u{ad}\u{3164}", "abcd"),
            ("\u{e0041}\u{e0042}", ""),
            ("👨‍👩‍👧 ❤️", "👨‍👩‍👧 ❤️"),
            ("مي\u{200c}خواهم", "مي\u{200c}خواهم"),
        ] {
            assert_eq!(tidy(text), expected, "{text:?}");
        }
        let tower = format!("z{}", "\u{334}".repeat(200));
        assert_eq!(tidy(&tower), format!("z{}", "\u{334}".repeat(3)));
    }

    #[test]
    fn tidy_text_stays_as_it_is() {
        for text in ["ﷺ ½ ™ …", "Z\u{334}\u{335}\u{336}\u{337}\u{338}a", "ｶﾞ", "각"] {
            assert_eq!(tidy(&tidy(text)), tidy(text), "{text}");
        }
    }
}
