#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| telehand_tests::decoders::desk_message(data));
