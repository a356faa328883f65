//! What people are to each other: friends, and those whom somebody does not want to meet.

mod friend_rows;
mod friends;
mod presence;
mod shuns;

pub(crate) use presence::{ANNOUNCE_EVERY, Presences};
pub(crate) use shuns::ShunRows;

pub use friends::{Ask, Friend, FriendRequest, Friends, Invitation, Notification};
pub use presence::{Presence, PresenceUpdate};
pub use shuns::{Shun, Shunned};
