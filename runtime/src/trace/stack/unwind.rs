//! From the copy of a stack to the calls on it.

use std::sync::Arc;

use framehop::x86_64::{CacheX86_64, UnwindRegsX86_64, UnwinderX86_64};
use framehop::{Error, ExplicitModuleSectionInfo, FrameAddress, Unwinder as _};

use super::modules::{Mapped, Module, mapped};
use super::prologue;
use crate::sys::stack::{Copy, memory};

/// No more calls than these are looked at.
const DEEPEST: usize = 512;

/// A call on a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Call {
    /// An address within the instruction that is being executed, or that called.
    pub(super) address: u64,
    /// Where its frame ends: the stack pointer of its caller.
    pub(super) end: u64,
}

/// The calls on a stack, innermost first.
#[derive(Clone, Debug, Default)]
pub(super) struct Calls {
    pub(super) calls: Vec<Call>,
    /// Whether they go down to where the thread began.
    pub(super) complete: bool,
}

/// Knows what code is mapped where, and how to unwind out of it.
pub(super) struct Unwinder {
    modules: Vec<Module>,
    /// What was mapped when `modules` was made.
    seen: Vec<Mapped>,
    framehop: UnwinderX86_64<Arc<[u8]>>,
    cache: CacheX86_64,
}

impl Unwinder {
    pub(super) fn new() -> Self {
        Unwinder { modules: Vec::new(), seen: Vec::new(), framehop: UnwinderX86_64::new(), cache: CacheX86_64::new() }
    }

    /// Looks what is mapped now.
    pub(super) fn refresh(&mut self) {
        let now = mapped();
        if now == self.seen {
            return;
        }
        let known = |mapped: &Mapped| self.modules.iter().find(|module| module.mapped == *mapped).cloned();
        let modules: Vec<Module> =
            now.iter().filter_map(|mapped| known(mapped).or_else(|| Module::read(mapped))).collect();
        self.framehop = UnwinderX86_64::new();
        for module in &modules {
            let sections = ExplicitModuleSectionInfo {
                eh_frame_hdr_svma: Some(module.index.clone()),
                eh_frame_hdr: Some(Arc::clone(&module.index_bytes)),
                eh_frame_svma: Some(module.frames.clone()),
                eh_frame: Some(Arc::clone(&module.frames_bytes)),
                ..ExplicitModuleSectionInfo::default()
            };
            let Mapped { path, range, .. } = &module.mapped;
            self.framehop.add_module(framehop::Module::new(path.clone(), range.clone(), module.bias, sections));
        }
        (self.modules, self.seen) = (modules, now);
    }

    /// The module around an address.
    pub(super) fn module(&self, address: u64) -> Option<&Module> {
        self.modules.iter().find(|module| module.mapped.range.contains(&address))
    }

    /// The calls on a stack.
    pub(super) fn unwind(&mut self, copy: &Copy) -> Calls {
        let registers = copy.registers;
        let mut found = Calls::default();
        let mut regs = UnwindRegsX86_64::new(registers.ip, registers.sp, registers.bp.unwrap_or(0));
        let mut bp_known = registers.bp.is_some();
        let mut at = FrameAddress::from_instruction_pointer(registers.ip);
        while found.calls.len() < DEEPEST {
            let address = at.address_for_lookup();
            if !bp_known && let Some(bp) = self.frame_pointer(address, regs.sp(), copy) {
                regs.set_bp(bp);
                bp_known = true;
            }
            let before = regs.bp();
            let next = self.framehop.unwind_frame(at, &mut regs, &mut self.cache, &mut |at| copy.word(at).ok_or(()));
            found.calls.push(Call { address, end: regs.sp() });
            // Restored from the stack by a function that had saved it.
            bp_known |= regs.bp() != before;
            match next {
                Ok(Some(address)) => match FrameAddress::from_return_address(address) {
                    Some(next) => at = next,
                    None => found.complete = true,
                },
                Ok(None) | Err(Error::ReturnAddressIsNull) => found.complete = true,
                Err(_) => break,
            }
            if found.complete {
                break;
            }
        }
        found
    }

    /// The frame pointer in a function that keeps one and is past its beginning, if what it would lead to makes sense.
    fn frame_pointer(&self, address: u64, sp: u64, copy: &Copy) -> Option<u64> {
        let start = self.module(address)?.function(address)?;
        let mut code = [0; 48];
        let len = memory::read(start, &mut code);
        let (above, length) = prologue::frame_pointer(&code[..len])?;
        let bp = sp.checked_add(above)?;
        let past = address.checked_sub(start)? >= length as u64;
        let returns_to_code = self.module(copy.word(bp.checked_add(8)?)?).is_some();
        (past && returns_to_code).then_some(bp)
    }
}
