//! What a record's head says beside its state: kind, options, HTTP version, pipeline, and where the handler stands.

use std::sync::atomic::Ordering::Relaxed;

use super::slot::Slot;
use super::{Begin, Handle, Kind, current};
use crate::event::HttpVersion;

const JOB: u64 = 1;
const CPU_TIME: u64 = 2;
const HTTP_SHIFT: u32 = 2;
const HTTP: u64 = 0b111;
const PIPELINE_SHIFT: u32 = 16;
const SITE_SHIFT: u32 = 32;

/// The flags of a record that begins.
#[inline]
pub(super) fn of(how: &Begin) -> u64 {
    let options = if how.kind == Kind::Job { JOB } else { 0 } | if how.cpu_time { CPU_TIME } else { 0 };
    options | u64::from(how.pipeline) << PIPELINE_SHIFT
}

impl Slot {
    pub(crate) fn kind(&self) -> Kind {
        if self.head.flags.load(Relaxed) & JOB == 0 { Kind::Request } else { Kind::Job }
    }

    /// The words of its id, unless it was given another.
    pub(crate) fn id(&self) -> [u64; 2] {
        [self.head.id[0].load(Relaxed), self.head.id[1].load(Relaxed)]
    }

    #[inline]
    pub(crate) fn measures_cpu(&self) -> bool {
        self.head.flags.load(Relaxed) & CPU_TIME != 0
    }

    pub(crate) fn pipeline(&self) -> u16 {
        (self.head.flags.load(Relaxed) >> PIPELINE_SHIFT) as u16
    }

    /// What the request came by.
    pub(crate) fn http(&self) -> HttpVersion {
        let number = (self.head.flags.load(Relaxed) >> HTTP_SHIFT & HTTP) as usize;
        HttpVersion::ALL.get(number).copied().unwrap_or(HttpVersion::V11)
    }

    /// Where the handler stands.
    pub(crate) fn site(&self) -> u32 {
        (self.head.flags.load(Relaxed) >> SITE_SHIFT) as u32
    }
}

/// Says what the request came by; what most come by need not be said.
#[cfg(feature = "tower")]
pub(crate) fn set_http(handle: Handle, version: HttpVersion) {
    if version == HttpVersion::V11 || handle.is_slotless() {
        return;
    }
    let told = current::write(handle, |_, _| ());
    if let (Some(()), Some(slot)) = (told, handle.slot()) {
        slot.head.flags.fetch_or((version as u64) << HTTP_SHIFT, Relaxed);
    }
}

/// Says where the handler stands; the first one told stays.
pub(crate) fn set_site(handle: Handle, site: u32) {
    if handle.is_slotless() {
        return;
    }
    let told = current::write(handle, |_, _| ());
    if let (Some(()), Some(slot)) = (told, handle.slot()) {
        let _ = slot.head.flags.fetch_update(Relaxed, Relaxed, |flags| {
            (flags >> SITE_SHIFT == 0).then_some(flags | u64::from(site) << SITE_SHIFT)
        });
    }
}
