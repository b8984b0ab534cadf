#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| telehand_tests::decoders::nifti_file(data));
