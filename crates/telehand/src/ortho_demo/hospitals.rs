//! The hospitals of the demo, and the networks to them. They are invented; cities stand for
//! distances.

use std::fmt::Write as _;

/// A hospital of the demo.
pub struct Hospital {
    /// Its name on the link.
    pub id: &'static str,
    /// Its name in English.
    pub name_en: &'static str,
    /// Its name in Chinese.
    pub name_zh: &'static str,
    /// Its colour.
    pub colour: &'static str,
    /// Great circle from Beijing, kilometres.
    km: f64,
}

/// Every hospital there is, nearest first.
pub const HOSPITALS: [Hospital; 4] = [
    Hospital {
        id: "tianjin",
        name_en: "Demo Hospital Tianjin",
        name_zh: "天津示范医院",
        colour: "#2f6fb0",
        km: 110.0,
    },
    Hospital {
        id: "zhangjiakou",
        name_en: "Demo Hospital Zhangjiakou",
        name_zh: "张家口示范医院",
        colour: "#b0612f",
        km: 160.0,
    },
    Hospital {
        id: "karamay",
        name_en: "Demo Hospital Karamay",
        name_zh: "克拉玛依示范医院",
        colour: "#3f8f4f",
        km: 2_570.0,
    },
    Hospital {
        id: "kashgar",
        name_en: "Demo Hospital Kashgar",
        name_zh: "喀什示范医院",
        colour: "#8a4fb0",
        km: 3_430.0,
    },
];

/// Light in fibre, milliseconds for a kilometre, times the 2.3 that real routes take (as in the
/// profile shanghai-kashgar).
const MS_PER_KM: f64 = 0.0049 * 2.3;
/// What the last miles on both sides add, milliseconds.
const ACCESS_MS: f64 = 3.0;
/// What 5G adds to that.
const RADIO_MS: f64 = 6.0;

impl Hospital {
    /// Its network as a profile of `telehand wan`: fibre and 5G by the distance from Beijing.
    pub fn network(&self) -> String {
        let fibre_ms = ACCESS_MS + self.km * MS_PER_KM;
        let mut text = format!(
            "name = \"beijing-{0}\"\nabout = \"Beijing to {0}, invented from the distance\"\n\
             about_zh = \"北京至{1}\"\nsource = \"Chosen: {2} km, light in fibre times 2.3, 3 ms \
             for both ends, 6 ms more over 5G; losses as in shanghai-kashgar.\"\n",
            self.id, self.name_zh, self.km
        );
        // Writing to a String does not fail.
        let _ = write!(
            text,
            "[[path]]\nname = \"fibre\"\ndelay_ms = {fibre_ms:.1}\njitter_ms = 0.3\n\
             jitter_correlation_ms = 50\nloss = 0.00005\nrate_mbit_s = 200\n\
             [[path]]\nname = \"5g\"\ndelay_ms = {:.1}\njitter_ms = 2\njitter_correlation_ms = 20\n\
             burst = {{ model = \"packets\", start = 0.002, stop = 0.5, max_packets = 2 }}\n\
             [path.out]\nrate_mbit_s = 100\n[path.back]\nrate_mbit_s = 40\n",
            fibre_ms + RADIO_MS
        );
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use telehand_sim::network::Profile;

    #[test]
    fn every_hospital_has_two_networks_and_the_farther_one_is_slower() {
        let mut before = 0.0;
        for hospital in &HOSPITALS {
            let text = hospital.network();
            let profile = Profile::parse(&text).unwrap();
            let names: Vec<&str> = profile.paths.iter().map(|path| path.name.as_str()).collect();
            assert_eq!(names, ["fibre", "5g"], "{}", hospital.id);
            let line = text.lines().find_map(|line| line.strip_prefix("delay_ms = ")).unwrap();
            let delay: f64 = line.parse().unwrap();
            assert!(delay > before && delay < 60.0, "{}: {delay}", hospital.id);
            before = delay;
        }
    }
}
