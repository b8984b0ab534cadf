//! CRC-16 with the reflected polynomial 0xA001, from 0.

/// The checksum of a command or a reply.
pub fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc: u16, byte| {
        (0..8).fold(crc ^ u16::from(*byte), |crc, _| {
            let shifted = crc >> 1;
            if crc & 1 == 1 { shifted ^ 0xA001 } else { shifted }
        })
    })
}
