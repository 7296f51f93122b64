//! What code is mapped where: the program, its libraries, the kernel's page of functions.
//!
//! All of it is read as memory, in copies that cannot fault. The C library would tell too (`dl_iterate_phdr`), under a lock that a
//! stuck request may hold; and a library may be unmapped while it is looked at.

use std::ops::Range;
use std::sync::Arc;

use crate::sys::stack::memory;

/// The largest table of a module that is copied.
const LARGEST: u64 = 64 * 1024 * 1024;

/// Where a module was mapped from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mapped {
    pub(super) path: String,
    inode: u64,
    pub(super) range: Range<u64>,
}

/// What unwinding needs of a module.
#[derive(Clone, Debug)]
pub(super) struct Module {
    pub(super) mapped: Mapped,
    /// What was added to the addresses in its file.
    pub(super) bias: u64,
    /// The index of its functions (`.eh_frame_hdr`), where it lies, and its bytes.
    pub(super) index: Range<u64>,
    pub(super) index_bytes: Arc<[u8]>,
    /// How to unwind out of them (`.eh_frame`).
    pub(super) frames: Range<u64>,
    pub(super) frames_bytes: Arc<[u8]>,
}

/// The modules as the kernel tells them now.
pub(super) fn mapped() -> Vec<Mapped> {
    std::fs::read_to_string("/proc/self/maps").map(|maps| parse(&maps)).unwrap_or_default()
}

/// One module for each run of mappings of one file that has code in it.
fn parse(maps: &str) -> Vec<Mapped> {
    let mut found: Vec<(Mapped, bool)> = Vec::new();
    for line in maps.lines() {
        let Some((range, access, offset, inode, path)) = parse_line(line) else { continue };
        if !(path.starts_with('/') || path == "[vdso]") {
            continue;
        }
        let code = access.contains('x');
        match found.last_mut() {
            // Of a small file several parts are mapped from its beginning.
            Some((last, has_code))
                if last.path == path
                    && last.inode == inode
                    && (offset != 0 || (last.range.end == range.start && (access.contains('w') || !*has_code))) =>
            {
                last.range.end = range.end;
                *has_code |= code;
            }
            _ if offset == 0 => found.push((Mapped { path: path.to_owned(), inode, range }, code)),
            _ => {}
        }
    }
    found.retain(|(_, code)| *code);
    found.into_iter().map(|(mapped, _)| mapped).collect()
}

/// `55d0-55e0 r-xp 00001000 fe:00 1234    /path`.
fn parse_line(line: &str) -> Option<(Range<u64>, &str, u64, u64, &str)> {
    let hex = |text| u64::from_str_radix(text, 16).ok();
    let (range, rest) = line.split_once(' ')?;
    let (start, end) = range.split_once('-')?;
    let (access, rest) = rest.split_once(' ')?;
    let (offset, rest) = rest.split_once(' ')?;
    let (_device, rest) = rest.split_once(' ')?;
    let (inode, path) = rest.split_once(' ')?;
    Some((hex(start)?..hex(end)?, access, hex(offset)?, inode.parse().ok()?, path.trim_start()))
}

/// Bytes of this process's memory; `None` if not all are there.
fn bytes(range: Range<u64>) -> Option<Vec<u8>> {
    let len = range.end.checked_sub(range.start).filter(|len| *len <= LARGEST)?;
    let mut bytes = vec![0; usize::try_from(len).ok()?];
    (memory::read(range.start, &mut bytes) == bytes.len()).then_some(bytes)
}

/// A little-endian number of up to 8 bytes.
fn number(bytes: &[u8], range: Range<usize>) -> Option<u64> {
    let mut word = [0; 8];
    let from = bytes.get(range)?;
    word.get_mut(..from.len())?.copy_from_slice(from);
    Some(u64::from_le_bytes(word))
}

/// A segment of an ELF file.
struct Segment {
    kind: u64,
    file: u64,
    range: Range<u64>,
}

impl Segment {
    const LOAD: u64 = 1;
    const EH_FRAME: u64 = 0x6474_e550;

    /// Those of the file whose beginning is mapped there.
    fn all(start: u64) -> Option<Vec<Segment>> {
        let head = bytes(start..start.checked_add(64)?)?;
        // ELF, 64 bits, little-endian.
        if !head.starts_with(b"\x7fELF\x02\x01") {
            return None;
        }
        let (from, size, count) = (number(&head, 32..40)?, number(&head, 54..56)?, number(&head, 56..58)?);
        let from = start.checked_add(from)?;
        let table = bytes(from..from.checked_add(size * count)?)?;
        let segments = table.chunks_exact(usize::try_from(size).ok().filter(|size| *size >= 56)?).map(|entry| {
            let start = number(entry, 16..24)?;
            let range = start..start.checked_add(number(entry, 40..48)?)?;
            Some(Segment { kind: number(entry, 0..4)?, file: number(entry, 8..16)?, range })
        });
        segments.collect()
    }
}

