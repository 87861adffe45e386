//! Where HubSpot is asked: the address of an account's region, found out when HubSpot says that it is another one.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use url::Url;

/// Stores the address of the region that HubSpot sent us to.
pub type KeepBase = Arc<dyn Fn(&Url) + Send + Sync>;

/// Where HubSpot is asked. Accounts of some regions answer only at an address of their own.
pub struct Host {
    base: RwLock<Url>,
    /// The address of a region, with `{hublet}` in the place of its name.
    regional: String,
    first: Url,
    keep: KeepBase,
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").field("base", &self.base).finish_non_exhaustive()
    }
}

impl Host {
    /// Starts at `base`.
    #[must_use]
    pub fn new(base: Url, regional: String, keep: KeepBase) -> Self {
        Self { first: base.clone(), base: RwLock::new(base), regional, keep }
    }

    pub(super) fn base(&self) -> Url {
        self.base.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Goes over to a region; says whether that is somewhere else than before.
    pub(super) fn move_to(&self, region: &str) -> bool {
        let Ok(url) = Url::parse(&self.regional.replace("{hublet}", region)) else { return false };
        let moved = {
            let mut base = self.base.write().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *base, url.clone()) != url
        };
        if moved {
            (self.keep)(&url);
        }
        moved
    }

    /// The address of the account's region, where it is another one than it began with.
    pub(super) fn moved_to(&self) -> Option<Url> {
        Some(self.base()).filter(|base| *base != self.first)
    }

    /// The address of a path.
    pub(super) fn address(&self, path: &str) -> Url {
        let mut url = self.base();
        let whole = format!("{}{path}", url.path().trim_end_matches('/'));
        url.set_path(&whole);
        url
    }
}
