//! CRC-64/ECMA-182: polynomial 0x42F0E1EBA9EA3693, from 0, neither reflected nor inverted.

const POLYNOMIAL: u64 = 0x42F0_E1EB_A9EA_3693;

const TABLE: [u64; 256] = table();

const fn table() -> [u64; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut value = (byte as u64) << 56;
        let mut bit = 0;
        while bit < 8 {
            let carry = value >> 63 == 1;
            value <<= 1;
            if carry {
                value ^= POLYNOMIAL;
            }
            bit += 1;
        }
        #[expect(clippy::indexing_slicing, reason = "byte counts to 256")]
        {
            table[byte] = value;
        }
        byte += 1;
    }
    table
}

/// The checksum of a body.
pub fn crc64(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |crc: u64, byte| {
        let place = ((crc >> 56) as u8 ^ byte) as usize;
        crc << 8 ^ TABLE.get(place).copied().unwrap_or_default()
    })
}