impl Module {
    /// Reads what is mapped there; `None` where it has no tables to unwind by.
    pub(super) fn read(mapped: &Mapped) -> Option<Module> {
        let segments = Segment::all(mapped.range.start)?;
        let first = segments.iter().find(|segment| segment.kind == Segment::LOAD && segment.file == 0)?;
        let bias = mapped.range.start.wrapping_sub(first.range.start);
        let index = segments.iter().find(|segment| segment.kind == Segment::EH_FRAME)?.range.clone();
        let here = |range: &Range<u64>| range.start.wrapping_add(bias)..range.end.wrapping_add(bias);
        let index_bytes = bytes(here(&index))?;
        // Version 1; the pointer to the frames relative to itself, in 4 signed bytes, as every linker writes it.
        let &[1, 0x1b, ..] = index_bytes.as_slice() else { return None };
        let offset = i32::from_le_bytes(index_bytes.get(4..8)?.try_into().ok()?);
        let start = index.start.checked_add(4)?.checked_add_signed(i64::from(offset))?;
        // Where they end is not said: with the segment, at the latest.
        let holds = |segment: &&Segment| segment.kind == Segment::LOAD && segment.range.contains(&start);
        let frames = start..segments.iter().find(holds)?.range.end;
        let frames_bytes = bytes(here(&frames))?;
        Some(Module {
            mapped: mapped.clone(),
            bias,
            index,
            index_bytes: index_bytes.into(),
            frames,
            frames_bytes: frames_bytes.into(),
        })
    }

    /// The beginning of the function around an address, by the index: pairs of function and frame, both relative to the index,
    /// in order.
    pub(super) fn function(&self, address: u64) -> Option<u64> {
        let &[_, _, 0x03, 0x3b, ..] = &self.index_bytes[..] else { return None };
        let count = usize::try_from(number(&self.index_bytes, 8..12)?).ok()?;
        let (table, _) = self.index_bytes.get(12..12 + count.checked_mul(8)?)?.as_chunks::<8>();
        let start = |entry: &[u8; 8]| {
            let offset = i32::from_le_bytes([entry[0], entry[1], entry[2], entry[3]]);
            self.index.start.wrapping_add(self.bias).wrapping_add_signed(i64::from(offset))
        };
        let after = table.partition_point(|entry| start(entry) <= address);
        table.get(after.checked_sub(1)?).map(start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_mappings_of_a_file_are_one_module() {
        let maps = "\
55d0-55d1 r--p 00000000 fe:00 12    /usr/bin/a program
55d1-55d5 r-xp 00001000 fe:00 12    /usr/bin/a program
55d5-55d6 rw-p 00005000 fe:00 12    /usr/bin/a program
55d6-55d9 rw-p 00000000 00:00 0     [heap]
6000-6001 r--p 00000000 fe:00 99    /usr/share/data
7000-7001 r-xp 00000000 00:00 0     [vdso]
7100-7101 r--p 00000000 fe:00 13    /lib/x.so (deleted)
7101-7102 r-xp 00001000 fe:00 13    /lib/x.so (deleted)
7200-7201 r--p 00000000 fe:00 13    /lib/x.so (deleted)
7201-7202 r-xp 00001000 fe:00 13    /lib/x.so (deleted)
7300-7301 r--p 00000000 fe:00 14    /lib/small.so
7301-7302 r-xp 00000000 fe:00 14    /lib/small.so
7302-7303 rw-p 00000000 fe:00 14    /lib/small.so
7303-7304 r--p 00000000 fe:00 14    /lib/small.so
7304-7305 r-xp 00001000 fe:00 14    /lib/small.so
not a line
";
        let found: Vec<(String, Range<u64>)> = parse(maps).into_iter().map(|m| (m.path, m.range)).collect();
        let expected = [
            ("/usr/bin/a program", 0x55d0..0x55d6),
            ("[vdso]", 0x7000..0x7001),
            ("/lib/x.so (deleted)", 0x7100..0x7102),
            ("/lib/x.so (deleted)", 0x7200..0x7202),
            ("/lib/small.so", 0x7300..0x7303),
            ("/lib/small.so", 0x7303..0x7305),
        ];
        assert_eq!(found, expected.map(|(path, range)| (path.to_owned(), range)));
    }

    #[test]
    fn the_function_around_an_address_is_found_by_the_index() {
        let address = number as fn(&[u8], Range<usize>) -> Option<u64> as usize as u64;
        let module = mapped().iter().find(|mapped| mapped.range.contains(&address)).and_then(Module::read);
        let module = module.expect("this program has tables");
        for within in [address, address + 1, address + 9] {
            assert_eq!(module.function(within), Some(address));
        }
        assert_eq!(module.function(0), None);
    }
}
