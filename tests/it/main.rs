//! The whole server from outside: the real binary, through real connections, on either database.

mod auth;
mod config;
mod play;
mod rest;
mod sockets;
mod support;
