//! The Telegram bot
