//! How many sockets are open: in all, from one address and by one account.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use arena::{Error, Refused, UserId, Why};
use tokio_util::sync::CancellationToken;

use crate::address::ClientAddress;

/// Room for 10,000 matches with both players and some who watch.
const ALL_MAX: usize = 32 * 1024;
/// Many people may share an address, behind the network of a school or of a mobile operator.
const ADDRESS_MAX: usize = 256;
/// Pages that one person has open; one more closes the oldest.
const ACCOUNT_MAX: usize = 5;
/// When to try again once there is no room.
const AGAIN_AFTER: Duration = Duration::from_secs(10);

/// The open sockets of this process. Cheap to clone.
#[derive(Clone)]
pub(crate) struct OpenSockets {
    all_max: usize,
    address_max: usize,
    account_max: usize,
    counts: Arc<Mutex<Counts>>,
}

#[derive(Default)]
struct Counts {
    all: usize,
    last_id: u64,
    by_address: HashMap<ClientAddress, usize>,
    /// Those that were not told to go, the oldest first.
    by_account: HashMap<UserId, VecDeque<(u64, CancellationToken)>>,
}

/// Counts one socket as open while it lives.
pub(crate) struct Place {
    id: u64,
    account: Option<UserId>,
    address: ClientAddress,
    outdone: CancellationToken,
    sockets: OpenSockets,
}

impl OpenSockets {
    /// `limited` says whether an address has a limit of its own; a load test has only one.
    pub(crate) fn new(limited: bool) -> OpenSockets {
        let address_max = if limited { ADDRESS_MAX } else { ALL_MAX };
        OpenSockets {
            all_max: ALL_MAX,
            address_max,
            account_max: ACCOUNT_MAX,
            counts: Arc::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        // OK because nothing between lock and unlock can panic halfway through a change.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes room for one more. When its account has as many as it may, the oldest of them is told
    /// to go; it still counts for its address and in all until it is gone.
    ///
    /// # Errors
    /// `too_many_sockets` from one address; `unavailable` when there is no room at all.
    pub(crate) fn enter(
        &self,
        account: Option<UserId>,
        address: ClientAddress,
    ) -> Result<Place, Error> {
        let mut counts = self.lock();
        if counts.all >= self.all_max {
            return Err(full(Why::Unavailable, "unavailable", "too many sockets are open"));
        }
        let of_address = counts.by_address.entry(address).or_default();
        if *of_address >= self.address_max {
            let detail = "too many sockets are open from your address: close some";
            return Err(full(Why::TooMany, "too_many_sockets", detail));
        }
        *of_address += 1;
        counts.all += 1;
        counts.last_id += 1;
        let (id, outdone) = (counts.last_id, CancellationToken::new());
        if let Some(account) = account {
            let of_account = counts.by_account.entry(account).or_default();
            if of_account.len() >= self.account_max
                && let Some((_, oldest)) = of_account.pop_front()
            {
                oldest.cancel();
            }
            of_account.push_back((id, outdone.clone()));
        }
        Ok(Place { id, account, address, outdone, sockets: self.clone() })
    }
}

impl Place {
    /// Waits until a newer socket of the same account has taken its place.
    pub(crate) async fn outdone(&self) {
        self.outdone.cancelled().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.sockets.lock();
        counts.all -= 1;
        if let Some(left) = counts.by_address.get_mut(&self.address) {
            *left -= 1;
            if *left == 0 {
                counts.by_address.remove(&self.address);
            }
        }
        let Some(account) = self.account else { return };
        if let Some(of_account) = counts.by_account.get_mut(&account) {
            of_account.retain(|it| it.0 != self.id);
            if of_account.is_empty() {
                counts.by_account.remove(&account);
            }
        }
    }
}

fn full(why: Why, code: &'static str, detail: &str) -> Error {
    let (fields, retry_after) = (Vec::new(), Some(AGAIN_AFTER));
    Error::Refused(Refused { why, code, detail: detail.to_owned(), fields, retry_after })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: Option<UserId> = Some(UserId(7));
    const BOB: Option<UserId> = Some(UserId(8));

    fn small() -> OpenSockets {
        OpenSockets { all_max: 6, address_max: 4, account_max: 2, counts: Arc::default() }
    }

    fn address(last: u8) -> ClientAddress {
        ClientAddress([192, 0, 2, last].into())
    }

    #[track_caller]
    fn refused(entered: Result<Place, Error>) -> &'static str {
        match entered.err() {
            Some(Error::Refused(refused)) => refused.code,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn one_more_of_an_account_outdoes_its_oldest() {
        let sockets = small();
        let enter = |account| sockets.enter(account, address(1)).unwrap();
        let (first, second, bobs) = (enter(ANN), enter(ANN), enter(BOB));
        let third = enter(ANN);
        let outdone = |it: &Place| it.outdone.is_cancelled();
        assert!(outdone(&first) && !outdone(&second) && !outdone(&third) && !outdone(&bobs));
        // Who leaves by themselves makes room, and who was outdone has left already.
        drop((first, second));
        let fourth = enter(ANN);
        assert!(!outdone(&third) && !outdone(&fourth));
    }

    #[test]
    fn an_address_and_all_have_their_limits() {
        let sockets = small();
        let enter = |last| sockets.enter(None, address(last));
        let mut open: Vec<Place> = (0..4).map(|_| enter(1).unwrap()).collect();
        assert_eq!(refused(enter(1)), "too_many_sockets");
        open.extend([enter(2).unwrap(), enter(3).unwrap()]);
        assert_eq!(refused(enter(4)), "unavailable");
        open.truncate(3);
        drop(enter(1).unwrap());
        open.clear();
        let counts = sockets.lock();
        assert!(counts.all == 0 && counts.by_address.is_empty() && counts.by_account.is_empty());
    }
}
