//! Any bytes: an error or a sound index, never a panic. The checksum is made right, so the fuzzer
//! reaches what lies behind it. `seeds/decode/` has files without theirs.
#![no_main]

use edgevec::Index;
use libfuzzer_sys::fuzz_target;
use xxhash_rust::xxh3::xxh3_64;

fuzz_target!(|bytes: &[u8]| {
    let _ = Index::from_bytes(bytes);
    let mut forged = bytes.to_vec();
    forged.extend_from_slice(&xxh3_64(bytes).to_le_bytes());
    if let Ok(mut index) = Index::from_bytes(&forged) {
        assert!(index.to_bytes().is_ok());
        let query = vec![0.5; index.dimensions()];
        assert!(index.search(&query, 3).run().is_ok());
        let _ = index.insert(&query);
    }
});
