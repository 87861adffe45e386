//! Who may ask HubSpot, and who may send pages on, when several types are read in one run.
//!
//! A signal is given once, or by dropping its giver: a reader that fails holds up nobody.

use tokio::sync::watch;

/// Gives a signal, at the latest when it is dropped.
#[derive(Debug)]
pub(super) struct Giver(watch::Sender<bool>);

/// Waits for a signal.
#[derive(Debug, Clone)]
pub(super) struct Signal(Option<watch::Receiver<bool>>);

/// A signal that was not given yet.
pub(super) fn signal() -> (Giver, Signal) {
    let (give, wait) = watch::channel(false);
    (Giver(give), Signal(Some(wait)))
}

impl Signal {
    /// Waits until it is given.
    pub(super) async fn given(&mut self) {
        if let Some(wait) = &mut self.0 {
            // An error means that the giver is gone, which gives the signal too.
            let _ = wait.wait_for(|given| *given).await;
        }
    }
}

/// One type's part in the order of a run.
#[derive(Debug)]
pub(super) struct Leg {
    may_ask: Signal,
    may_send: Signal,
    planned: Giver,
    _sent: Giver,
}

impl Leg {
    /// A type that waits for nobody.
    pub(super) fn alone() -> Self {
        Self { may_ask: Signal(None), may_send: Signal(None), planned: signal().0, _sent: signal().0 }
    }

    /// Waits until requests of this type may begin.
    pub(super) async fn may_ask(&self) {
        self.may_ask.clone().given().await;
    }

    /// Waits until pages of this type may be sent on.
    pub(super) async fn may_send(&self) {
        self.may_send.clone().given().await;
    }

    /// The last requests of this type are under way.
    pub(super) fn planned(&self) {
        self.planned.0.send_replace(true);
    }
}

/// Types that send one after the other; each may ask as soon as the one before it is planned to its end.
pub(super) fn in_turn(count: usize) -> Vec<Leg> {
    let (mut may_ask, mut may_send) = (Signal(None), Signal(None));
    let leg = |_| {
        let ((planned, next_asks), (sent, next_sends)) = (signal(), signal());
        Leg {
            may_ask: std::mem::replace(&mut may_ask, next_asks),
            may_send: std::mem::replace(&mut may_send, next_sends),
            planned,
            _sent: sent,
        }
    };
    (0..count).map(leg).collect()
}

/// Types that do not wait for each other, but for those two signals.
pub(super) fn side_by_side(count: usize, may_ask: &Signal, may_send: &Signal) -> Vec<Leg> {
    let leg = |_| Leg { may_ask: may_ask.clone(), may_send: may_send.clone(), ..Leg::alone() };
    (0..count).map(leg).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn is_given(signal: &Signal) -> bool {
        tokio::time::timeout(std::time::Duration::from_millis(20), signal.clone().given()).await.is_ok()
    }

    #[tokio::test]
    async fn each_asks_when_the_one_before_is_planned_and_sends_when_it_is_gone() {
        let mut legs = in_turn(3);
        let (third, second, first) = (legs.pop().unwrap(), legs.pop().unwrap(), legs.pop().unwrap());
        first.may_ask().await;
        first.may_send().await;
        assert!(!is_given(&second.may_ask).await);
        first.planned();
        assert!(is_given(&second.may_ask).await && !is_given(&second.may_send).await);
        assert!(!is_given(&third.may_ask).await);
        drop(first);
        assert!(is_given(&second.may_send).await);
        // One that fails before it planned anything holds up nobody.
        drop(second);
        assert!(is_given(&third.may_ask).await && is_given(&third.may_send).await);
    }
}
