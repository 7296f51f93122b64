use super::chunk::Chunk;
use super::*;

#[test]
fn by_default_a_queue_holds_8192_events_and_16_mib() {
    let options = Background::new();
    assert_eq!(options.chunks() * options.chunk_events(), 8192);
    assert_eq!(options.chunks() * options.chunk_bytes(), 16 << 20);
}

#[test]
fn neither_limit_is_passed() {
    for (events, bytes) in [(1, 1 << 20), (100, 1 << 20), (8192, 1 << 20), (64, 1024), (1_000_000, 16 << 20)] {
        let options = Background::new().events(events).bytes(bytes);
        assert!(options.chunks() * options.chunk_events() <= events, "{events} {bytes}");
        assert!(options.chunks() * options.chunk_bytes() <= bytes, "{events} {bytes}");
    }
}

#[test]
fn a_chunk_never_grows() {
    let mut chunk = Chunk::new(2, 8);
    assert!(chunk.append(b"one\n", 1));
    assert!(!chunk.append(b"three\n", 2), "too long");
    assert!(chunk.append(b"two\n", 2));
    assert!(!chunk.append(b"", 3), "too many");
    assert_eq!((chunk.line(0), chunk.line(1)), (b"one\n".as_slice(), b"two\n".as_slice()));
}

fn lines(sources: &[Chunk]) -> Vec<&[u8]> {
    sources.iter().flat_map(|chunk| (0..chunk.events()).map(|at| chunk.line(at))).collect()
}

#[test]
fn a_full_queue_refuses_and_takes_again_when_a_chunk_is_free() {
    let chunks = Chunks::new(&Background::new().events(2).bytes(1024));
    let lane = chunks.lane();
    assert!(chunks.push(&lane, b"a\n", 1).taken.is_ok());
    assert!(chunks.push(&lane, b"b\n", 2).taken.is_ok());
    assert_eq!(chunks.push(&lane, b"c\n", 3).taken, Err(Refused::Full));
    let mut sources = Vec::new();
    chunks.collect(&mut sources, &mut Vec::new(), false);
    assert_eq!(lines(&sources), [b"a\n", b"b\n"]);
    assert_eq!(chunks.push(&lane, b"d\n", 4).taken, Err(Refused::Full), "the writer has the only chunk");
    chunks.release(sources.remove(0));
    assert!(chunks.push(&lane, b"e\n", 5).taken.is_ok());
}

#[test]
fn more_threads_than_chunks_share_them() {
    let chunks = Chunks::new(&Background::new().events(256).bytes(4 * 128 * 1024));
    for thread in 0..8 {
        let lane = chunks.lane();
        assert!(chunks.push(&lane, b"line\n", thread).taken.is_ok(), "thread {thread}");
    }
    let mut sources = Vec::new();
    chunks.collect(&mut sources, &mut Vec::new(), false);
    assert_eq!(lines(&sources).len(), 8);
}

#[test]
fn the_lane_of_a_thread_that_ended_goes_after_its_chunk() {
    let chunks = Chunks::new(&Background::new());
    let lane = chunks.lane();
    chunks.push(&lane, b"last words\n", 1).taken.expect("room");
    drop(lane);
    let mut sources = Vec::new();
    chunks.collect(&mut sources, &mut Vec::new(), false);
    assert_eq!(lines(&sources), [b"last words\n"]);
    assert_eq!(chunks.lane_count(), 1);
    chunks.collect(&mut sources, &mut Vec::new(), false);
    assert_eq!(chunks.lane_count(), 0);
}

#[test]
fn what_is_abandoned_is_counted_wherever_it_is() {
    let chunks = Chunks::new(&Background::new().events(128).bytes(2 * 128 * 1024));
    let lane = chunks.lane();
    for at in 0..64 {
        chunks.push(&lane, b"taken\n", at).taken.expect("room");
    }
    let mut sources = Vec::new();
    chunks.collect(&mut sources, &mut Vec::new(), false);
    for at in 0..10 {
        chunks.push(&lane, b"waiting\n", 64 + at).taken.expect("room");
    }
    assert!(chunks.resolve(4, || ()));
    chunks.reports.store(1, Ordering::SeqCst);
    chunks.progress.store(3, Ordering::SeqCst);
    assert_eq!(chunks.abandon(), Abandoned { written: 2, lost: 68 });
    assert!(!chunks.resolve(60, || panic!("they are counted already")));
    assert_eq!(chunks.push(&lane, b"late\n", 100).taken, Err(Refused::Closed));
    assert_eq!(chunks.abandon(), Abandoned::default(), "only once");
}
