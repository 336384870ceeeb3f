//! What the fuzzer of files begins with are files, one for each set of flags.

#![allow(clippy::unwrap_used)] // Helpers outside of test functions, too.

use edgevec::Index;
use xxhash_rust::xxh3::xxh3_64;

#[test]
fn every_seed_is_an_index_but_for_its_checksum() {
    let seeds: [(&[u8], usize); 4] = [
        (include_bytes!("../fuzz/seeds/decode/empty"), 0),
        (include_bytes!("../fuzz/seeds/decode/ids"), 4),
        (include_bytes!("../fuzz/seeds/decode/graph"), 260),
        (include_bytes!("../fuzz/seeds/decode/cells"), 950),
    ];
    for (seed, rows) in seeds {
        let bytes = [seed, &xxh3_64(seed).to_le_bytes()].concat();
        let index = Index::from_bytes(&bytes).unwrap();
        assert_eq!(index.len(), rows);
        assert!(index.to_bytes().unwrap() == bytes);
    }
}
